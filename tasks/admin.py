"""Everybody's tasks, for staff."""

import re
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

OWNER_FIELDS = ("owner_email", "owner_name")
MOMENT = "%Y-%m-%d %H:%M"
TASK_ID = re.compile(r"[0-9]{1,18}")
# What the links of the filters consist of
FILTERS = {"completed__exact", "created_at__gte", "created_at__lt"}


@admin.register(Task)
class TaskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes none when it runs
    """The tasks of all users: find, edit, create on behalf of somebody, change many, export.

    Source: issue "Staff and operators", the admin.
    """

    form = TaskForm
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would be a count of everything
    list_per_page = 50
    list_max_show_all = 0
    list_display_links = ("id", "title")
    list_filter = ("completed", "created_at")
    search_fields = ("user_id", "title")  # shows the box; get_search_results says what it finds
    search_help_text = "An owner's id, e-mail address or name, or words of the title."
    ordering = ("-id",)  # newest first, out of the primary key's index
    sortable_by = ("id",)  # another order would sort the whole table
    actions = ("mark_completed", "mark_not_completed", "delete_selected", "export_as_csv")

    class Media:
        css = {"all": ("tasks/admin.css",)}

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Show who the owner is, where Better Auth's table can tell."""
        return (
            *("id", "title", "owner", *_owner_fields()),
            *("completed", "created", "updated"),
        )

    def get_fields(self, request: HttpRequest, obj: Task | None = None) -> tuple[str, ...]:
        """Show everything of a task; of a new one, what can be chosen."""
        if obj is None:
            return TaskForm.Meta.fields
        return (
            *("id", "owner", *_owner_fields()),
            *(*WRITABLE_FIELDS, "created_at", "updated_at"),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Task | None = None) -> tuple[str, ...]:
        """Let nobody change whose task it is, nor its times."""
        if obj is None:
            return ()
        return ("id", "user_id", "owner", *OWNER_FIELDS, "created_at", "updated_at")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TaskChangeList]:
        """Read a page's owners at once."""
        return TaskChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> tuple[QuerySet[Task], bool]:
        """Search as ``tasks.staff.searches`` says; no task is found twice."""
        tasks = cast(TaskQuerySet, queryset)
        return (search(tasks, search_term) if search_term else tasks), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse conditions in the address that are none of the filters'."""
        return lookup in FILTERS

    @admin.display(description="Owner")
    def owner(self, task: Task) -> str:
        """Return the owner's id."""
        return task.user_id

    @admin.display(description="Created (UTC)")
    def created(self, task: Task) -> str:
        """Return when the task was created."""
        return f"{task.created_at:{MOMENT}}"

    @admin.display(description="Updated (UTC)")
    def updated(self, task: Task) -> str:
        """Return when the task was last changed."""
        return f"{task.updated_at:{MOMENT}}"

    @admin.display(description="E-mail", empty_value="-")
    def owner_email(self, task: Task) -> str | None:
        """Return the owner's e-mail address."""
        return owner_of(task).email or None

    @admin.display(description="Name", empty_value="-")
    def owner_name(self, task: Task) -> str | None:
        """Return the owner's name."""
        return owner_of(task).name or None

    def save_model(self, request: HttpRequest, obj: Task, form: TaskForm, change: bool) -> None:
        """Write as the API does: what was changed and nothing else, or a new task."""
        values = form.sent_values()
        if not change:
            obj.pk = Task.objects.add(**values).id
        elif values and Task.objects.filter(pk=obj.pk).change(**values) is None:
            raise Http404

    def response_action(  # type: ignore[override]  # stubs
        self, request: HttpRequest, queryset: QuerySet[Task]
    ) -> Any:
        """Refuse boxes that no page of ours has, before the database is asked for them."""
        if any(not TASK_ID.fullmatch(box) for box in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("a selected task has an id that no task can have")
        return super().response_action(request, queryset)

    @admin.action(description="Mark completed", permissions=["change"])
    def mark_completed(self, request: HttpRequest, tasks: TaskQuerySet) -> None:
        """Mark the selected tasks completed."""
        count = bulk.set_completed(tasks, True, request.user)
        self._report(request, count, "marked completed")

    @admin.action(description="Mark not completed", permissions=["change"])
    def mark_not_completed(self, request: HttpRequest, tasks: TaskQuerySet) -> None:
        """Mark the selected tasks not completed."""
        count = bulk.set_completed(tasks, False, request.user)
        self._report(request, count, "marked not completed")

    @admin.action(description="Delete", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, tasks: TaskQuerySet) -> HttpResponseBase | None:
        """Delete the selected tasks, once somebody has confirmed how many they are."""
        if request.POST.get("post"):
            self._report(request, bulk.delete(tasks, request.user), "deleted")
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
        """Send the selected tasks as a file."""
        name = f"tasks-{timezone.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            csv_lines(tasks),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _report(self, request: HttpRequest, count: int, what: str) -> None:
        tasks = "1 task was" if count == 1 else f"{count:,} tasks were"
        self.message_user(request, f"{tasks} {what}.", messages.SUCCESS)


def _owner_fields() -> tuple[str, ...]:
    return OWNER_FIELDS if better_auth_users.table_exists() else ()
