"""What is this?"""

from django.conf import settings
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse


def root(request: HttpRequest) -> HttpResponseBase:
    """Name the service, and say where its documents are if they are on. Touches no database.

    Source: issue "Staff and operators", the root.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    answer = {"message": "Todo back end", "status": "healthy"}
    return JsonResponse(answer | ({"docs": reverse("docs")} if settings.API_DOCS else {}))
