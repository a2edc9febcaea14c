"""The admin site."""

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator

from todo_project.staff.pages import ACTION_SECONDS, LOG_IN_SECONDS, View, page, patient


class StaffSite(admin.AdminSite):
    """Django's admin, with everything around its pages that the API does without.

    Source: issue "Staff and operators", the admin.
    """

    site_header = "Todo back end"
    site_title = "Todo back end"
    index_title = "Staff"
    site_url = None  # the root is for programs
    enable_nav_sidebar = False  # three models need no way about; a list needs the width

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Wrap each page but that of the log-in."""
        return page(super().admin_view(patient(ACTION_SECONDS)(view), cacheable))

    @method_decorator([page, patient(LOG_IN_SECONDS)])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Sign in, unless too many log-ins from the same address have failed."""
        if not AxesProxyHandler.is_allowed(request):
            return _locked_out(request)
        response = super().login(request, extra_context)
        # Axes' own mark, set where this log-in was one too many.
        return _locked_out(request) if vars(request)["axes_locked_out"] else response

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Read the latest by their ids: no index has their times, and there may be a million."""
        return super().get_log_entries(request).order_by("-pk")


def _locked_out(request: HttpRequest) -> HttpResponse:
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    response = render(request, "locked_out.html", {"minutes": seconds // 60}, status=429)
    response["Retry-After"] = str(seconds)
    return response
