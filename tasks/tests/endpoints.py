"""The table of endpoints: who gets which status where."""

from typing import Any, NamedTuple

from conftest import ApiClient


class Endpoint(NamedTuple):
    """A method on a route of ``tasks.urls``.

    Args:
        route: its name.
        method: HTTP's.
        path: with the ids of a user and of a task to be filled in.
        owner: the status that the task's owner gets.
        other: the status that somebody else gets on a path of their own, with the owner's task.
        body: what is sent.
    """

    route: str
    method: str
    path: str
    owner: int
    other: int
    body: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"

    def send(self, client: ApiClient, user: str, task: object, **headers: str) -> Any:
        """Call it, with the ids of a user and of a task filled in."""
        path = self.path.format(user=user, task=task)
        return client.send(self.method, path, self.body, **headers)


LIST = "/api/{user}/tasks"
TASK = "/api/{user}/tasks/{task}"
FLIP = "/api/{user}/tasks/{task}/complete"

ENDPOINTS = [
    Endpoint("tasks", "GET", LIST, 200, 200),
    Endpoint("tasks", "POST", LIST, 201, 201, {"title": "New"}),
    Endpoint("task", "GET", TASK, 200, 404),
    Endpoint("task", "PUT", TASK, 200, 404, {"title": "New", "completed": True}),
    Endpoint("task", "DELETE", TASK, 204, 404),
    Endpoint("task-complete", "PATCH", FLIP, 200, 404),
]
ON_ONE_TASK = [endpoint for endpoint in ENDPOINTS if endpoint.other == 404]
WRITES = [endpoint for endpoint in ON_ONE_TASK if endpoint.method != "GET"]
