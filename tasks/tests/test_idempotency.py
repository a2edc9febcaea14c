"""``Idempotency-Key`` (docs/contract.md, "Extensions", safe retries)."""

import json
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import IntegrityError
from time_machine import travel

from conftest import FRONT_END, ApiClient
from tasks.models import IdempotencyKey, Task, TaskQuerySet
from tasks.tests.endpoints import ENDPOINTS
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS
from tasks.tests.tables import wrong_rows

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
    """Post a body with a key."""
    return client.send("POST", TASKS, body, **{"Idempotency-Key": key, **headers})


def keys() -> list[tuple[Any, ...]]:
    """Return every row of the key table, to check that a refused request changes nothing."""
    return list(IdempotencyKey.objects.order_by("id").values_list())


def test_a_retry_returns_the_first_task(alice: ApiClient) -> None:
    """A retry after a lost response must not create a second task."""
    first, again, third = (post(alice, NEW) for _ in range(3))

    assert [response.status_code for response in (first, again, third)] == [201] * 3
    assert first.content == again.content == third.content
    assert first["ETag"] == again["ETag"]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == third["Idempotent-Replayed"] == "true"
    assert [row[0] for row in rows()] == [first.json()["id"]]


def test_idempotent_replayed_is_exposed_to_pages(alice: ApiClient) -> None:
    """A page must be able to read the replay header (docs/contract.md, "Cross-origin")."""
    post(alice, NEW)

    response = post(alice, NEW, Origin=FRONT_END)

    assert "Idempotent-Replayed" in response["Access-Control-Expose-Headers"]
    assert response["Cache-Control"] == "no-store"


def test_without_a_key_a_retry_creates_a_second_task(alice: ApiClient) -> None:
    """A client without keys must not be affected."""
    first, second = (alice.send("POST", TASKS, NEW) for _ in range(2))

    assert first.json()["id"] != second.json()["id"]
    assert "Idempotent-Replayed" not in second
    assert keys() == []


def test_another_key_creates_another_task(alice: ApiClient) -> None:
    """Keys must be compared exactly, including case and inner spaces."""
    created = [post(alice, NEW, key) for key in ("key", "Key", "k ey", "k  ey", "key,key", "ke%79")]

    assert len({response.json()["id"] for response in created}) == len(created)


def test_a_used_key_with_another_body_is_refused(alice: ApiClient) -> None:
    """A different body must be a 422, even if only an ignored field differs."""
    bodies: list[dict[str, Any]] = [
        *(NEW | change for change in ({"title": "Buy bread"}, {"description": None})),
        *(NEW | change for change in ({"completed": True}, {"priority": 1}, {"id": 1}, {"": None})),
        {"title": "Buy milk", "description": "2 l"},
    ]
    post(alice, NEW)
    before = rows(), keys()

    def outcome(body: dict[str, Any]) -> Any:
        response = post(alice, body)
        is_marked = "Idempotent-Replayed" in response
        return response.status_code, response.json(), is_marked, rows(), keys()

    assert wrong_rows(bodies, outcome, (422, REUSED, False, *before)) == []


SAME_VALUES = [
    ('{"title":"a","completed":true}', ' {\n"completed" :true, "title": "a"}\t'),
    ('{"title":"é😀/"}', '{"title":"\\u00e9\\ud83d\\ude00\\/"}'),
    ('{"title":"a","n":1}', '{"title":"a","n":1.0}'),
    ('{"title":"a","n":100}', '{"title":"a","n":1e2}'),
    ('{"title":"a","n":0}', '{"title":"a","n":-0.0}'),
    ('{"title":"a","n":0.5}', '{"title":"a","n":5E-1}'),
    ('{"title":"a","n":[{"b":1,"a":2}]}', '{"n":[{"a":2.0,"b":1}],"title":"a"}'),
    ('{"title":"a"}', '{"title":"b","title":"a"}'),
    ('{"title":"a","n":"\\ud800"}', '{"n":"\\uD800", "title":"a"}'),
]
OTHER_VALUES = [
    *(("true", "1"), ("false", "0"), ("null", "false"), ('""', "null"), ("1", '"1"')),
    *(("1.5", "1"), ("[1,2]", "[2,1]"), ("[]", "{}"), ("[true]", "[1]")),
    *(('{"a":1}', '{"A":1}'), ('"a"', '"a "'), ('"\u00e9"', '"e\u0301"')),
    *(('"\\ud800"', '"\\udfff"'), ('"\\ud800"', '"\\\\ud800"')),
    *(("9007199254740993", "9007199254740992"), ("1e400", '"Infinity"')),
]


def test_equal_json_values_are_the_same_body(alice: ApiClient) -> None:
    """Equal values must match: a client may serialise the same value differently in a retry."""
    numbers = count()

    def outcome(bodies: tuple[str, str]) -> Any:
        key = f"key {next(numbers)}"
        first, again = (post(alice, body, key) for body in bodies)
        return again.status_code, "Idempotent-Replayed" in again, again.content == first.content

    assert wrong_rows(SAME_VALUES, outcome, (201, True, True)) == []
    assert len(rows()) == len(SAME_VALUES)


def test_different_json_values_are_different_bodies(alice: ApiClient) -> None:
    """Different values must not be confused, not even in an ignored field."""
    numbers = count()

    def statuses(values: tuple[str, str]) -> list[int]:
        key = f"key {next(numbers)}"
        return [post(alice, f'{{"title":"a","n":{n}}}', key).status_code for n in values]

    assert wrong_rows(OTHER_VALUES, statuses, [201, 422]) == []
    assert len(rows()) == len(OTHER_VALUES)


def test_a_key_of_printable_ascii_is_accepted(alice: ApiClient) -> None:
    """Any 1 to 255 printable ASCII characters must be accepted."""
    good = [" ", "~", "a" * 255, '"quoted"', "!#$%&'*+-.^_`|~09azAZ", "\\0"]

    def outcome(key: str) -> Any:
        first, again = (post(alice, NEW, key) for _ in range(2))
        return first.status_code, again.status_code, first.content == again.content

    assert wrong_rows(good, outcome, (201, 201, True)) == []
    assert len(rows()) == len(good)


def test_a_malformed_key_is_refused(alice: ApiClient) -> None:
    """The 422 must name the header (docs/contract.md, "Errors")."""
    bad = [
        "",
        "a" * 256,
        "é",
        "ключ",
        "\x7f",
        "\x00",
        "a\tb",
        "a\nb",
        "key\n",
        "\x1f",
        "\x80",
        "😀",
    ]

    def outcome(key: str) -> Any:
        response = post(alice, NEW, key)
        (problem,) = response.json()["detail"]
        is_shown = response.json()["error"] == f"Idempotency-Key: {problem['msg']}"
        return response.status_code, problem["loc"], problem["type"], is_shown

    refusal = (422, ["header", "Idempotency-Key"], "value_error.idempotency", True)
    assert wrong_rows(bad, outcome, refusal) == []
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
    ids=["422", "422, not an object", "400", "413", "415", "401"],
)
def test_a_failed_request_does_not_use_up_its_key(
    alice: ApiClient, body: Any, headers: dict[str, str], status: int
) -> None:
    """A refused request must leave the key unused, and a used key must not bypass the checks."""
    assert post(alice, body, **headers).status_code == status
    assert (rows(), keys()) == ([], [])

    first = post(alice, NEW)
    before = rows(), keys()

    assert (first.status_code, "Idempotent-Replayed" in first) == (201, False)
    assert (post(alice, body, **headers).status_code, (rows(), keys())) == (status, before)


def test_a_replay_returns_the_current_task(alice: ApiClient) -> None:
    """A replay must show later changes."""
    created = post(alice, NEW).json()
    path = f"{TASKS}/{created['id']}"
    alice.send("PATCH", f"{path}/complete")
    now = alice.send("PUT", path, {"title": "Buy bread"})
    before = rows()

    response = post(alice, NEW)

    assert (response.status_code, response.content) == (201, now.content)
    assert (response["ETag"], response["Idempotent-Replayed"]) == (now["ETag"], "true")
    assert rows() == before


def test_a_replay_of_a_deleted_task_is_a_404(alice: ApiClient) -> None:
    """A late retry must not create a deleted task again."""
    created = post(alice, NEW).json()
    alice.send("DELETE", f"{TASKS}/{created['id']}")

    responses = [post(alice, NEW) for _ in range(2)]

    assert [response.status_code for response in responses] == [404, 404]
    assert responses[0].json() == {"detail": "Task not found", "error": "Task not found"}
    assert rows() == []
    assert post(alice, {"title": "Another"}).json() == REUSED
    assert post(alice, NEW, "another-key").status_code == 201


def test_keys_belong_to_their_user(alice: ApiClient, bob: ApiClient) -> None:
    """A key of one user must not match the same key of another (SC-002)."""
    post(alice, NEW)
    call = ("POST", "/api/bob/tasks", {"title": "Other"})

    first, again = (bob.send(*call, **{"Idempotency-Key": "a-key"}) for _ in range(2))

    assert (first.status_code, first.json()["user_id"]) == (201, "bob")
    assert "Idempotent-Replayed" not in first
    assert (again["Idempotent-Replayed"], again.content) == ("true", first.content)


def test_a_retry_is_replayed_for_a_day(alice: ApiClient) -> None:
    """A retry within 24 hours must be replayed."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        first = post(ApiClient("alice"), NEW)
    with travel("2026-01-07T15:29:59Z", tick=False):
        again = post(ApiClient("alice"), NEW)

    assert again.content == first.content
    assert len(rows()) == 1


def test_a_key_has_its_creation_time(alice: ApiClient) -> None:
    """A key must record its creation time, by which cleanup selects old keys."""
    post(alice, NEW)
    used = IdempotencyKey.objects.get()

    assert str(used) == "a-key"
    assert not IdempotencyKey.objects.created_before(used.created_at).exists()
    later = used.created_at + timedelta(microseconds=1)
    assert IdempotencyKey.objects.created_before(later).get() == used


def test_other_methods_ignore_keys(alice: ApiClient, task: Task) -> None:
    """Only a POST may read the header."""
    calls = [row for row in ENDPOINTS if row.method != "POST"]
    calls.sort(key=lambda row: row.method == "DELETE")  # last: the others need the task

    responses = [row.send(alice, "alice", task.id, **{"Idempotency-Key": "é"}) for row in calls]

    assert [response.status_code for response in responses] == [row.owner for row in calls]
    assert keys() == []


def test_a_key_takes_precedence_over_a_posted_copy(alice: ApiClient) -> None:
    """A copy with a new key must create a task, and its retry must replay that task."""
    task = TaskFactory.create(title="Buy milk")
    copy = alice.send("GET", f"{TASKS}/{task.id}").json()

    first, again = post(alice, copy), post(alice, copy)

    assert first.json()["id"] != task.id
    assert "Idempotent-Replayed" not in first
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert Task.objects.count() == 2


def test_a_deeply_nested_body_is_accepted_with_a_key(alice: ApiClient) -> None:
    """A key must not lower the accepted nesting depth (docs/contract.md, "Errors", 400)."""

    def is_alike(depth: int) -> bool:
        body = '{"title": "a", "n": ' + "[" * depth + "]" * depth + "}"
        plain, *keyed = (
            alice.send("POST", TASKS, body),
            *(post(alice, body, f"{depth}") for _ in "12"),
        )
        return [response.status_code for response in keyed] == [plain.status_code] * 2

    assert wrong_rows([400, 1000, 30_000], is_alike, True) == []


def test_a_key_that_is_deleted_meanwhile_is_free(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clean-up may delete an old key just when a late retry has met it."""
    first = post(alice, NEW)
    find = IdempotencyKey.objects.filter

    def delete_and_find(**values: Any) -> Any:
        monkeypatch.undo()
        IdempotencyKey.objects.all().delete()
        return find(**values)

    monkeypatch.setattr(IdempotencyKey.objects, "filter", delete_and_find)
    again = post(alice, NEW)

    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in again
    assert len({first.json()["id"], again.json()["id"]}) == len(rows()) == 2
    assert len(keys()) == 1


def test_another_integrity_error_is_a_500(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unrelated constraint failure must be a 500 and must not use up the key."""

    def refuse(*args: Any, **values: Any) -> None:
        raise IntegrityError("another constraint")

    with monkeypatch.context() as patch:
        patch.setattr(TaskQuerySet, "add", refuse)
        alice.raise_request_exception = False
        assert post(alice, NEW).status_code == 500

    assert (rows(), keys()) == ([], [])
    assert post(alice, json.dumps(NEW)).status_code == 201
