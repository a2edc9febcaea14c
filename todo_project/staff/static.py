"""Style sheets, scripts and pictures of the pages for people."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


def _missing(request: HttpRequest) -> HttpResponseBase:
    raise Http404


# A view and not a middleware: a request of the API does not pass it.
static_file = WhiteNoiseMiddleware(_missing)
