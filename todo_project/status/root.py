"""The root path."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.clickjacking import xframe_options_deny

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none';"
    " frame-ancestors 'none'; base-uri 'none'"
)
# The first wins if the client accepts both equally, as with ``*/*``.
MEDIA_TYPES = ("application/json", "text/html")
# Browsers send up to 150 characters. Parsing takes 20 µs for each type.
MAX_ACCEPT_LENGTH = 1000


def root(request: HttpRequest) -> HttpResponseBase:
    """Identify the service, as a page for a browser and in JSON for everybody else.

    Source: docs/contract.md, "Six endpoints and a health check".
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    docs = {"docs": reverse("docs")} if settings.API_DOCS else {}
    response = _page(request, docs) if _prefers_html(request) else _json(docs)
    patch_vary_headers(response, ["Accept"])
    return response


def _json(docs: dict[str, str]) -> HttpResponse:
    return JsonResponse({"message": "Todo back end", "status": "healthy", **docs})


@decorator_from_middleware(SecurityMiddleware)
@xframe_options_deny
def _page(request: HttpRequest, docs: dict[str, str]) -> HttpResponse:
    policy = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return HttpResponse(render_to_string("root.html", docs), headers=policy)


def _prefers_html(request: HttpRequest) -> bool:
    """Return whether the ``Accept`` header prefers HTML to JSON; a malformed one does not."""
    if len(request.headers.get("Accept", "")) > MAX_ACCEPT_LENGTH:
        return False
    try:
        return request.get_preferred_type(MEDIA_TYPES) == "text/html"
    except ValueError:
        return False
