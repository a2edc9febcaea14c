"""The six endpoints."""

import re
from typing import Any, cast

from django.db.models import F
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from authn.principals import Principal
from tasks.bodies import read_json
from tasks.models import Task, TaskQuerySet
from tasks.serializers import TaskSerializer

TASK_ID = re.compile(r"[1-9][0-9]{0,18}")  # as many digits as the column holds
MAX_TASK_ID = 2**63 - 1


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

    def list(self, request: Request, **kwargs: str) -> Response:
        """Return all tasks, oldest first."""
        tasks = self.get_queryset().order_by("id")
        return Response(TaskSerializer(tasks, many=True).data)

    def create(self, request: Request, **kwargs: str) -> Response:
        """Create a task."""
        serializer = self._validated(partial=False)
        self.perform_create(serializer)
        return Response(serializer.data, status.HTTP_201_CREATED)

    def perform_create(self, serializer: TaskSerializer) -> None:
        """Stamp the owner, who is the token's user whatever the body says."""
        serializer.instance = Task.objects.add(user_id=self._user_id, **serializer.validated_data)

    def retrieve(self, request: Request, **kwargs: str) -> Response:
        """Return one task."""
        return self._task_or_404(self._one().first())

    def update(self, request: Request, **kwargs: str) -> Response:
        """Write the fields that are sent."""
        serializer = self._validated(partial=True)
        return self._task_or_404(self._one().change(**serializer.validated_data))

    def destroy(self, request: Request, **kwargs: str) -> Response:
        """Delete a task for good."""
        if not self._one().remove():
            raise NotFound("Task not found")
        return Response(status=status.HTTP_204_NO_CONTENT)

    def complete(self, request: Request, **kwargs: str) -> Response:
        """Flip ``completed``."""
        return self._task_or_404(self._one().change(completed=~F("completed")))

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Let a browser keep what was read, and ask each time whether it still holds."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method in ("GET", "HEAD") and response.status_code == status.HTTP_200_OK:
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

    def _validated(self, *, partial: bool) -> TaskSerializer:
        serializer = TaskSerializer(data=read_json(self.request._request), partial=partial)
        serializer.is_valid(raise_exception=True)
        return serializer

    def _one(self) -> TaskQuerySet:
        """Narrow the scope to the task in the path; what is no id at all is a missing task."""
        task_id = self.kwargs["task_id"]
        if not TASK_ID.fullmatch(task_id) or int(task_id) > MAX_TASK_ID:
            return self.get_queryset().none()
        return self.get_queryset().filter(pk=int(task_id))

    def _task_or_404(self, task: Task | None) -> Response:
        if task is None:
            raise NotFound("Task not found")
        return Response(TaskSerializer(task).data)
