"""A view set without content negotiation, versioning or parsers."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from tasks.models import Task


class LeanViewSet(GenericViewSet[Task]):
    """A view set that returns JSON in Django's own responses.

    Authentication, permissions, throttles and the exception handler run as in DRF, in the same
    order. Views read the body with ``read_json``.

    Source: docs/internals.md.
    """

    # Stateless, so one instance serves all requests
    _authenticators: tuple[BaseAuthentication, ...] = ()
    _permissions: tuple[Any, ...] = ()

    def __init_subclass__(cls) -> None:
        """Instantiate the authenticators and permissions of the subclass."""
        cls._authenticators = tuple(each() for each in cls.authentication_classes)
        cls._permissions = tuple(each() for each in cls.permission_classes)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Dispatch as DRF does, then break reference cycles.

        DRF's view refers to its own methods, and its request to itself: 35 objects for each
        request, which would wait for the garbage collector.
        """
        self.request = Request(request, authenticators=self._authenticators)
        response: HttpResponseBase
        try:
            self.initial(self.request, *args, **kwargs)
            action = self.action_map.get(str(request.method).lower(), "http_method_not_allowed")
            response = getattr(self, action)(self.request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the exception handler handles every one
            handle = self.get_exception_handler()
            response = handle(error, self.get_exception_handler_context())
        finally:
            self.request.parser_context.clear()
            vars(self).clear()
        if request.method in ("GET", "HEAD") and response.status_code in (200, 304):
            # A browser may store the response but must revalidate it each time.
            response.headers["Cache-Control"] = "private, no-cache"
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then check permissions and throttles."""
        # request.user would do this inside a context manager that costs 5 µs.
        request._authenticate()  # type: ignore[attr-defined]  # noqa: SLF001
        self.check_permissions(request)
        if self.throttle_classes:
            self.check_throttles(request)

    def get_authenticators(self) -> Any:
        """Return the authenticators of the class."""
        return self._authenticators

    def get_permissions(self) -> Any:
        """Return the permissions of the class."""
        return self._permissions
