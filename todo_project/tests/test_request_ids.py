"""Request ids, on every answer and every line of the log (contract.md "What goes beyond")."""

import io
import json
import logging
import re
from typing import Any

import pytest

from conftest import FRONT_END, ApiClient
from tasks.views import TaskViewSet

TASKS = "/api/alice/tasks"
FRESH = re.compile(r"[0-9a-f]{32}")
NAME = "X-Request-ID"


@pytest.mark.parametrize("sent", ["a", "Z", "0", "-", "_", ".", "A-b_c.9", "x" * 128])
def test_an_id_of_the_accepted_form_is_kept(anybody: ApiClient, sent: str) -> None:
    """1 to 128 characters of ``A-Za-z0-9._-`` must come back."""
    assert anybody.send("GET", "/health", **{NAME: sent})[NAME] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "x" * 129,
        "a b",
        " ",
        "a/b",
        "a,b",
        "a:b",
        "a\n",
        "a\r\nb",
        "\x00",
        "ä",
        "\u0663",
        "<a>",
        "%41",
    ],
)
def test_an_id_of_any_other_form_is_replaced(anybody: ApiClient, sent: str) -> None:
    """What is no id must not reach the answer or the log."""
    answer = anybody.send("GET", "/health", **{NAME: sent})

    assert FRESH.fullmatch(answer[NAME])


def test_a_request_without_an_id_gets_a_fresh_one_each_time(anybody: ApiClient) -> None:
    """Two requests must not share an id."""
    assert len({anybody.get("/health")[NAME] for _ in range(10)}) == 10


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", TASKS, {}, 200),
        ("HEAD", TASKS, {}, 200),
        ("GET", TASKS, {"Host": "a b"}, 400),
        ("POST", TASKS, {}, 400),
        ("GET", TASKS, {"Authorization": "Bearer x"}, 401),
        ("GET", "/api/bob/tasks", {}, 403),
        ("GET", f"{TASKS}/1", {}, 404),
        ("DELETE", f"{TASKS}/1", {}, 404),
        ("GET", "/nowhere", {}, 404),
        ("PUT", TASKS, {}, 405),
        ("OPTIONS", TASKS, {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}, 200),
    ],
)
def test_every_answer_carries_the_id(
    alice: ApiClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """An answer must be findable in the log, whatever it is."""
    answer = alice.generic(method, path, headers={**headers, NAME: "mine"})

    assert (answer.status_code, answer[NAME]) == (status, "mine")


def test_a_path_refused_before_the_routes_carries_the_id(anybody: ApiClient) -> None:
    """The 404 of an encoded slash must be findable, too."""
    answer = anybody.get("/a%2Fb", headers={NAME: "mine"}, RAW_URI="/a%2Fb")

    assert (answer.status_code, answer[NAME]) == (404, "mine")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "headers", "reason"),
    [
        (TASKS, {}, None),
        (TASKS, {"Authorization": ""}, "missing_token"),
        (TASKS, {"Authorization": "Bearer x"}, "malformed"),
        ("/api/bob/tasks", {}, "user_mismatch"),
        (TASKS, {"Host": "a b"}, None),
    ],
)
def test_every_line_of_a_request_has_its_id(
    alice: ApiClient, log: io.StringIO, path: str, headers: dict[str, str], reason: str | None
) -> None:
    """What was logged for a request must be found by its id (SC-009)."""
    alice.send("GET", path, **{**headers, NAME: "mine"})

    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["request_id"], line["reason"]) == ("mine", reason)


def test_the_traceback_of_a_fault_stands_under_the_id(
    alice: ApiClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cause of a 500 must be found by the id in its answer."""

    def view(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(TaskViewSet, "list", view)

    answer = alice.send("GET", TASKS)

    fault, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert fault["exc_info"].startswith("Traceback")
    assert fault["request_id"] == request["request_id"] == answer[NAME]


def test_a_line_outside_of_a_request_has_no_id(anybody: ApiClient, log: io.StringIO) -> None:
    """A line must not carry the id of a request that is over."""
    anybody.send("GET", "/health", **{NAME: "over"})
    logging.getLogger("todo_project").info("afterwards")

    line = json.loads(log.getvalue().splitlines()[-1])
    assert (line["message"], line["request_id"]) == ("afterwards", None)
