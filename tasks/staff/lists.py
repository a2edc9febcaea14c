"""A paginator and a change list that stay fast on a large table."""

import json
from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest

from tasks.staff.owners import attach_owners

# Up to this many results are counted exactly; on PostgreSQL, a larger number is estimated.
MAX_COUNTED = 10_000


class Estimate(int):
    """A number that is displayed as an estimate."""

    def __str__(self) -> str:
        # For a text search, the planner may estimate fewer rows than were already read.
        return f"about {int(self):,}" if self > MAX_COUNTED + 1 else f"more than {MAX_COUNTED:,}"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Pagination without a ``COUNT(*)`` on PostgreSQL.

    One query reads the ids of the first results. If there are no more results, their number is the
    exact count; otherwise, the count is the planner's estimate (on SQLite, a ``COUNT(*)``). The
    first pages use these ids; the ids of later pages are read by offset.
    """

    object_list: QuerySet[Any]

    @cached_property
    def first_ids(self) -> list[int]:
        """The ids of the first results, at most ``MAX_COUNTED + 1``."""
        return list(self.object_list.values_list("pk", flat=True)[: MAX_COUNTED + 1])

    @cached_property
    def count(self) -> int:
        """The number of results, or an estimate of at least the number already read."""
        counted = len(self.first_ids)
        if counted <= MAX_COUNTED:
            return counted
        if connections[self.object_list.db].vendor == "sqlite":  # its planner has no estimates
            return self.object_list.count()
        [plan] = json.loads(self.object_list.order_by().explain(format="json"))
        return Estimate(max(counted, plan["Plan"]["Plan Rows"]))

    def page(self, number: Any) -> "Page[Any]":
        """Return a page; its rows are read by id."""
        number = self.validate_number(number)
        end = number * self.per_page
        span = slice(end - self.per_page, end)
        if end > MAX_COUNTED and len(self.first_ids) > MAX_COUNTED:
            # Select only ids: an index-only scan skips rows without reading them.
            ids = list(self.object_list.values_list("pk", flat=True)[span])
        else:
            ids = self.first_ids[span]
        return Page(list(self.object_list.filter(pk__in=ids)), number, self)


class TaskChangeList(ChangeList):
    """A page of tasks, with their owners read in one query."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """Ignore sort fields in the query string that are not in ``sortable_by``."""
        if field_name not in (self.sortable_by or ()):
            return None
        return super().get_ordering_field(field_name)

    def get_results(self, request: HttpRequest) -> None:
        """Read the page and its owners; even a single page is read by id, not searched again."""
        super().get_results(request)
        tasks = self.result_list if self.multi_page else self.paginator.page(1).object_list
        attach_owners(tasks)
        self.result_list = tasks
