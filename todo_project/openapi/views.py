"""The OpenAPI document, and Swagger UI and ReDoc, which show it.

Source: FR-020.
"""

from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path

import orjson
import yaml
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from todo_project.management.commands.quick_start import DEMO_USER

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # ReDoc adds two <style> elements: an empty one, whose rules it inserts by script, and the
        # styles of its scroll bars.
        "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
        " 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
        "img-src 'self' data:",  # the icons in Swagger UI's style sheet
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

View = Callable[[HttpRequest], HttpResponseBase]


@cache
def openapi_document() -> bytes:
    """Return ``openapi.yaml`` as JSON. Parsing takes 80 ms, so it happens on first use."""
    source = Path(__file__).with_name("openapi.yaml").read_bytes()
    return orjson.dumps(yaml.safe_load(source))


def _if_enabled(view: View) -> View:
    """Serve a view to GET and HEAD if ``API_DOCS`` is on; otherwise raise ``Http404``."""

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponseBase:
        if not settings.API_DOCS:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return view(request)

    return wrapper


@_if_enabled
def openapi(request: HttpRequest) -> HttpResponseBase:
    """Return the OpenAPI document as JSON."""
    return HttpResponse(openapi_document(), "application/json")


@_if_enabled
def docs(request: HttpRequest) -> HttpResponseBase:
    """Render the OpenAPI document with Swagger UI, which can send requests.

    With ``DEBUG`` the requests are those of the user whose token ``make token`` prints.
    """
    return _page(request, "openapi/docs.html", user=DEMO_USER if settings.DEBUG else "")


@_if_enabled
def redoc(request: HttpRequest) -> HttpResponseBase:
    """Render the OpenAPI document with ReDoc."""
    return _page(request, "openapi/redoc.html")


def _page(request: HttpRequest, template: str, **context: str) -> HttpResponse:
    """Render a page. All its URLs are relative, so that it works behind any prefix."""
    root = "../" if request.path_info.endswith("/") else ""
    policy = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return HttpResponse(render_to_string(template, {"root": root, **context}), headers=policy)
