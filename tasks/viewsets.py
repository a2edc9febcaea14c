"""What of DRF's dispatch is done otherwise, because it costs much and decides nothing here.

Source: issue "Faster than FastAPI, near what Python can do"; ``benchmarks/README.md`` has figures.
"""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from tasks.models import Task


class LeanViewSet(GenericViewSet[Task]):
    """A view set that speaks JSON and nothing else, and sends Django's own responses.

    There is no content to negotiate, no version, no format suffix, and the body is read by
    ``read_json``. Authentication, permissions, throttles and the exception handler are DRF's steps,
    in DRF's order.
    """

    # Stateless: one of each is enough for all requests.
    _authenticators: tuple[BaseAuthentication, ...] = ()
    _permissions: tuple[Any, ...] = ()

    def __init_subclass__(cls) -> None:
        """Make the authenticators and permissions of the class."""
        cls._authenticators = tuple(each() for each in cls.authentication_classes)
        cls._permissions = tuple(each() for each in cls.permission_classes)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do what DRF's does, and let go of everything.

        DRF's own asks its request, slowly, for each attribute of Django's. Its view holds its own
        methods, and its request holds itself: some 35 objects for the garbage collector to free.
        """
        self.request = Request(request, authenticators=self._authenticators)
        response: HttpResponseBase
        try:
            self.initial(self.request, *args, **kwargs)
            action = self.action_map.get(str(request.method).lower(), "http_method_not_allowed")
            response = getattr(self, action)(self.request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the exception handler answers every one
            handler = self.get_exception_handler()
            response = handler(error, self.get_exception_handler_context())
        finally:
            self.request.parser_context.clear()
            vars(self).clear()
        if request.method in ("GET", "HEAD") and response.status_code in (200, 304):
            # A browser may keep what was read, and asks each time whether it still holds.
            response.headers["Cache-Control"] = "private, no-cache"
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who calls, whether they may, and how often."""
        # What request.user does, within a context manager that costs 5 µs
        request._authenticate()  # type: ignore[attr-defined]  # noqa: SLF001
        self.check_permissions(request)
        if self.throttle_classes:
            self.check_throttles(request)

    def get_authenticators(self) -> Any:
        """Return the class's own."""
        return self._authenticators

    def get_permissions(self) -> Any:
        """Return the class's own."""
        return self._permissions
