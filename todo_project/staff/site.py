"""The admin site."""

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator

from todo_project.staff.lockout import LOCKED_SECONDS, LoginForm, TooManyLoginsError
from todo_project.staff.pages import ACTION_SECONDS, LOGIN_SECONDS, View, staff_page, with_deadline


class StaffSite(admin.AdminSite):
    """Django's admin without global middleware, and with a login lockout.

    Source: docs/decisions/0011-admin-outside-middleware.md.
    """

    site_header = "Todo back end"
    site_title = "Todo back end"
    index_title = "Staff"
    site_url = None  # the front end is another site
    login_form = LoginForm
    enable_nav_sidebar = False  # three models; the list needs the width

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Wrap a view. Django calls this for every view except ``login``."""
        return staff_page(super().admin_view(with_deadline(ACTION_SECONDS)(view), cacheable))

    @method_decorator([staff_page, with_deadline(LOGIN_SECONDS)])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log in, unless too many logins from the client's address have failed."""
        if not AxesProxyHandler.is_allowed(request):
            return self._refused(request, LOCKED_SECONDS)
        try:
            response = super().login(request, extra_context)
        except TooManyLoginsError as error:
            return self._refused(request, error.seconds)
        # set by LockoutHandler; true if this failure has reached the limit
        return (
            self._refused(request, LOCKED_SECONDS) if vars(request)["axes_locked_out"] else response
        )

    def autocomplete_view(self, request: HttpRequest) -> Any:
        """Return a 404: no form has a field that uses this search, which has no limits."""
        raise Http404

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Order by id: the log may have a million entries and has no index on their time."""
        return super().get_log_entries(request).order_by("-pk")

    def _refused(self, request: HttpRequest, seconds: int) -> HttpResponse:
        context = {**self.each_context(request), "minutes": seconds // 60}
        response = render(request, "locked_out.html", context, status=429)
        response["Retry-After"] = str(seconds)
        return response
