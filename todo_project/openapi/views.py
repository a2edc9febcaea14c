"""``/openapi.json``, and ``/docs`` and ``/redoc``, which show it to people."""

import threading
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # ReDoc adds two <style> elements, which these digests name: an empty one, whose rules it
        # writes afterwards, and that of its scroll bars.
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

# Two first requests at once would make it twice, with drf-spectacular's settings patched twice.
_making = threading.Lock()


def _where_on(view: View) -> View:
    """Let a view be read where ``API_DOCS`` is on; elsewhere there is no such path."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponseBase:
        if not settings.API_DOCS:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return view(request)

    return answer


@_where_on
def openapi(request: HttpRequest) -> HttpResponseBase:
    """Send the document.

    Source: issue "Documents, logs, metrics, deployment", documents.
    """
    with _making:
        from todo_project.openapi.document import openapi_document

        content = openapi_document()
    return HttpResponse(content, "application/json")


@_where_on
def docs(request: HttpRequest) -> HttpResponseBase:
    """Show the document in Swagger UI, which also sends requests."""
    return _page(request, "openapi/docs.html")


@_where_on
def redoc(request: HttpRequest) -> HttpResponseBase:
    """Show the document in ReDoc."""
    return _page(request, "openapi/redoc.html")


def _page(request: HttpRequest, template: str) -> HttpResponse:
    """Render a page whose addresses are all relative, so that they hold behind any prefix."""
    root = "../" if request.path_info.endswith("/") else ""
    policy = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return HttpResponse(render_to_string(template, {"root": root}), headers=policy)
