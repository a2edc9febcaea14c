"""Staff accounts in the admin; ``todo_project/staff/`` wraps every staff page.

The task pages are in ``tasks/admin.py`` and ``tasks/staff/``.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

# The lookups that the links of Django's ``list_filter`` use
FILTERS = {
    *("is_staff__exact", "is_superuser__exact", "is_active__exact"),
    *("groups__id__exact", "groups__isnull"),
}

admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """Django's ``UserAdmin``, except that an account with admin log entries cannot be deleted."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the lookups that the filters use."""
        return lookup in FILTERS

    def get_deleted_objects(self, objs: Iterable[User], request: HttpRequest) -> Any:
        """Protect accounts that have log entries: Django would delete the entries too.

        The entries are not listed: an account may have a million.
        """
        accounts = User.objects.filter(pk__in=[account.pk for account in objs])
        entries = LogEntry.objects.filter(user=OuterRef("pk"))
        if protected := list(accounts.filter(Exists(entries))):
            why = "the admin log has entries of this account; clear “active” instead"
            return [], {}, set(), [f"{account}: {why}" for account in protected]
        return super().get_deleted_objects(objs, request)  # type: ignore[arg-type]  # the stubs ask for a QuerySet


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin):
    """Django's ``GroupAdmin``, whose list has no filters."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no lookup."""
        return False
