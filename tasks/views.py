"""The six endpoints."""

import re
from collections.abc import Mapping
from typing import Any, cast

from django.db.models import F
from django.http import HttpResponse
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from authn.principals import Principal
from tasks.bodies import read_json
from tasks.models import MAX_TASK_ID, Task, TaskQuerySet, TaskRow
from tasks.options import read_options
from tasks.pages import read_page
from tasks.representation import encode_task, encode_tasks
from tasks.retries import add_once, idempotency_key, posted_again
from tasks.serializers import TaskSerializer
from tasks.versions import TaskChangedError, entity_tag, is_known, is_match

TASK_ID = re.compile(r"[1-9][0-9]{0,18}")  # as many digits as the column holds

# Made once: a serializer copies all its fields, and validating changes nothing in it.
CREATE = TaskSerializer()
UPDATE = TaskSerializer(partial=True)
EMPTY: Mapping[str, str] = {}


class TaskViewSet(GenericViewSet[Task]):
    """The tasks of the caller: list, create, read, update, delete, flip.

    Every endpoint goes through ``get_queryset``, the one source of what the caller can see. Each
    runs exactly one statement.

    Source: contract.md "Six endpoints and a health check"; FR-013 to FR-015.
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
            return self._answer(encode_tasks(self.get_queryset().order_by("id").rows()))
        page, link = read_page(self.get_queryset(), read_options(request.query_params))
        return self._answer(encode_tasks(page), headers={"Link": link} if link else {})

    def create(self, request: Request, **kwargs: str) -> HttpResponse:
        """Create a task, unless it is one that was created before."""
        body = read_json(request._request)
        key = idempotency_key(request.headers)
        values = CREATE.run_validation(body)
        if key is not None:
            task, is_replay = add_once(self.get_queryset(), self._user_id, key, body, values)
        else:
            again = posted_again(self.get_queryset(), body, values)
            task, is_replay = again or self.perform_create(values), again is not None
        replayed = {"Idempotent-Replayed": "true"} if is_replay else {}
        return self._answer(encode_task(task), status.HTTP_201_CREATED, replayed)

    def perform_create(self, values: Mapping[str, Any]) -> TaskRow:
        """Stamp the owner, who is the token's user whatever the body says."""
        return Task.objects.add(user_id=self._user_id, **values)

    def retrieve(self, request: Request, **kwargs: str) -> HttpResponse:
        """Return one task."""
        return self._task_or_404(self._one().row())

    def update(self, request: Request, **kwargs: str) -> HttpResponse:
        """Write the fields that are sent."""
        values = UPDATE.run_validation(read_json(request._request))
        return self._task_or_404(self._one_version().change(**values))

    def destroy(self, request: Request, **kwargs: str) -> HttpResponse:
        """Delete a task for good."""
        if not self._one_version().remove():
            raise self._missing()
        return HttpResponse(status=status.HTTP_204_NO_CONTENT)

    def complete(self, request: Request, **kwargs: str) -> HttpResponse:
        """Flip ``completed``."""
        return self._task_or_404(self._one_version().change(completed=~F("completed")))

    def finalize_response(  # type: ignore[override]  # DRF takes any of Django's; its stubs do not
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Let a browser keep what was read, and ask each time whether it still holds."""
        super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        if request.method in ("GET", "HEAD") and response.status_code in (200, 304):
            response["Cache-Control"] = "private, no-cache"
        return response

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Leave ``Allow`` to the 405, which is the one answer that owes it (RFC 9110 §15.5.6)."""
        return {}

    @property
    def _user_id(self) -> str:
        """The token's user, whom the permission has found to be the path's."""
        return cast(Principal, self.request.user).id

    def _one(self) -> TaskQuerySet:
        """Narrow the scope to the task in the path; what is no id at all is a missing task."""
        task_id = self.kwargs["task_id"]
        if not TASK_ID.fullmatch(task_id) or int(task_id) > MAX_TASK_ID:
            return self.get_queryset().none()
        return self.get_queryset().filter(pk=int(task_id))

    def _one_version(self) -> TaskQuerySet:
        """Narrow the scope further, to the version that ``If-Match`` names, if it is sent.

        Raises:
            TaskChangedError: the task that is there is another.
        """
        header = self._if_match
        if header is None:
            return self._one()
        task = self._one().row()
        if task is None:
            raise NotFound("Task not found")
        if not is_match(header, entity_tag(encode_task(task))):
            raise TaskChangedError
        return self._one().unchanged_since(task)

    @property
    def _if_match(self) -> str | None:
        """The header where it can refuse anything: ``*`` asks only that the task is there."""
        header: str | None = self.request.META.get("HTTP_IF_MATCH")
        return None if header is None or header.strip() == "*" else header

    def _missing(self) -> APIException:
        """Tell why a write met nothing: the task was changed a moment ago, or is not there."""
        if self._if_match is not None and self._one().exists():
            return TaskChangedError()
        return NotFound("Task not found")

    def _task_or_404(self, task: TaskRow | None) -> HttpResponse:
        if task is None:
            raise self._missing()
        return self._answer(encode_task(task))

    def _answer(
        self, content: bytes, status: int = 200, headers: Mapping[str, str] = EMPTY
    ) -> HttpResponse:
        """Send what a client asked for, or that it has it already."""
        tag = entity_tag(content, headers.get("Link", "").encode())
        headers = {**headers, "ETag": tag}
        known = self.request.META.get("HTTP_IF_NONE_MATCH")
        if known and self.request.method in ("GET", "HEAD") and is_known(known, tag):
            response = HttpResponse(status=304, headers=headers)
            del response["Content-Type"]
            return response
        return HttpResponse(content, "application/json", status, headers=headers)
