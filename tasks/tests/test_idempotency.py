"""``Idempotency-Key`` (contract.md "What goes beyond the plan", safe retries)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from time_machine import travel

from conftest import FRONT_END, ApiClient
from tasks.models import IdempotencyKey, Task, TaskQuerySet
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS

pytestmark = pytest.mark.django_db

NEW = {"title": "Buy milk", "description": "2 l", "completed": False}
REUSED = {
    "detail": [
        {
            "loc": ["header", "Idempotency-Key"],
            "msg": "was used for another request",
            "type": "value_error.idempotency",
        }
    ],
    "error": "Idempotency-Key: was used for another request",
}


def post(client: ApiClient, body: Any, key: str = "a-key", **headers: str) -> Any:
    """Create a task with a key."""
    return client.send("POST", TASKS, body, **{"Idempotency-Key": key, **headers})


def keys() -> list[tuple[Any, ...]]:
    """Read every stored key: what a refusal must leave as it was."""
    return list(IdempotencyKey.objects.order_by("id").values_list())


def test_the_same_request_again_gives_the_first_task_again(alice: ApiClient) -> None:
    """A create whose answer was lost must make no second task."""
    first, again, third = (post(alice, NEW) for _ in range(3))

    assert [answer.status_code for answer in (first, again, third)] == [201] * 3
    assert first.content == again.content == third.content
    assert first["ETag"] == again["ETag"]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == third["Idempotent-Replayed"] == "true"
    assert [row[0] for row in rows()] == [first.json()["id"]]


def test_a_page_may_read_that_an_answer_is_a_replay(alice: ApiClient) -> None:
    """The header must be among those that a page may read (contract.md "Cross-origin")."""
    post(alice, NEW)

    answer = post(alice, NEW, Origin=FRONT_END)

    assert "Idempotent-Replayed" in answer["Access-Control-Expose-Headers"]
    assert answer["Cache-Control"] == "no-store"


def test_without_a_key_the_same_request_makes_a_second_task(alice: ApiClient) -> None:
    """A client that knows nothing of keys must see nothing of them."""
    first, second = (alice.send("POST", TASKS, NEW) for _ in range(2))

    assert first.json()["id"] != second.json()["id"]
    assert "Idempotent-Replayed" not in second
    assert keys() == []


def test_another_key_makes_another_task(alice: ApiClient) -> None:
    """Keys must be compared exactly, their case and blanks inside included."""
    made = [post(alice, NEW, key) for key in ("key", "Key", "k ey", "k  ey", "key,key", "ke%79")]

    assert len({answer.json()["id"] for answer in made}) == len(made)


@pytest.mark.parametrize(
    "body",
    [
        {"title": "Buy bread", "description": "2 l", "completed": False},
        {"title": "Buy milk", "description": None, "completed": False},
        {"title": "Buy milk", "description": "2 l", "completed": True},
        {"title": "Buy milk", "description": "2 l"},
        {**NEW, "priority": 1},
        {**NEW, "id": 1001},
        {**NEW, "": None},
    ],
)
def test_a_key_stands_for_one_body(alice: ApiClient, body: Any) -> None:
    """Another body must be a 422 that makes nothing, an ignored field's difference included."""
    post(alice, NEW)
    before = rows(), keys()

    answer = post(alice, body)

    assert (answer.status_code, answer.json()) == (422, REUSED)
    assert "Idempotent-Replayed" not in answer
    assert (rows(), keys()) == before


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ('{"title":"a","completed":true}', ' {\n"completed" :true, "title": "a"}\t'),
        ('{"title":"é😀/"}', '{"title":"\\u00e9\\ud83d\\ude00\\/"}'),
        ('{"title":"a","n":1}', '{"title":"a","n":1.0}'),
        ('{"title":"a","n":100}', '{"title":"a","n":1e2}'),
        ('{"title":"a","n":0}', '{"title":"a","n":-0.0}'),
        ('{"title":"a","n":0.5}', '{"title":"a","n":5E-1}'),
        ('{"title":"a","n":[{"b":1,"a":2}]}', '{"n":[{"a":2.0,"b":1}],"title":"a"}'),
        ('{"title":"a"}', '{"title":"b","title":"a"}'),
        ('{"title":"a","n":"\\ud800"}', '{"n":"\\uD800", "title":"a"}'),
    ],
)
def test_the_same_json_value_is_the_same_body(alice: ApiClient, first: str, again: str) -> None:
    """A client's JSON library may write the same value another way the second time."""
    made = post(alice, first)

    answer = post(alice, again)

    assert (answer.status_code, answer["Idempotent-Replayed"]) == (201, "true")
    assert answer.content == made.content
    assert len(rows()) == 1


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("true", "1"),
        ("false", "0"),
        ("null", "false"),
        ('""', "null"),
        ("1", '"1"'),
        ("1.5", "1"),
        ("[1,2]", "[2,1]"),
        ("[]", "{}"),
        ("[true]", "[1]"),
        ('{"a":1}', '{"A":1}'),
        ('"a"', '"a "'),
        ('"\u00e9"', '"e\u0301"'),
        ('"\\ud800"', '"\\udfff"'),
        ('"\\ud800"', '"\\\\ud800"'),
        ("9007199254740993", "9007199254740992"),
        ("1e400", '"Infinity"'),
    ],
)
def test_another_json_value_is_another_body(alice: ApiClient, first: str, again: str) -> None:
    """Values that differ must not pass for the same, not even in a field that is ignored."""
    made = post(alice, f'{{"title":"a","n":{first}}}')

    answer = post(alice, f'{{"title":"a","n":{again}}}')

    assert (made.status_code, answer.status_code) == (201, 422)
    assert len(rows()) == 1


@pytest.mark.parametrize("key", [" ", "~", "a" * 255, '"quoted"', "!#$%&'*+-.^_`|~09azAZ", "\\0"])
def test_a_key_of_printable_ascii_is_accepted(alice: ApiClient, key: str) -> None:
    """1 to 255 characters must be accepted, whatever they are."""
    answers = [post(alice, NEW, key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(rows()) == 1


@pytest.mark.parametrize(
    "key",
    ["", "a" * 256, "é", "ключ", "\x7f", "\x00", "a\tb", "a\nb", "key\n", "\x1f", "\x80", "😀"],
)
def test_a_key_of_another_form_is_refused(alice: ApiClient, key: str) -> None:
    """It must be named as the header's problem (contract.md "Errors")."""
    answer = post(alice, NEW, key)

    (problem,) = answer.json()["detail"]
    assert answer.status_code == 422
    assert problem["loc"] == ["header", "Idempotency-Key"]
    assert problem["type"] == "value_error.idempotency"
    assert answer.json()["error"] == f"Idempotency-Key: {problem['msg']}"
    assert (rows(), keys()) == ([], [])


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"title": ""}, {}, 422),
        ([], {}, 422),
        ("{", {}, 400),
        ("x" * 65_537, {}, 413),
        (NEW, {"Content-Type": "text/plain"}, 415),
        (NEW, {"Authorization": ""}, 401),
    ],
    ids=["422", "422 of no object", "400", "413", "415", "401"],
)
def test_a_request_that_failed_does_not_use_up_its_key(
    alice: ApiClient, body: Any, headers: dict[str, str], status: int
) -> None:
    """What made nothing must leave the key free for what will."""
    assert post(alice, body, **headers).status_code == status
    assert (rows(), keys()) == ([], [])

    answer = post(alice, NEW)

    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ("x" * 65_537, 413), ({"title": ""}, 422)]
)
def test_the_key_does_not_hide_a_bad_body(alice: ApiClient, body: Any, status: int) -> None:
    """A used key must not let pass what is refused without it."""
    post(alice, NEW)
    before = rows(), keys()

    assert post(alice, body).status_code == status
    assert (rows(), keys()) == before


def test_a_task_that_was_changed_comes_as_it_is_now(alice: ApiClient) -> None:
    """A replay must not show what is not so any more."""
    created = post(alice, NEW).json()
    path = f"{TASKS}/{created['id']}"
    alice.send("PATCH", f"{path}/complete")
    now = alice.send("PUT", path, {"title": "Buy bread"})
    before = rows()

    answer = post(alice, NEW)

    assert (answer.status_code, answer.content) == (201, now.content)
    assert (answer["ETag"], answer["Idempotent-Replayed"]) == (now["ETag"], "true")
    assert rows() == before


def test_a_task_that_was_deleted_stays_deleted(alice: ApiClient) -> None:
    """A late retry must not bring back what the user has deleted."""
    created = post(alice, NEW).json()
    alice.send("DELETE", f"{TASKS}/{created['id']}")

    answers = [post(alice, NEW) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == {"detail": "Task not found", "error": "Task not found"}
    assert rows() == []
    assert post(alice, {"title": "Another"}).json() == REUSED
    assert post(alice, NEW, "another-key").status_code == 201


def test_a_key_is_a_users_own(alice: ApiClient, bob: ApiClient) -> None:
    """The same key of somebody else must be another key (SC-002)."""
    hers = post(alice, NEW)

    his = bob.send("POST", "/api/bob/tasks", {"title": "Other"}, **{"Idempotency-Key": "a-key"})

    assert (his.status_code, his.json()["user_id"]) == (201, "bob")
    assert his.json()["id"] != hers.json()["id"]
    assert "Idempotent-Replayed" not in his


def test_a_key_holds_for_a_day(alice: ApiClient) -> None:
    """Keys must be kept at least 24 hours."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        first = post(ApiClient("alice"), NEW)
    with travel("2026-01-07T15:29:59Z", tick=False):
        again = post(ApiClient("alice"), NEW)

    assert again.content == first.content
    assert len(rows()) == 1


def test_a_key_says_when_it_was_used(alice: ApiClient) -> None:
    """Old ones must be found by their time, and young ones kept."""
    post(alice, NEW)
    used = IdempotencyKey.objects.get()

    assert str(used) == "a-key"
    assert not IdempotencyKey.objects.created_before(used.created_at).exists()
    later = used.created_at + timedelta(microseconds=1)
    assert IdempotencyKey.objects.created_before(later).get() == used


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET"])
def test_a_key_says_nothing_to_other_methods(alice: ApiClient, path: str, method: str) -> None:
    """Only a POST must look at it."""
    suffix = "/complete" if method == "PATCH" else ""
    body = {"title": "New"} if method == "PUT" else None

    answer = alice.send(method, path + suffix, body, **{"Idempotency-Key": "é"})

    assert answer.status_code in (200, 204)
    assert keys() == []


def test_the_key_decides_over_a_double_post(alice: ApiClient) -> None:
    """With a key a copy of a task must be a new one, and then the key's."""
    task = TaskFactory.create(title="Buy milk")
    copy = alice.send("GET", f"{TASKS}/{task.id}").json()

    made, again = post(alice, copy), post(alice, copy)

    assert made.json()["id"] != task.id
    assert "Idempotent-Replayed" not in made
    assert (again.content, again["Idempotent-Replayed"]) == (made.content, "true")
    assert Task.objects.count() == 2


@pytest.mark.parametrize("depth", [400, 1000, 30_000])
def test_a_deeply_nested_body_is_taken_with_a_key_as_without(alice: ApiClient, depth: int) -> None:
    """What can be read must not become too deep by its key (contract.md "Errors", 400)."""
    body = '{"title": "a", "n": ' + "[" * depth + "]" * depth + "}"
    plain = alice.send("POST", TASKS, body)

    assert [post(alice, body).status_code for _ in range(2)] == [plain.status_code] * 2


def test_another_conflict_is_not_taken_for_a_used_key(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours must show as one, and use up nothing."""

    def refuse(*args: Any, **values: Any) -> None:
        raise IntegrityError("another constraint")

    with monkeypatch.context() as patch:
        patch.setattr(TaskQuerySet, "add", refuse)
        assert post(alice, NEW).status_code == 500

    assert (rows(), keys()) == ([], [])
    assert post(alice, json.dumps(NEW)).status_code == 201
