"""The admin for tasks; ``todo_project/admin.py`` is the admin for staff accounts."""

import logging
import re
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from tasks import better_auth_users
from tasks.models import Task, TaskQuerySet
from tasks.serializers import WRITABLE_FIELDS
from tasks.staff import bulk
from tasks.staff.exports import csv_lines
from tasks.staff.forms import TaskForm
from tasks.staff.lists import BoundedPaginator, TaskChangeList
from tasks.staff.owners import owner_of
from tasks.staff.searches import search

logger = logging.getLogger(__name__)

OWNER_FIELDS = ("owner_email", "owner_name")
TASK_ID = re.compile(r"[0-9]{1,18}")
# The lookups that the links of ``list_filter`` use
FILTERS = {"completed__exact", "created_at__gte", "created_at__lt"}


@admin.register(Task)
class TaskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """The tasks of all users: search, edit, create on behalf of a user, bulk actions, export."""

    form = TaskForm
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet counts the whole table
    list_per_page = 50
    list_max_show_all = 0
    list_display_links = ("id", "title")
    list_filter = ("completed", "created_at")
    search_fields = ("user_id", "title")  # shows the search box; see get_search_results
    search_help_text = "An owner's id, e-mail address or name, or words of the title."
    ordering = ("-id",)  # newest first, from the primary key's index
    sortable_by = ("id",)  # any other order sorts the whole table
    actions = ("mark_completed", "mark_not_completed", "delete_selected", "export_as_csv")

    class Media:
        css = {"all": ("tasks/admin.css",)}

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Add the owner's e-mail address and name if Better Auth's table is available."""
        return (
            *("id", "title", "owner", *_owner_fields()),
            *("completed", "created_at", "updated_at"),
        )

    def get_fields(self, request: HttpRequest, obj: Task | None = None) -> tuple[str, ...]:
        """Show all fields of an existing task, and the form's fields for a new one."""
        if obj is None:
            return TaskForm.Meta.fields
        return (
            *("id", "owner", *_owner_fields()),
            *(*WRITABLE_FIELDS, "created_at", "updated_at"),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Task | None = None) -> tuple[str, ...]:
        """Make the owner, the id and the times of an existing task read-only."""
        if obj is None:
            return ()
        return ("id", "user_id", "owner", *OWNER_FIELDS, "created_at", "updated_at")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TaskChangeList]:
        """Use the change list that reads the owners of a page in one query."""
        return TaskChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> tuple[QuerySet[Task], bool]:
        """Search with ``tasks.staff.searches``, which returns no duplicates."""
        tasks = cast(TaskQuerySet, queryset)
        return (search(tasks, search_term) if search_term else tasks), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the lookups that the filters use."""
        return lookup in FILTERS

    @admin.display(description="Owner")
    def owner(self, task: Task) -> str:
        """Return the owner's id."""
        return task.user_id

    @admin.display(description="E-mail", empty_value="-")
    def owner_email(self, task: Task) -> str | None:
        """Return the owner's e-mail address."""
        return owner_of(task).email or None

    @admin.display(description="Name", empty_value="-")
    def owner_name(self, task: Task) -> str | None:
        """Return the owner's name."""
        return owner_of(task).name or None

    def save_model(self, request: HttpRequest, obj: Task, form: TaskForm, change: bool) -> None:
        """Create a task, or write only the changed fields, as the API does."""
        values = form.sent_values()
        if not change:
            obj.pk = Task.objects.add(**values).id
        elif values and Task.objects.filter(pk=obj.pk).change(**values) is None:
            raise Http404

    def response_action(  # type: ignore[override]  # stubs
        self, request: HttpRequest, queryset: QuerySet[Task], **location: Any
    ) -> Any:
        """Reject malformed ids in the action form.

        Django 6.1 passes ``action_location``, which 5.2 does not know.
        """
        if any(not TASK_ID.fullmatch(box) for box in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("a selected task has an invalid id")
        return super().response_action(request, queryset, **location)

    @admin.action(description="Mark completed", permissions=["change"])
    def mark_completed(self, request: HttpRequest, tasks: TaskQuerySet) -> None:
        """Mark the selected tasks as completed."""
        self._write(request, "marked completed", bulk.set_completed, tasks, True)

    @admin.action(description="Mark not completed", permissions=["change"])
    def mark_not_completed(self, request: HttpRequest, tasks: TaskQuerySet) -> None:
        """Mark the selected tasks as not completed."""
        self._write(request, "marked not completed", bulk.set_completed, tasks, False)

    @admin.action(description="Delete", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, tasks: TaskQuerySet) -> HttpResponseBase | None:
        """Ask for confirmation, then delete the selected tasks."""
        if request.POST.get("post"):
            self._write(request, "deleted", bulk.delete, tasks)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Delete tasks",
            "opts": self.opts,
            "count": BoundedPaginator(tasks, self.list_per_page).count,
            "tasks": tasks[:10],
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "admin/tasks/task/delete_selected.html", context)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_as_csv(self, request: HttpRequest, tasks: TaskQuerySet) -> StreamingHttpResponse:
        """Stream the selected tasks as a CSV file."""
        name = f"tasks-{timezone.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            csv_lines(tasks),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _write(
        self, request: HttpRequest, what: str, write: Callable[..., int], *arguments: Any
    ) -> None:
        """Write tasks, and tell how many were written."""
        try:
            count, rest, level = write(*arguments, request.user), "", messages.SUCCESS
        except bulk.IncompleteError as error:
            logger.warning(
                "A bulk action broke off after %d tasks: %s", error.written, error.__cause__
            )
            rest = " Then the database failed: the others are unchanged. Repeat the action."
            count, level = error.written, messages.ERROR
        tasks = "1 task was" if count == 1 else f"{count:,} tasks were"
        self.message_user(request, f"{tasks} {what}.{rest}", level)


def _owner_fields() -> tuple[str, ...]:
    return OWNER_FIELDS if better_auth_users.table_exists() else ()
