"""What the lean dispatch leaves behind: nothing."""

import gc
import io
import weakref
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from rest_framework.request import Request

from conftest import mint
from tasks.views import TaskViewSet


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        pytest.param("/api/alice/tasks", "alice", "200", id="list"),
        pytest.param("/api/alice/tasks/1", "alice", "404", id="missing"),
        pytest.param("/api/alice/tasks", "bob", "403", id="somebody else's"),
        pytest.param("/api/alice/tasks", None, "401", id="no token"),
        pytest.param("/api/alice/tasks?limit=0", "alice", "422", id="bad"),
    ],
)
def test_a_request_is_let_go_at_once(
    monkeypatch: pytest.MonkeyPatch, path: str, token: str | None, status: str
) -> None:
    """Nothing may wait for the garbage collector (issue "Faster than FastAPI")."""
    left: list[weakref.ref[Any]] = []
    initial = TaskViewSet.initial

    def watched(self: TaskViewSet, request: Request, *args: Any, **kwargs: Any) -> None:
        left.extend(map(weakref.ref, (self, request, request._request)))
        initial(self, request, *args, **kwargs)

    monkeypatch.setattr(TaskViewSet, "initial", watched)
    answered = []
    path_info, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path_info,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        **({"HTTP_AUTHORIZATION": f"Bearer {mint(token)}"} if token else {}),
    }
    serve: Any = WSGIHandler()
    gc.disable()
    try:
        response = serve(environ, lambda status, headers, *_: answered.append(status))
        response.close()
        del response, environ
        assert [each() for each in left] == [None] * 3
    finally:
        gc.enable()
    assert [each.partition(" ")[0] for each in answered] == [status]
