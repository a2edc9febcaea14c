"""The root path."""

import re

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
# For each representation, the media ranges that include it, the most specific first
HTML = ("text/html", "text/*", "*/*")
JSON = ("application/json", "application/*", "*/*")
# RFC 9110 section 12.4.2
WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
# Browsers send up to 150 characters.
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
    """Return whether the ``Accept`` header gives HTML a higher quality than JSON."""
    accept = request.headers.get("Accept", "")
    if len(accept) > MAX_ACCEPT_LENGTH:
        return False
    qualities = dict(map(_media_range, accept.lower().split(",")))
    html, json = (
        next((qualities[each] for each in ranges if each in qualities), 0.0)
        for ranges in (HTML, JSON)
    )
    return html > json


def _media_range(text: str) -> tuple[str, float]:
    """Return a media range without its parameters, and its quality: 0 if that is malformed."""
    name, *parameters = (each.strip() for each in text.split(";"))
    weight = next((each for each in parameters if each.startswith("q")), "q=1")
    match = WEIGHT.fullmatch(weight)
    return name, float(match[1]) if match else 0.0
