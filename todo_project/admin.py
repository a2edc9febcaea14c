"""The accounts of staff."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]  # it takes none when it runs
    """Django's own pages, which keep the accounts that the record names.

    Source: issue "Staff and operators", audit trail.
    """

    def get_deleted_objects(self, objs: Iterable[User], request: HttpRequest) -> Any:
        """Refuse to delete who has changed something: the record of it would go, too.

        It may be of a million tasks, which Django would read and list first.
        """
        accounts = User.objects.filter(pk__in=[account.pk for account in objs])
        entries = LogEntry.objects.filter(user=OuterRef("pk"))
        if named := list(accounts.filter(Exists(entries))):
            why = "what this account has changed is on record; take the mark “active” away instead"
            return [], {}, set(), [f"{account}: {why}" for account in named]
        return super().get_deleted_objects(objs, request)  # type: ignore[arg-type]  # stubs
