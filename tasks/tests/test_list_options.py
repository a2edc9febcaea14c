"""What the options keep, and in which order (contract.md "What goes beyond the plan")."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS, ids, links

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)
ORDERINGS = ("id", "created_at", "updated_at", "title", "completed")


@pytest.mark.parametrize("completed", [True, False])
def test_completed_keeps_the_tasks_of_that_state(alice: ApiClient, completed: bool) -> None:
    """``completed=`` must keep those that are, or those that are not."""
    kept = TaskFactory.create(completed=completed)
    TaskFactory.create(completed=not completed)
    TaskFactory.create(completed=completed, user_id="bob")

    response = alice.send("GET", f"{TASKS}?completed={str(completed).lower()}")

    assert ids(response) == [kept.id]


def test_the_options_are_met_together(alice: ApiClient) -> None:
    """A task must meet every option, and another user's stay absent (SC-002)."""
    kept = TaskFactory.create(title="Milk", completed=True)
    TaskFactory.create(title="Milk", completed=False)
    TaskFactory.create(title="Bread", description=None, completed=True)
    TaskFactory.create(title="Milk", completed=True, user_id="bob")

    response = alice.send("GET", f"{TASKS}?search=milk&completed=true&ordering=-title&limit=5")

    assert ids(response) == [kept.id]


@pytest.mark.parametrize("ordering", [*ORDERINGS, *(f"-{field}" for field in ORDERINGS)])
def test_ordering_sorts_by_the_field_and_ties_by_id(alice: ApiClient, ordering: str) -> None:
    """Equals must come in the order of their ids, whichever way the field is sorted."""
    for number in (2, 0, 1, 2, 0, 1, 1):
        moment = MOMENT + timedelta(microseconds=number)
        Task.objects.create(
            user_id="alice",
            title="xyz"[number],
            completed=number == 1,
            created_at=moment,
            updated_at=moment - timedelta(days=number),
        )
    tasks = sorted(alice.send("GET", TASKS).json(), key=lambda task: int(task["id"]))
    tasks.sort(key=lambda task: task[ordering.removeprefix("-")], reverse=ordering[0] == "-")

    assert alice.send("GET", f"{TASKS}?ordering={ordering}").json() == tasks
    assert alice.send("GET", f"{TASKS}?ordering={ordering}&limit=1000").json() == tasks


def test_titles_are_sorted_by_code_point(alice: ApiClient) -> None:
    """No language's order must be used: capitals first, accents last, planes in their order."""
    titles = ["a", "B", "b", "Z", "z", "é", "É", "~", "-a", " a", "ß", "Я", "\uffee", "😀", "a b"]
    for title in titles:
        TaskFactory.create(title=title)

    response = alice.send("GET", f"{TASKS}?ordering=title")

    assert [task["title"] for task in response.json()] == sorted(titles)


@pytest.mark.parametrize(
    "query",
    ["?", "?page=2", "?offset=1", "?Limit=1", "?limits=x&orderings=y", "?=1", "?&&", "?%00"],
)
def test_an_unknown_option_is_ignored(alice: ApiClient, query: str) -> None:
    """What is no option must change nothing, with the same answer as without it."""
    TaskFactory.create_batch(2)

    response = alice.send("GET", f"{TASKS}{query}")

    assert response.status_code == 200
    assert response.content == alice.send("GET", TASKS).content
    assert "Link" not in response


def test_any_number_of_unknown_options_is_ignored(alice: ApiClient) -> None:
    """As many as a request line has room for must be no fault of ours."""
    task = TaskFactory.create()

    assert ids(alice.send("GET", f"{TASKS}?{'a&' * 4000}limit=5")) == [task.id]


@pytest.mark.parametrize(
    ("query", "kept"),
    [("limit=9&limit=1", 1), ("limit=x&limit=2", 2), ("completed=maybe&completed=false", 3)],
)
def test_the_last_of_repeated_options_counts(alice: ApiClient, query: str, kept: int) -> None:
    """An option that is sent twice must be taken as its last value."""
    TaskFactory.create_batch(3, completed=False)

    assert len(ids(alice.send("GET", f"{TASKS}?{query}"))) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("completed", value) for value in ("", "True", "TRUE", "1", "0", "yes", "null", " true")),
        *(("completed", value) for value in ("true,false", "true\0", "\ud83d\ude00", "falsе")),
        *(("ordering", value) for value in ("", "-", "--id", "ID", "+id", "id,title", "id ", "pk")),
        *(("ordering", value) for value in ("user_id", "description", "id__gt", "?", "-title\n")),
        *(("limit", value) for value in ("", "0", "-1", "1001", "1.0", "1e2", "0x10", "007", "1 ")),
        *(
            ("limit", value)
            for value in ("٣", "１", "1_0", "9" * 5000, "true", "null", "NaN", "\0")
        ),
    ],
)
def test_a_bad_value_is_refused(alice: ApiClient, name: str, value: str) -> None:
    """It must be named, with a sentence that tells what is accepted (contract.md "Errors")."""
    TaskFactory.create()
    before = rows()

    response = alice.send("GET", f"{TASKS}?{name}={quote(value, errors='surrogatepass')}")

    (problem,) = response.json()["detail"]
    assert response.status_code == 422
    assert problem == {"loc": ["query", name], "msg": problem["msg"], "type": "value_error.query"}
    assert problem["msg"].startswith("must be ")
    assert response.json()["error"] == f"{name.capitalize()}: {problem['msg']}"
    assert (response["Cache-Control"], "ETag" in response) == ("no-store", False)
    assert rows() == before


def test_a_refusal_names_what_is_accepted(alice: ApiClient) -> None:
    """Every bad option must be listed, each with a sentence of its own."""
    response = alice.send("GET", f"{TASKS}?limit=0&completed=x&ordering=y&cursor=z&search=%25")

    messages = {problem["loc"][1]: problem["msg"] for problem in response.json()["detail"]}
    assert response.status_code == 422
    assert list(messages) == ["completed", "ordering", "limit", "cursor"]
    assert "true or false" in messages["completed"]
    assert all(field in messages["ordering"] for field in ORDERINGS)
    assert "1 to 1000" in messages["limit"]
    assert response.json()["error"] == "; ".join(
        f"{name.capitalize()}: {message}" for name, message in messages.items()
    )


@pytest.mark.parametrize("limit", [1, 999, 1000])
def test_a_limit_within_its_bounds_is_accepted(alice: ApiClient, limit: int) -> None:
    """1 to 1000 must be accepted, the bounds included."""
    TaskFactory.create()

    assert len(ids(alice.send("GET", f"{TASKS}?limit={limit}"))) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_only_the_list_has_options(alice: ApiClient, method: str) -> None:
    """Elsewhere a query must be ignored, whatever stands in it."""
    task = TaskFactory.create()
    path = {"POST": TASKS, "PATCH": f"{TASKS}/{task.id}/complete"}.get(method, f"{TASKS}/{task.id}")
    body: Any = {"title": "New"} if method in ("POST", "PUT") else None

    response = alice.send(method, f"{path}?limit=x&ordering=y&cursor=z", body)

    assert response.status_code == {"POST": 201, "DELETE": 204}.get(method, 200)


@pytest.mark.parametrize(("user", "status"), [("anybody", 401), ("bob", 403)])
def test_who_may_come_in_is_checked_before_the_options(
    request: pytest.FixtureRequest, user: str, status: int
) -> None:
    """A stranger must learn nothing of the options (contract.md "Who may come in")."""
    client: ApiClient = request.getfixturevalue(user)

    assert client.send("GET", f"{TASKS}?limit=x").status_code == status


def test_the_head_of_a_page_has_its_headers_and_no_body(alice: ApiClient) -> None:
    """HEAD must work wherever GET does (contract.md "Six endpoints")."""
    TaskFactory.create_batch(3)

    head, get = (alice.send(method, f"{TASKS}?limit=2") for method in ("HEAD", "GET"))

    assert (head.status_code, head.content) == (200, b"")
    assert (head["ETag"], head["Link"]) == (get["ETag"], get["Link"])
    assert head["Content-Length"] == str(len(get.content))
    assert alice.send("HEAD", f"{TASKS}?limit=x").status_code == 422


def test_a_page_is_a_plain_array(alice: ApiClient) -> None:
    """Nothing must be wrapped around a page; what lies beyond it stands in the header."""
    first, second, _ = TaskFactory.create_batch(3)

    response = alice.send("GET", f"{TASKS}?limit=2")

    assert [task["id"] for task in response.json()] == [first.id, second.id]
    assert response.json() == alice.send("GET", TASKS).json()[:2]
    assert list(links(response)) == ["next"]
