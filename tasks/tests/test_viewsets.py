"""The lean dispatch creates no reference cycles."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.test import RequestFactory

from conftest import mint
from tasks.tests.tables import wrong_rows
from tasks.views import TaskViewSet

# path, token's user, status
REQUESTS = [
    ("/api/alice/tasks", "alice", 200),
    ("/api/alice/tasks/1", "alice", 404),
    ("/api/alice/tasks", "bob", 403),
    ("/api/alice/tasks", None, 401),
    ("/api/alice/tasks?limit=0", "alice", 422),
]


@pytest.fixture
def _no_garbage_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_garbage_collector")
def test_a_request_leaves_nothing_to_the_garbage_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The view and its request must be freed with the response."""
    left: list[weakref.ref[Any]] = []
    initial = TaskViewSet.initial

    def watched(self: TaskViewSet, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        left[:] = map(weakref.ref, (self, request))
        initial(self, request, *args, **kwargs)

    monkeypatch.setattr(TaskViewSet, "initial", watched)
    serve: Any = WSGIHandler()

    def freed(row: tuple[str, str | None, int]) -> Any:
        left.clear()
        path, user, status = row
        headers = {"Authorization": f"Bearer {mint(user)}"} if user else None
        environ = RequestFactory().get(path, headers=headers).environ
        response = serve(environ, lambda *_: None)
        response.close()
        is_expected = response.status_code == status
        del response, environ
        return is_expected, [each() for each in left]

    assert wrong_rows(REQUESTS, freed, (True, [None] * 2)) == []
