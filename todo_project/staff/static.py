"""Static files, served from the installed packages."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


def _missing(request: HttpRequest) -> HttpResponseBase:
    raise Http404


# Used as a view, so that API requests do not run it.
static_file = WhiteNoiseMiddleware(_missing)
