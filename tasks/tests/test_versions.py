"""``ETag`` and ``If-None-Match`` (contract.md "What goes beyond the plan", versions)."""

import re
from typing import Any

import pytest
from django.db import connection

from conftest import FRONT_END, ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, links

pytestmark = pytest.mark.django_db

OTHER = '"0123456789abcdef0123456789abcdef"'


def test_every_answer_with_a_task_names_its_version(alice: ApiClient) -> None:
    """The same version must have the same strong tag, whichever answer shows it."""
    created = alice.send("POST", TASKS, {"title": "Buy milk"})
    path = f"{TASKS}/{created.json()['id']}"
    read, head = alice.send("GET", path), alice.send("HEAD", path)
    updated = alice.send("PUT", path, {"title": "Buy bread"})
    flipped = alice.send("PATCH", f"{path}/complete")
    again = alice.send("GET", path)

    assert created["ETag"] == read["ETag"] == head["ETag"]
    assert flipped["ETag"] == again["ETag"]
    assert len({read["ETag"], updated["ETag"], flipped["ETag"]}) == 3
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', created["ETag"])


@pytest.mark.parametrize("query", ["", "?limit=1", "?search=o", "?ordering=-title", "?unknown=x"])
def test_the_list_names_its_version(alice: ApiClient, task: Task, query: str) -> None:
    """The list must have a tag that holds as long as nothing in it changes."""
    first, second = (alice.send("GET", f"{TASKS}{query}") for _ in range(2))
    TaskFactory.create(user_id="bob")

    assert first["ETag"] == second["ETag"] == alice.send("HEAD", f"{TASKS}{query}")["ETag"]
    Task.objects.filter(pk=task.id).change(title="Not the old one")
    assert alice.send("GET", f"{TASKS}{query}")["ETag"] != first["ETag"]


def test_an_empty_list_has_a_version_too(alice: ApiClient) -> None:
    """A client that has seen nothing yet must notice the first task."""
    empty = alice.send("GET", TASKS)["ETag"]

    assert alice.send("GET", TASKS, **{"If-None-Match": empty}).status_code == 304
    TaskFactory.create()
    assert alice.send("GET", TASKS, **{"If-None-Match": empty}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "title = 'New'",
        "title = 'old'",
        "title = 'Old '",
        "description = ''",
        "description = 'x'",
        "completed = NOT completed",
        "updated_at = '2026-01-06 15:30:00.123457+00:00'",
        "created_at = '2026-01-06 15:30:00.123456+00:00'",
    ],
)
def test_a_change_past_the_application_changes_the_tag(alice: ApiClient, change: str) -> None:
    """Whoever changes a task, its version and the list's must be others."""
    task = TaskFactory.create(title="Old", description=None)
    before = {url: alice.send("GET", url)["ETag"] for url in (TASKS, f"{TASKS}/{task.id}")}

    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE task SET {change} WHERE id = %s", [task.id])  # noqa: S608

    for url, tag in before.items():
        answer = alice.send("GET", url, **{"If-None-Match": tag})
        assert (answer.status_code, answer["ETag"] == tag) == (200, False)


def test_a_page_changes_with_its_links(alice: ApiClient) -> None:
    """A client that keeps a page must learn that there is one more."""
    TaskFactory.create_batch(2)
    last = alice.send("GET", f"{TASKS}?limit=2")
    TaskFactory.create()

    answer = alice.send("GET", f"{TASKS}?limit=2", **{"If-None-Match": last["ETag"]})

    assert answer.status_code == 200
    assert answer.content == last.content
    assert (list(links(last)), list(links(answer))) == ([], ["next"])


@pytest.mark.parametrize("url", [TASKS, f"{TASKS}?limit=1", "{path}", "{path}/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "header", ["{tag}", "W/{tag}", "*", " * ", '"x", {tag}', '{tag},W/"y"', 'W/"x",W/{tag}']
)
def test_what_a_client_has_is_not_sent_again(
    alice: ApiClient, path: str, url: str, method: str, header: str
) -> None:
    """A known version must be a 304 without a body, a weak tag being as good (RFC 9110 §13.1.2)."""
    url = url.format(path=path)
    TaskFactory.create()
    whole = alice.send("GET", url, Origin=FRONT_END)

    answer = alice.send(
        method, url, **{"If-None-Match": header.format(tag=whole["ETag"]), "Origin": FRONT_END}
    )

    assert (answer.status_code, answer.content) == (304, b"")
    kept = ("ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin", "Link")
    assert [answer.headers.get(name) for name in kept] == [whole.headers.get(name) for name in kept]
    assert answer["Cache-Control"] == "private, no-cache"
    assert "X-Request-ID" in answer
    assert not {"Content-Type", "Content-Length"} & set(answer.headers)


@pytest.mark.parametrize(
    "header",
    [OTHER, f"W/{OTHER}", "", ",", "x", '"', "{bare}", 'w/{tag}"', "{tag}x", '"*"', "\xff"],
)
def test_what_a_client_has_not_is_sent(alice: ApiClient, path: str, tag: str, header: str) -> None:
    """Another version, and what is no tag, must be answered as if it were not there."""
    header = header.format(tag=tag, bare=tag.strip('"'))

    answer = alice.send("GET", path, **{"If-None-Match": header})

    assert (answer.status_code, answer["ETag"]) == (200, tag)
    assert answer.json()["title"] == "Old"


@pytest.mark.parametrize(
    ("method", "suffix", "body", "status"),
    [("PUT", "", {}, 200), ("PATCH", "/complete", None, 200), ("DELETE", "", None, 204)],
)
def test_if_none_match_says_nothing_to_a_write(
    alice: ApiClient, path: str, tag: str, method: str, suffix: str, body: Any, status: int
) -> None:
    """It saves a download and refuses no change."""
    assert alice.send(method, path + suffix, body, **{"If-None-Match": tag}).status_code == status
