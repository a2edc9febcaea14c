"""The six endpoints."""

import re
from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpResponse
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from authn.principals import Principal
from tasks import plans
from tasks.etags import TaskChangedError, entity_tag, is_known, is_match
from tasks.idempotency import add_once, idempotency_key, posted_again
from tasks.list_options import read_options
from tasks.models import MAX_TASK_ID, Task, TaskQuerySet, TaskRow, added
from tasks.parsing import read_json
from tasks.rendering import encode_task, encode_tasks
from tasks.serializers import TaskSerializer
from tasks.statements import Statement
from tasks.viewsets import LeanViewSet

TASK_ID = re.compile(r"[1-9][0-9]{0,18}")  # as many digits as the column holds

# Made once: a serializer copies all its fields, and validating changes nothing in it.
CREATE = TaskSerializer()
UPDATE = TaskSerializer(partial=True)
EMPTY: Mapping[str, str] = {}


class TaskViewSet(LeanViewSet):
    """The tasks of the caller: list, create, read, update, delete, flip.

    Every endpoint goes through ``get_queryset``, the one source of what the caller can see. Each
    runs exactly one statement.

    Source: docs/contract.md, "Six endpoints and a health check"; FR-013 to FR-015.
    """

    queryset = Task.objects.none()  # a forgotten get_queryset shows nothing
    serializer_class = TaskSerializer
    # A plain OPTIONS is a wrong method like any other.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def get_queryset(self) -> TaskQuerySet:
        """Return the tasks of the token's user."""
        return Task.objects.owned_by(self._user_id)

    def list(self, request: Request, **kwargs: str) -> HttpResponse:
        """Return all tasks, oldest first, or those that the options ask for."""
        if not request.META["QUERY_STRING"]:
            rows = self._prepared(plans.read_all).run(owner=self._user_id)
            return self._answer(encode_tasks(rows))
        options = read_options(request.query_params)
        page = options.page(self.get_queryset())
        link = options.link_header(page)
        return self._answer(encode_tasks(page.tasks), headers={"Link": link} if link else EMPTY)

    def create(self, request: Request, **kwargs: str) -> HttpResponse:
        """Create a task, unless it is one that was created before."""
        body = read_json(request._request)
        key = idempotency_key(request._request)
        values = CREATE.run_validation(body)
        if key is not None:
            task, is_replay = add_once(self.get_queryset(), self._user_id, key, body, values)
        else:
            again = posted_again(self.get_queryset, body, values)
            task, is_replay = again or self.perform_create(values), again is not None
        replayed = {"Idempotent-Replayed": "true"} if is_replay else EMPTY
        return self._answer(encode_task(task), status.HTTP_201_CREATED, replayed)

    def perform_create(self, values: Mapping[str, Any]) -> TaskRow:
        """Stamp the owner, who is the token's user whatever the body says."""
        return added(self._prepared(plans.add), user_id=self._user_id, **values)

    def retrieve(self, request: Request, **kwargs: str) -> HttpResponse:
        """Return one task."""
        return self._answer(encode_task(self._one()))

    def update(self, request: Request, **kwargs: str) -> HttpResponse:
        """Write the fields that are sent."""
        values = UPDATE.run_validation(read_json(request._request))
        return self._answer(encode_task(self._write(plans.write, **values)))

    def destroy(self, request: Request, **kwargs: str) -> HttpResponse:
        """Delete a task for good."""
        self._write(plans.remove)
        return _empty(status.HTTP_204_NO_CONTENT, EMPTY)

    def complete(self, request: Request, **kwargs: str) -> HttpResponse:
        """Flip ``completed``."""
        return self._answer(encode_task(self._write(plans.flip)))

    @property
    def _user_id(self) -> str:
        """The token's user, whom the permission has found to be the path's."""
        return cast(Principal, self.request.user).id

    @property
    def _task_id(self) -> int:
        """The id in the path.

        Raises:
            NotFound: what stands there is none, and so a missing task like any other.
        """
        text = self.kwargs["task_id"]
        if not TASK_ID.fullmatch(text) or (task_id := int(text)) > MAX_TASK_ID:
            raise NotFound("Task not found")
        return task_id

    def _prepared(self, plan: plans.Plan, *fields: str) -> Statement:
        return plans.prepared(type(self), type(self).get_queryset, plan, *fields)

    def _one(self) -> TaskRow:
        """Read the task in the path.

        Raises:
            NotFound: it is not there.
        """
        rows = self._prepared(plans.read_one).run(owner=self._user_id, task_id=self._task_id)
        if not rows:
            raise NotFound("Task not found")
        return TaskRow._make(rows[0])

    def _write(self, plan: plans.Plan, **values: Any) -> tuple[Any, ...]:
        """Run a plan that writes the task in the path; return what it returns of it.

        Raises:
            NotFound: it is not there.
            TaskChangedError: ``If-Match`` names another version.
        """
        task_id = self._task_id
        header = self.request.META.get("HTTP_IF_MATCH", "*")
        is_any = header.strip() == "*"  # or none: the task need only be there
        if is_any:
            statement = self._prepared(plan, *values)
        else:
            task = self._one()
            if not is_match(header, entity_tag(encode_task(task))):
                raise TaskChangedError
            statement = plan(self.get_queryset().unchanged_since(task), *values)
        values |= {"owner": self._user_id, "task_id": task_id, "now": statement.now()}
        rows = statement.run(**values)
        if rows:
            return rows[0]
        if not is_any:
            self._one()  # a 404 where it has gone, and not another version
            raise TaskChangedError
        raise NotFound("Task not found")

    def _answer(
        self, content: bytes, status: int = 200, headers: Mapping[str, str] = EMPTY
    ) -> HttpResponse:
        """Send what a client asked for, or that it has it already."""
        tag = entity_tag(content, headers.get("Link", "").encode())
        headers = {**headers, "ETag": tag}
        known = self.request.META.get("HTTP_IF_NONE_MATCH")
        if known and self.request.method in ("GET", "HEAD") and is_known(known, tag):
            return _empty(304, headers)
        return HttpResponse(content, "application/json", status, headers=headers)


def _empty(status: int, headers: Mapping[str, str]) -> HttpResponse:
    """Answer without a body, and so without its type."""
    response = HttpResponse(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response
