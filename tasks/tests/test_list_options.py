"""Filters and orderings of the list (docs/contract.md, "Extensions")."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.endpoints import ENDPOINTS, Endpoint
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS, ids
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

TIME = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)
FIELDS = ("id", "created_at", "updated_at", "title", "completed")


@pytest.mark.parametrize("completed", [True, False])
def test_completed_filters_by_state(alice: ApiClient, completed: bool) -> None:
    """``completed=`` must select either the completed or the open tasks."""
    kept = TaskFactory.create(completed=completed)
    TaskFactory.create(completed=not completed)
    TaskFactory.create(completed=completed, user_id="bob")

    response = alice.send("GET", f"{TASKS}?completed={str(completed).lower()}")

    assert ids(response) == [kept.id]


def test_options_are_combined(alice: ApiClient) -> None:
    """A task must match every option, and another user's tasks must be absent (SC-002)."""
    kept = TaskFactory.create(title="Milk", completed=True)
    TaskFactory.create(title="Milk", completed=False)
    TaskFactory.create(title="Bread", description=None, completed=True)
    TaskFactory.create(title="Milk", completed=True, user_id="bob")

    response = alice.send("GET", f"{TASKS}?search=milk&completed=true&ordering=-title&limit=5")

    assert ids(response) == [kept.id]


def test_ordering_sorts_by_the_field_and_breaks_ties_by_id(alice: ApiClient) -> None:
    """Ties must be sorted by ascending id in both directions."""
    for number in (2, 0, 1, 2, 0, 1, 1):
        time = TIME + timedelta(microseconds=number)
        Task.objects.create(
            user_id="alice",
            title="xyz"[number],
            completed=number == 1,
            created_at=time,
            updated_at=time - timedelta(days=number),
        )
    by_id = sorted(alice.send("GET", TASKS).json(), key=lambda task: int(task["id"]))

    def outcome(row: tuple[str, str, str]) -> bool:
        sign, field, query = row
        tasks = sorted(by_id, key=lambda task: task[field], reverse=sign == "-")
        return bool(alice.send("GET", f"{TASKS}?ordering={sign}{field}{query}").json() == tasks)

    assert wrong_rows(product(["", "-"], FIELDS, ["", "&limit=1000"]), outcome, True) == []


def test_titles_are_sorted_by_code_point(alice: ApiClient) -> None:
    """Titles must be sorted by code point, whatever the locale."""
    titles = ["a", "B", "b", "Z", "z", "é", "É", "~", "-a", " a", "ß", "Я", "\uffee", "😀", "a b"]
    for title in titles:
        TaskFactory.create(title=title)

    response = alice.send("GET", f"{TASKS}?ordering=title")

    assert [task["title"] for task in response.json()] == sorted(titles)


def test_an_unknown_option_is_ignored(alice: ApiClient) -> None:
    """An unknown option must not change the response."""
    queries = ["?", "?Offset=1", "?pages=2", "?Limit=1", "?limits=x&orderings=y", "?=1", "?&&"]
    queries += ["?%00", f"?{'a&' * 4000}"]  # as many as fit in a request line
    TaskFactory.create_batch(2)
    plain = alice.send("GET", TASKS)

    def outcome(query: str) -> Any:
        response = alice.send("GET", f"{TASKS}{query}")
        return response.status_code, response.content, "Link" in response

    assert wrong_rows(queries, outcome, (200, plain.content, False)) == []


def test_the_last_value_of_a_repeated_option_is_used(alice: ApiClient) -> None:
    """The last value of a repeated option must be used."""
    kept = {"limit=9&limit=1": 1, "limit=x&limit=2": 2, "completed=maybe&completed=false": 3}
    TaskFactory.create_batch(3, completed=False)

    assert {query: len(ids(alice.send("GET", f"{TASKS}?{query}"))) for query in kept} == kept


BAD_VALUES = {
    "completed": [
        *("TRUE", "Yes", "2", "01", "on", "null", " true", " "),
        *("true,false", "true\0", "\ud83d\ude00", "falsе"),
    ],
    "ordering": [
        *("", "-", "--id", "ID", "+id", "id,title", "id ", "pk"),
        *("user_id", "description", "id__gt", "?", "-title\n"),
    ],
    "search": [
        *("x" * 201, " " * 201, "é" * 201, " ".join("abcdefghijklmnopqrstu")),
        *(" ".join(f"a{number}" for number in range(21)), "İ" * 201),
    ],
    "limit": [
        *("", "0", "-1", "1001", "1.0", "1e2", "0x10", "007", "1 "),
        *("٣", "１", "1_0", "9" * 5000, "true", "null", "NaN", "\0"),
    ],
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_an_invalid_value_is_refused(alice: ApiClient, name: str, task: Task) -> None:
    """The 422 must name the option and the accepted values (docs/contract.md, "Errors")."""
    before = rows()

    def outcome(value: str) -> Any:
        response = alice.send("GET", f"{TASKS}?{name}={quote(value, errors='surrogatepass')}")
        (problem,) = response.json()["detail"]
        is_sentence = problem["msg"].startswith("must be ")
        is_shown = response.json()["error"] == f"{name.capitalize()}: {problem.pop('msg')}"
        kept = response["Cache-Control"], "ETag" in response, rows() == before
        return response.status_code, problem, is_sentence, is_shown, kept

    problem = {"loc": ["query", name], "type": "value_error.query"}
    expected = (422, problem, True, True, ("no-store", False, True))
    assert wrong_rows(BAD_VALUES[name], outcome, expected) == []


def test_every_invalid_option_is_listed(alice: ApiClient) -> None:
    """Every invalid option must be listed with its own message."""
    response = alice.send("GET", f"{TASKS}?limit=0&completed=x&ordering=y&cursor=z&search=%25")

    messages = {problem["loc"][1]: problem["msg"] for problem in response.json()["detail"]}
    assert response.status_code == 422
    assert list(messages) == ["completed", "ordering", "limit", "cursor"]
    assert "true or false" in messages["completed"]
    assert all(field in messages["ordering"] for field in FIELDS)
    assert "1 to 1000" in messages["limit"]
    assert response.json()["error"] == "; ".join(
        f"{name.capitalize()}: {message}" for name, message in messages.items()
    )


def test_a_limit_within_its_bounds_is_accepted(alice: ApiClient, task: Task) -> None:
    """Limits from 1 to 1000, inclusive, must be accepted."""
    shown = [ids(alice.send("GET", f"{TASKS}?limit={limit}")) for limit in (1, 999, 1000)]

    assert shown == [[task.id]] * 3


def test_only_the_list_has_options(alice: ApiClient) -> None:
    """Other endpoints must ignore the query string."""
    calls = [row for row in ENDPOINTS if (row.route, row.method) != ("tasks", "GET")]

    def status(row: Endpoint) -> Any:
        asked = row._replace(path=f"{row.path}?limit=x&ordering=y&cursor=z")
        return asked.send(alice, "alice", TaskFactory.create().id).status_code

    assert {repr(row): status(row) for row in calls} == {repr(row): row.owner for row in calls}


@pytest.mark.parametrize(("user", "status"), [("anonymous", 401), ("bob", 403)])
def test_the_caller_is_checked_before_the_options(
    request: pytest.FixtureRequest, user: str, status: int
) -> None:
    """401 and 403 must precede 422 (docs/contract.md, "Authentication")."""
    client: ApiClient = request.getfixturevalue(user)

    assert client.send("GET", f"{TASKS}?limit=x").status_code == status
