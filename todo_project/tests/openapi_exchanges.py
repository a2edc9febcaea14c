"""Real requests to every endpoint, to compare their responses with the OpenAPI document."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
from django.core.cache import cache
from django.db import OperationalError
from pytest_django.fixtures import Settings

from authn.throttling import PerUserThrottle
from conftest import ApiClient, mint
from tasks.tests.factories import TaskFactory
from tasks.views import TaskViewSet

ALICE = "alice"
STALE = '"0123456789abcdef0123456789abcdef"'
BODIES = {"POST": {"title": "New"}, "PUT": {"title": "Changed"}, "PATCH": {"title": "Changed"}}
TOO_LARGE = {"title": "x" * 65_536}


class Exchange(NamedTuple):
    """A response, with the operation and the method of its request."""

    operation: str  # the endpoint's ``operationId``, even if the method is not the endpoint's
    method: str
    response: Any


class Endpoint(NamedTuple):
    """An operation of the document. Its path has placeholders for the user and the task."""

    operation: str  # its ``operationId``
    method: str
    path: str

    def send(
        self,
        client: ApiClient,
        task: int = 1,
        body: Any = None,
        *,
        method: str = "",
        query: str = "",
        user: str = ALICE,
        **headers: str,
    ) -> Exchange:
        """Send a request, by default with the endpoint's method and a valid body."""
        path = self.path.format(user_id=user, task_id=task) + query
        client.raise_request_exception = False  # return a 500 instead of raising the exception
        body = BODIES.get(self.method) if body is None else body
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        method = method or self.method
        return Exchange(self.operation, method, client.send(method, path, body, **names))


def endpoints(document: dict[str, Any]) -> dict[str, Endpoint]:
    """Return the operations of a document by ``operationId``."""
    return {
        operation["operationId"]: Endpoint(operation["operationId"], method.upper(), path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def exchanges(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[Exchange]:
    """Yield exchanges with every status that each endpoint can return."""
    found = endpoints(document)
    yield from _successes(found)
    yield from _invalid(found)
    for endpoint in found.values():
        yield from _refused_to_everyone(endpoint, monkeypatch, settings)
        if "{user_id}" in endpoint.path:
            yield from _refused_to_users(endpoint, monkeypatch)
    yield from _outages(found, monkeypatch)


def _successes(found: dict[str, Endpoint]) -> Iterator[Exchange]:
    def send(name: str, *args: Any, **kwargs: Any) -> Exchange:
        return found[name].send(ApiClient(ALICE), *args, **kwargs)

    for name in ("root", "health", "ready"):
        yield found[name].send(ApiClient())
        yield found[name].send(ApiClient(), method="HEAD", X_Request_ID="an-id")
    yield found["root"].send(ApiClient(), Accept="text/html")
    created = send("createTask", Idempotency_Key="a key")
    task = created.response.json()
    yield created
    yield send("createTask", Idempotency_Key="a key")
    for body in (task, *({"title": "x", "description": each} for each in ("", "Something", None))):
        yield send("createTask", body=body)
    read = send("readTask", task["id"])
    yield read
    yield send("readTask", task["id"], If_None_Match=read.response["ETag"])
    listed = send("listTasks", query="?limit=2&ordering=-title&completed=false")
    yield listed
    yield send("listTasks")
    yield send("listTasks", method="HEAD")
    query = listed.response["Link"].partition("<")[2].partition(">")[0]
    page = send("listTasks", query=query)
    yield page
    yield send("listTasks", query=query, If_None_Match=page.response["ETag"])
    yield send("listTasks", query="?status=open&sort=createdAt&order=desc&page=1&per_page=2")
    yield send("updateTask", task["id"], If_Match=read.response["ETag"])
    for name in ("updateTask", "patchTask"):
        yield send(name, task["id"], dict.fromkeys(("title", "completed", "description")))
    yield send("flipTask", task["id"])
    yield send("flipTask", task["id"], {"completed": True})
    writes = ("updateTask", "patchTask", "flipTask", "deleteTask")
    for name in writes:
        yield send(name, task["id"], If_Match=STALE)
    yield send("deleteTask", task["id"])
    for name in ("readTask", *writes):
        yield send(name, task["id"])
    yield send("createTask", Idempotency_Key="a key")


def _invalid(found: dict[str, Endpoint]) -> Iterator[Exchange]:
    alice, task = ApiClient(ALICE), TaskFactory.create(user_id=ALICE).id
    for query in ("?limit=0&completed=maybe", "?ordering=colour", "?cursor=x"):
        yield found["listTasks"].send(alice, query=query)
    wrong: list[Any] = [{"title": " ", "completed": 1}, [], {"title": "x" * 201}, {"title": 1}]
    for endpoint in (found["createTask"], found["updateTask"], found["patchTask"]):
        for body in (*wrong, "", "{", TOO_LARGE):
            yield endpoint.send(alice, task, body)
        path = endpoint.path.format(user_id=ALICE, task_id=task)
        text = alice.generic(endpoint.method, path, "title: x", content_type="text/plain")
        yield Exchange(endpoint.operation, endpoint.method, text)
    create = found["createTask"].send
    yield create(alice, body={"completed": "yes"})
    yield create(alice, Idempotency_Key="ключ")
    yield create(alice, Idempotency_Key="another key")
    yield create(alice, body={"title": "Other"}, Idempotency_Key="another key")


def _refused_to_everyone(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[Exchange]:
    alice = ApiClient(ALICE)
    yield endpoint.send(alice, method="OPTIONS")
    yield endpoint.send(alice, method="TRACE")
    hosts, settings.ALLOWED_HOSTS = settings.ALLOWED_HOSTS, ["api.example.com"]
    yield endpoint.send(alice)
    settings.ALLOWED_HOSTS = hosts
    with monkeypatch.context() as patched:
        bug = Mock(side_effect=RuntimeError("a bug"))
        patched.setattr(TaskViewSet, "get_queryset", bug)
        for name in ("health", "root"):
            patched.setattr(f"todo_project.status.{name}.JsonResponse", bug)
        yield endpoint.send(alice)


def _refused_to_users(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    for token in ("x", mint(ALICE, exp=1_700_000_000), mint(None)):
        yield endpoint.send(ApiClient(token=token))
    yield endpoint.send(ApiClient())
    yield endpoint.send(ApiClient("bob"))
    yield endpoint.send(ApiClient(ALICE), user="")
    with monkeypatch.context() as patched:
        patched.setattr(TaskViewSet, "throttle_classes", [PerUserThrottle])
        patched.setattr(PerUserThrottle, "THROTTLE_RATES", {"user": "1/hour"})
        cache.clear()
        endpoint.send(ApiClient(ALICE))
        yield endpoint.send(ApiClient(ALICE))
        cache.clear()


def _outages(found: dict[str, Endpoint], monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    outage = Mock(side_effect=OperationalError("the database is down"))
    monkeypatch.setattr(TaskViewSet, "get_queryset", outage)
    monkeypatch.setattr("todo_project.status.health.missing_migrations", outage)
    for endpoint in found.values():
        if endpoint.operation not in ("root", "health"):
            yield endpoint.send(ApiClient(ALICE))
