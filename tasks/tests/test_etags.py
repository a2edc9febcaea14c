"""``ETag`` and ``If-None-Match`` (docs/contract.md, "Extensions", versions)."""

import re
from itertools import product
from typing import Any

import pytest
from django.db import connection

from conftest import FRONT_END, ApiClient
from tasks.models import Task
from tasks.tests.endpoints import WRITES, Endpoint
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, links
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

OTHER = '"0123456789abcdef0123456789abcdef"'


def test_every_response_with_a_task_has_its_etag(alice: ApiClient) -> None:
    """Each version of a task must have its own strong tag, the same in every response."""
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


def test_the_list_has_an_etag(alice: ApiClient, task: Task) -> None:
    """The tag must stay the same until a task in the list changes."""

    def outcome(query: str) -> Any:
        first = alice.send("GET", f"{TASKS}{query}")["ETag"]
        TaskFactory.create(user_id="bob")
        again = {alice.send(method, f"{TASKS}{query}")["ETag"] for method in ("GET", "HEAD")}
        Task.objects.filter(pk=task.id).change(title=f"Not the old one {query}")
        return again == {first}, alice.send("GET", f"{TASKS}{query}")["ETag"] == first

    queries = ["", "?limit=1", "?search=o", "?ordering=-title", "?unknown=x"]
    assert wrong_rows(queries, outcome, (True, False)) == []


def test_an_empty_list_has_an_etag(alice: ApiClient) -> None:
    """A client with an empty list must notice the first task."""
    empty = alice.send("GET", TASKS)["ETag"]

    assert alice.send("GET", TASKS, **{"If-None-Match": empty}).status_code == 304
    TaskFactory.create()
    assert alice.send("GET", TASKS, **{"If-None-Match": empty}).status_code == 200


def test_a_change_in_sql_changes_the_tag(alice: ApiClient) -> None:
    """Any change to a task, even in SQL, must change the tags of the task and of the list."""
    changes = [
        *("title = 'New'", "title = 'new'", "title = 'new '", "description = ''"),
        *("description = 'x'", "completed = NOT completed"),
        "updated_at = '2026-01-06 15:30:00.123457+00:00'",
        "created_at = '2026-01-06 15:30:00.123456+00:00'",
    ]
    task = TaskFactory.create(title="Old", description=None)

    def outcome(change: str) -> Any:
        before = {url: alice.send("GET", url)["ETag"] for url in (TASKS, f"{TASKS}/{task.id}")}
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE task SET {change} WHERE id = %s", [task.id])  # noqa: S608
        responses = {
            url: alice.send("GET", url, **{"If-None-Match": tag}) for url, tag in before.items()
        }
        return [(each.status_code, each["ETag"] == before[url]) for url, each in responses.items()]

    assert wrong_rows(changes, outcome, [(200, False)] * 2) == []


def test_the_tag_of_a_page_changes_with_its_links(alice: ApiClient) -> None:
    """The tag of a page must change when a next page appears."""
    TaskFactory.create_batch(2)
    last = alice.send("GET", f"{TASKS}?limit=2")
    TaskFactory.create()

    response = alice.send("GET", f"{TASKS}?limit=2", **{"If-None-Match": last["ETag"]})

    assert response.status_code == 200
    assert response.content == last.content
    assert (list(links(last)), list(links(response))) == ([], ["next"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_known_version_is_a_304(alice: ApiClient, path: str, method: str) -> None:
    """A known version must be a 304 without a body; a weak tag matches too (RFC 9110 §13.1.2)."""
    urls = [TASKS, f"{TASKS}?limit=1", path, f"{path}/"]
    headers = ["{tag}", "W/{tag}", "*", " * ", '"x", {tag}', '{tag},W/"y"', 'W/"x",W/{tag}']
    kept = ("ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin", "Link")
    TaskFactory.create()

    def outcome(call: tuple[str, str]) -> Any:
        url, header = call
        whole = alice.send("GET", url, Origin=FRONT_END)
        sent = {"If-None-Match": header.format(tag=whole["ETag"]), "Origin": FRONT_END}
        response = alice.send(method, url, **sent)
        other = {name for name in kept if response.headers.get(name) != whole.headers.get(name)}
        named = {"X-Request-ID", "Content-Type", "Content-Length"} & set(response.headers)
        return response.status_code, response.content, response["Cache-Control"], other, named

    expected = (304, b"", "private, no-cache", set[str](), {"X-Request-ID"})
    assert wrong_rows(product(urls, headers), outcome, expected) == []


def test_an_unknown_version_is_sent(alice: ApiClient, path: str, tag: str) -> None:
    """A malformed tag, or one of another version, must be ignored."""
    headers = [OTHER, f"W/{OTHER}", "", ",", "x", '"', tag.strip('"'), f"w/{tag}", f"{tag}x"]
    headers += ['"*"', "\xff"]

    def outcome(header: str) -> Any:
        response = alice.send("GET", path, **{"If-None-Match": header})
        return response.status_code, response["ETag"], response.json()["title"]

    assert wrong_rows(headers, outcome, (200, tag, "Old")) == []


def test_writes_ignore_if_none_match(alice: ApiClient) -> None:
    """``If-None-Match`` must not affect a write."""

    def status(write: Endpoint) -> Any:
        task = TaskFactory.create()
        tag = alice.send("GET", f"{TASKS}/{task.id}")["ETag"]
        return write.send(alice, "alice", task.id, **{"If-None-Match": tag}).status_code

    assert {repr(row): status(row) for row in WRITES} == {repr(row): row.owner for row in WRITES}
