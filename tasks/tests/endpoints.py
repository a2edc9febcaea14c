"""The table of endpoints, with the status that each caller gets."""

from typing import Any, NamedTuple

from conftest import ApiClient


class Endpoint(NamedTuple):
    """A method of a route in ``tasks.urls``.

    Args:
        route: the name of the route.
        method: the HTTP method.
        path: the path, with placeholders for a user id and a task id.
        owner: the status for the owner of the task.
        other: the status for another user who sends the same request on their own path.
        body: the JSON body.
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
        """Send the request to the path with the given user id and task id."""
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
    Endpoint("task", "PATCH", TASK, 200, 404, {"title": "New", "completed": True}),
    Endpoint("task", "DELETE", TASK, 204, 404),
    Endpoint("task-complete", "PATCH", FLIP, 200, 404),
]
ON_ONE_TASK = [endpoint for endpoint in ENDPOINTS if endpoint.other == 404]
WRITES = [endpoint for endpoint in ON_ONE_TASK if endpoint.method != "GET"]
