"""Is the process alive?"""

from django.conf import settings
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone


def health(request: HttpRequest) -> HttpResponseBase:
    """Answer that the process is alive. Asks for no token and touches no database.

    Source: contract.md "Six endpoints and a health check".
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    now = timezone.now().strftime(settings.API_DATETIME_FORMAT)
    return JsonResponse({"status": "healthy", "timestamp": now})
