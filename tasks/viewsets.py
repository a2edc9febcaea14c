"""A view set without content negotiation, versioning or parsers."""

from typing import Any, NoReturn

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import PermissionDenied
from rest_framework.viewsets import GenericViewSet

from tasks.models import Task


class LeanViewSet(GenericViewSet[Task]):
    """A view set that takes Django's own requests and returns Django's own responses.

    Authentication, permissions, throttles and the exception handler run as in DRF, in the same
    order. Views read the body with ``read_json``.

    Source: docs/internals.md.
    """

    # Stateless, so one instance serves all requests
    _authenticator: Any  # the only one, which returns a user or raises
    _permissions: tuple[Any, ...] = ()

    def __init_subclass__(cls) -> None:
        """Instantiate the authenticator and permissions of the subclass."""
        [cls._authenticator] = [each() for each in cls.authentication_classes]
        cls._permissions = tuple(each() for each in cls.permission_classes)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Dispatch as DRF does, then break the reference cycle of the view and its methods."""
        response: HttpResponseBase
        try:
            self.initial(request, *args, **kwargs)
            action = self.action_map.get(str(request.method).lower(), "http_method_not_allowed")
            response = getattr(self, action)(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the exception handler handles every one
            response = self.get_exception_handler()(error, {"view": self, "request": request})
        finally:
            vars(self).clear()  # as_view() has stored the methods, which refer to the view
        if request.method in ("GET", "HEAD") and response.status_code in (200, 304):
            # A browser may store the response but must revalidate it each time.
            response.headers["Cache-Control"] = "private, no-cache"
        return response

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then check permissions and throttles."""
        request.user, request.auth = self._authenticator.authenticate(request)
        self.check_permissions(request)
        if self.throttle_classes:
            self.check_throttles(request)

    def permission_denied(
        self, request: Any, message: str | None = None, code: str | None = None
    ) -> NoReturn:
        """Refuse with a 403; DRF would look for the authenticators of its own request."""
        raise PermissionDenied(message, code)

    def get_authenticators(self) -> Any:
        """Return the authenticator of the class."""
        return (self._authenticator,)

    def get_permissions(self) -> Any:
        """Return the permissions of the class."""
        return self._permissions
