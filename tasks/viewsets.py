"""What of DRF's dispatch is done otherwise, because it costs much and decides nothing here.

Source: issue "Faster than FastAPI, near what Python can do"; ``benchmarks/README.md`` has figures.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
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
        """Dispatch, and let go of everything.

        DRF's view holds its own methods, and its request holds itself: some 35 objects that only
        the garbage collector could free, request for request.
        """
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            self.request.parser_context.clear()
            vars(self).clear()

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Wrap the request, with no parsers."""
        return Request(request, authenticators=self._authenticators)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who calls, whether they may, and how often."""
        self.perform_authentication(request)
        self.check_permissions(request)
        if self.throttle_classes:
            self.check_throttles(request)

    def finalize_response(  # type: ignore[override]  # DRF takes any of Django's; its stubs do not
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Let a browser keep what was read, and ask each time whether it still holds."""
        if request.method in ("GET", "HEAD") and response.status_code in (200, 304):
            response.headers["Cache-Control"] = "private, no-cache"
        return response

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Leave ``Allow`` to the 405, which is the one answer that owes it (RFC 9110 §15.5.6)."""
        return {}

    def get_authenticators(self) -> Any:
        """Return the class's own."""
        return self._authenticators

    def get_permissions(self) -> Any:
        """Return the class's own."""
        return self._permissions
