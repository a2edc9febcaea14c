"""Tasks as JSON Lines: on each line one task, as the API shows it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ApiClient
from tasks import transfer
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.jsonl import line
from tasks.transfer import LineError, exported_lines, import_lines

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)


def stored() -> list[tuple[Any, ...]]:
    """Read every stored task but for its id."""
    return [row[1:] for row in rows()]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


@pytest.mark.django_db
@settings(deadline=None)
@given(
    title=texts,
    description=st.none() | texts,
    completed=st.booleans(),
    times=st.tuples(*[st.datetimes(timezones=st.just(UTC))] * 2),
)
def test_what_goes_out_comes_in_exactly_as_it_was(
    title: str, description: str | None, completed: bool, times: tuple[datetime, datetime]
) -> None:
    """Every field but the id must survive, and no text may break its line."""
    Task.objects.all().delete()
    Task.objects.create(
        user_id="alice",
        title=title,
        description=description,
        completed=completed,
        created_at=times[0],
        updated_at=times[1],
    )
    before = stored()
    lines = "".join(f"{each}\n" for each in exported_lines("alice"))
    Task.objects.all().delete()

    assert len(lines.splitlines()) == 1
    assert import_lines(lines.encode().splitlines(keepends=True), is_as_is=True) == 1
    assert stored() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    ["a\u2028b", "a\x85b", "a\r\nb", "\ufeffa", "zoë \N{PILE OF POO}", " a ", '"\\'],
    ids=ascii,
)
@pytest.mark.parametrize("description", [None, "", "text"])
def test_no_text_changes_on_its_way(text: str, description: str | None) -> None:
    """Texts must come back as they were, ``null`` and ``""`` included, one line each."""
    TaskFactory.create(title=text, description=description)
    before = stored()

    (exported,) = exported_lines("alice")
    Task.objects.all().delete()
    import_lines([exported.encode()])

    assert exported.isascii()
    assert exported.splitlines() == [exported]
    assert stored() == before


@pytest.mark.django_db
def test_a_line_is_the_task_as_the_api_shows_it(alice: ApiClient) -> None:
    """There must be one way to write a task down, with the same names in the same order."""
    TaskFactory.create()

    (exported,) = exported_lines("alice")

    assert list(json.loads(exported).items()) == list(
        alice.send("GET", "/api/alice/tasks").json()[0].items()
    )


@pytest.mark.django_db
def test_nobody_elses_task_goes_out() -> None:
    """An export must be of one user (SC-002)."""
    TaskFactory.create(user_id="bob")

    assert list(exported_lines("alice")) == []


@pytest.mark.django_db
def test_tasks_go_out_in_batches_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory must stay flat, and a pooler needs no cursor; what is added meanwhile comes too."""
    monkeypatch.setattr(transfer, "BATCH_SIZE", 2)
    ids = [TaskFactory.create().id for _ in range(5)]

    with CaptureQueriesContext(connection) as captured:
        exported = [json.loads(each)["id"] for each in exported_lines("alice")]

    assert exported == ids
    assert [f"LIMIT {2}" in str(query["sql"]) for query in captured] == [True] * 4


@pytest.mark.django_db
def test_a_deletion_meanwhile_makes_no_other_task_get_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task that is there throughout must come exactly once."""
    monkeypatch.setattr(transfer, "BATCH_SIZE", 2)
    ids = [TaskFactory.create().id for _ in range(5)]
    exported = []

    for each in exported_lines("alice"):
        exported.append(json.loads(each)["id"])
        Task.objects.filter(id=ids[0]).delete()

    assert exported == ids


@pytest.mark.django_db
def test_the_order_stays_and_the_ids_are_new() -> None:
    """The first line must get the lowest of the new ids."""
    kept = TaskFactory.create().id

    import_lines([line(id=kept, title="first"), line(id=kept, title="second")])

    assert [row[2] for row in rows()[1:]] == ["first", "second"]
    assert [row[0] > kept for row in rows()[1:]] == [True, True]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-06T12:00:00Z", NOON),
        ("2026-01-06T12:00:00.0Z", NOON),
        ("2026-01-06T13:00:00+01:00", NOON),
        ("2026-01-06T12:00:00.000001Z", NOON.replace(microsecond=1)),
    ],
)
def test_a_moment_may_have_another_zone_or_fewer_digits(moment: str, expected: datetime) -> None:
    """What others write as RFC 3339 must be read as what it says."""
    import_lines([line(created_at=moment, updated_at=moment)])

    assert (Task.objects.get().created_at, Task.objects.get().updated_at) == (expected, expected)


@pytest.mark.django_db
@pytest.mark.parametrize("lines", [[], [b""], [b"\n", b" \r\n"]], ids=str)
def test_nothing_to_import_is_no_task(lines: list[bytes]) -> None:
    """Empty lines must be skipped: an editor leaves them behind."""
    assert import_lines(lines) == 0
    assert rows() == []


@pytest.mark.django_db
def test_an_empty_line_counts_as_a_line() -> None:
    """The number must be the one that an editor shows."""
    with pytest.raises(LineError, match=r"^Line 3: "):
        import_lines([line(), b"\n", b"{\n"])
