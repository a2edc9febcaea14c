"""Lists that stay quick when the table is long."""

import json
from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest

from tasks.staff.owners import attach_owners

# Up to here results are counted, beyond they are estimated.
MAX_COUNTED = 10_000


class About(int):
    """A number that says that it is an estimate."""

    def __str__(self) -> str:
        # The planner knows little of words, and guesses less than what has been read.
        return f"about {int(self):,}" if self > MAX_COUNTED + 1 else f"more than {MAX_COUNTED:,}"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # it takes none when it runs
    """Pages without a count of everything.

    The first results' ids are read once, however dear that is, such as for a search by words. They
    are the count, if they are all, and the pages, as far as they reach. Where there are more, the
    planner's estimate is the count, and a page is read by its offset.

    Source: issue "Staff and operators": under a second at a million tasks, no exact count.
    """

    object_list: QuerySet[Any]

    @cached_property
    def first_ids(self) -> list[int]:
        """The ids of the first results, one more than are counted."""
        return list(self.object_list.values_list("pk", flat=True)[: MAX_COUNTED + 1])

    @cached_property
    def count(self) -> int:
        """The number of results, or an estimate that is never below what has been read."""
        counted = len(self.first_ids)
        if counted <= MAX_COUNTED:
            return counted
        if connections[self.object_list.db].vendor == "sqlite":  # its planner makes no estimate
            return self.object_list.count()
        [plan] = json.loads(self.object_list.order_by().explain(format="json"))
        return About(max(counted, plan["Plan"]["Plan Rows"]))

    def page(self, number: Any) -> "Page[Any]":
        """Return a page, by its ids where they are known."""
        number = self.validate_number(number)
        end = number * self.per_page
        span = slice(end - self.per_page, end)
        if end > MAX_COUNTED and len(self.first_ids) > MAX_COUNTED:
            # The ids alone: an index has them all, so that no row is read to be left out.
            ids = list(self.object_list.values_list("pk", flat=True)[span])
        else:
            ids = self.first_ids[span]
        return Page(list(self.object_list.filter(pk__in=ids)), number, self)


class TaskChangeList(ChangeList):
    """A page of tasks, with their owners looked up at once."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """Sort by nothing that the list does not offer, whatever the address says."""
        if field_name not in (self.sortable_by or ()):
            return None
        return super().get_ordering_field(field_name)

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, also where it is the only one, which Django would read anew."""
        super().get_results(request)
        tasks = self.result_list if self.multi_page else self.paginator.page(1).object_list
        attach_owners(tasks)
        self.result_list = tasks
