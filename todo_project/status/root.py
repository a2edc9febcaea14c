"""What is this?"""

from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse


def root(request: HttpRequest) -> HttpResponseBase:
    """Name the service, and say where its documents are. Touches no database.

    Source: issue "Staff and operators", the root.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    # also where API_DOCS is off: it is the address, and no promise
    docs = reverse("docs")
    return JsonResponse({"message": "Todo back end", "status": "healthy", "docs": docs})
