"""The six endpoints."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import NotFound

from authn.principals import Principal
from tasks.etags import TaskChangedError, entity_tag, is_match, is_not_modified
from tasks.idempotency import create_once, find_posted_copy, idempotency_key
from tasks.list_options import read_options
from tasks.models import MAX_TASK_ID, Task, TaskQuerySet, TaskRow
from tasks.parsing import read_flag, read_json
from tasks.rendering import encode_task, encode_tasks
from tasks.serializers import TaskSerializer
from tasks.statements import Parameter, Statement, parameter
from tasks.viewsets import LeanViewSet

TASK_ID = re.compile(r"[1-9][0-9]{0,18}")  # as many digits as MAX_TASK_ID has

# Instantiated once, because each instance copies all fields; validation does not change them.
CREATE = TaskSerializer()
UPDATE = TaskSerializer(partial=True)
NO_HEADERS: Mapping[str, str] = {}

# The SQL of the six endpoints, compiled from the tasks that a request can access
ACTIONS: Mapping[str, Callable[..., Statement]] = {
    "list": lambda tasks: tasks.order_by("id").compile_select(),
    "create": TaskQuerySet.compile_insert,
    "retrieve": TaskQuerySet.compile_select,
    "update": lambda tasks, *fields: tasks.compile_update(**{f: parameter(f) for f in fields}),
    "destroy": TaskQuerySet.compile_delete,
    "complete": lambda tasks: tasks.compile_update(completed=~F("completed")),
}


@lru_cache(maxsize=64)  # one entry for each action, and for each set of updated fields
def compiled(
    view: "type[TaskViewSet]",
    get_queryset: "Callable[[TaskViewSet], TaskQuerySet]",
    action: str,
    *fields: str,
) -> Statement:
    """Compile the SQL of an action once, for every caller and task.

    Args:
        view: the view set.
        get_queryset: its method, which may depend only on the caller's id. It is part of the cache
            key, so that an override or a patched method is compiled separately.
        action: a key of ``ACTIONS``.
        fields: the names of the updated fields.

    Returns:
        A statement. Its parameters are those of ``now``, ``owner``, ``task_id`` and ``fields`` that
        the action needs; for ``create``, they are ``now`` and the editable fields.

    Source: docs/decisions/0003-compiled-statements.md.
    """
    owner = Parameter("owner")
    request = cast(Any, SimpleNamespace(user=Principal(owner)))
    tasks = get_queryset(view(request=request, kwargs={"user_id": owner}))
    if action not in ("list", "create"):
        tasks = tasks.filter(pk=parameter("task_id"))
    return ACTIONS[action](tasks, *fields)


class TaskViewSet(LeanViewSet):
    """The caller's tasks: list, create, retrieve, update, destroy, complete.

    Every endpoint starts from ``get_queryset``, the only source of what the caller can see. A
    request that uses none of the contract's extensions runs one statement.

    Source: docs/contract.md, "Six endpoints and a health check"; FR-013 to FR-015.
    """

    queryset = Task.objects.none()  # without get_queryset, nothing is visible
    serializer_class = TaskSerializer
    # OPTIONS is not allowed; a preflight never reaches a view.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def get_queryset(self) -> TaskQuerySet:
        """Return the tasks of the token's user."""
        return Task.objects.owned_by(self._user_id)

    def list(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Return the tasks that the options select; by default all of them, oldest first."""
        if not request.META["QUERY_STRING"]:
            return self._respond(encode_tasks(self._compiled("list").run(owner=self._user_id)))
        options = read_options(request.GET)
        page = options.page(self.get_queryset())
        link = options.link_header(page)
        return self._respond(
            encode_tasks(page.tasks), headers={"Link": link} if link else NO_HEADERS
        )

    def create(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Create a task, or return the one that an earlier request created."""
        body = read_json(request)
        key = idempotency_key(request)
        values = CREATE.run_validation(body)
        if key is not None:
            task, is_replay = create_once(self.get_queryset(), self._user_id, key, body, values)
        else:
            copy = find_posted_copy(self.get_queryset, body, values)
            task, is_replay = copy or self.perform_create(values), copy is not None
        headers = {"Idempotent-Replayed": "true"} if is_replay else NO_HEADERS
        return self._respond(encode_task(task), status.HTTP_201_CREATED, headers)

    def perform_create(self, values: Mapping[str, Any]) -> TaskRow:
        """Insert a task owned by the token's user, regardless of the body."""
        statement = self._compiled("create")
        [row] = statement.run(user_id=self._user_id, now=timezone.now(), **values)
        return TaskRow._make(row)

    def retrieve(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Return a task."""
        return self._respond(encode_task(self._retrieve()))

    def update(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Update the given fields."""
        values = UPDATE.run_validation(read_json(request))
        return self._respond(encode_task(self._write("update", **values)))

    def destroy(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Delete a task."""
        self._write("destroy")
        return _empty_response(status.HTTP_204_NO_CONTENT, NO_HEADERS)

    def complete(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Flip ``completed``, or set it to the value in the body, if there is one."""
        completed = read_flag(request, "completed")
        if completed is None:
            return self._respond(encode_task(self._write("complete")))
        return self._respond(encode_task(self._write("update", completed=completed)))

    @property
    def _user_id(self) -> str:
        """The id of the token's user; the permission class has compared it with the path's."""
        return cast(Principal, self.request.user).id

    @property
    def _task_id(self) -> int:
        """The id in the path.

        Raises:
            NotFound: the path has no valid id.
        """
        text = self.kwargs["task_id"]
        if not TASK_ID.fullmatch(text) or (task_id := int(text)) > MAX_TASK_ID:
            raise NotFound("Task not found")
        return task_id

    def _compiled(self, action: str, *fields: str) -> Statement:
        return compiled(type(self), type(self).get_queryset, action, *fields)

    def _retrieve(self) -> TaskRow:
        """Read the task in the path.

        Raises:
            NotFound: the caller has no such task.
        """
        rows = self._compiled("retrieve").run(owner=self._user_id, task_id=self._task_id)
        if not rows:
            raise NotFound("Task not found")
        return TaskRow._make(rows[0])

    def _write(self, action: str, **values: Any) -> tuple[Any, ...]:
        """Run a write on the task in the path and return its ``RETURNING`` row.

        Raises:
            NotFound: the caller has no such task.
            TaskChangedError: ``If-Match`` does not match the current version.
        """
        task_id = self._task_id
        header = self.request.META.get("HTTP_IF_MATCH", "*").strip()
        if header == "*":  # or absent: any version will do
            statement = self._compiled(action, *values)
        else:
            task = self._retrieve()
            if not is_match(header, entity_tag(encode_task(task))):
                raise TaskChangedError
            statement = ACTIONS[action](self.get_queryset().unchanged_since(task), *values)
        rows = statement.run(owner=self._user_id, task_id=task_id, now=timezone.now(), **values)
        if rows:
            return rows[0]
        if header != "*":
            self._retrieve()  # raises NotFound if the task has been deleted
            raise TaskChangedError
        raise NotFound("Task not found")

    def _respond(
        self, content: bytes, status: int = 200, headers: Mapping[str, str] = NO_HEADERS
    ) -> HttpResponse:
        """Return a response with an ``ETag``, or a 304 to a GET if the client has this version."""
        tag = entity_tag(content, headers.get("Link", "").encode())
        headers = {**headers, "ETag": tag}
        known = self.request.META.get("HTTP_IF_NONE_MATCH")
        if known and self.request.method in ("GET", "HEAD") and is_not_modified(known, tag):
            return _empty_response(304, headers)
        return HttpResponse(content, "application/json", status, headers=headers)


def _empty_response(status: int, headers: Mapping[str, str]) -> HttpResponse:
    """Return a response without a body, and therefore without a content type."""
    response = HttpResponse(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response
