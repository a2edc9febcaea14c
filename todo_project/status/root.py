"""The root path."""

from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse


def root(request: HttpRequest) -> HttpResponseBase:
    """Return the service's name and the path of its documentation, without a database query."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    # even with API_DOCS off: the path is fixed
    docs = reverse("docs")
    return JsonResponse({"message": "Todo back end", "status": "healthy", "docs": docs})
