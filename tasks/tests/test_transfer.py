"""Export and import of tasks as JSON Lines."""

import json
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import ApiClient
from tasks.maintenance import transfer
from tasks.maintenance.transfer import LineError, exported_lines, import_lines
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.jsonl import line

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)


def stored() -> list[tuple[Any, ...]]:
    """Return all stored tasks without their ids."""
    return [row[1:] for row in rows()]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


@pytest.mark.django_db
@given(
    title=texts,
    description=st.none() | texts,
    completed=st.booleans(),
    times=st.tuples(*[st.datetimes(timezones=st.just(UTC))] * 2),
)
@example(title="a\u2028b", description="", completed=True, times=(NOON, NOON))
@example(title="a\x85b", description=None, completed=False, times=(NOON, NOON))
@example(title="a\r\nb", description=" a ", completed=False, times=(NOON, NOON))
@example(title="\ufeffa", description='"\\', completed=False, times=(NOON, NOON))
@example(title="zoë \N{PILE OF POO}", description="text", completed=False, times=(NOON, NOON))
def test_an_imported_export_equals_the_original(**fields: Any) -> None:
    """Every field except the id must be preserved; each task must be one line of ASCII."""
    created_at, updated_at = fields.pop("times")
    Task.objects.all().delete()
    Task.objects.create(user_id="alice", created_at=created_at, updated_at=updated_at, **fields)
    before = stored()

    (exported,) = exported_lines("alice")
    Task.objects.all().delete()

    assert (exported.isascii(), exported.splitlines()) == (True, [exported])
    assert import_lines([exported.encode()], as_is=True) == 1
    assert stored() == before


@pytest.mark.django_db
def test_a_validated_import_preserves_texts() -> None:
    """White space must be kept, and ``null`` must differ from ``""``."""
    texts = ["a\u2028b", "a\x85b", "a\r\nb", "\ufeffa", "zoë \N{PILE OF POO}", " a ", '"\\']
    for title, description in product(texts, [None, "", *texts]):
        TaskFactory.create(title=title, description=description)
    before = stored()
    lines = [each.encode() for each in exported_lines("alice")]
    Task.objects.all().delete()

    assert import_lines(lines) == len(before)
    assert stored() == before


@pytest.mark.django_db
def test_a_line_is_the_task_as_the_api_returns_it(alice: ApiClient) -> None:
    """The format must match the API's; other users' tasks must not be exported (SC-002)."""
    TaskFactory.create()
    TaskFactory.create(user_id="bob")

    (exported,) = exported_lines("alice")

    assert list(json.loads(exported).items()) == list(
        alice.send("GET", "/api/alice/tasks").json()[0].items()
    )


@pytest.mark.django_db
def test_tasks_are_exported_in_batches_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch must be bounded and continue after the last id, even while tasks are deleted."""
    monkeypatch.setattr(transfer, "BATCH_SIZE", 2)
    ids = [TaskFactory.create().id for _ in range(5)]
    exported = []

    with CaptureQueriesContext(connection) as captured:
        for each in exported_lines("alice"):
            exported.append(json.loads(each)["id"])
            Task.objects.filter(id=ids[0]).delete()

    assert exported == ids
    reads = [str(query["sql"]) for query in captured if str(query["sql"]).startswith("SELECT")]
    assert [sql[-8:] for sql in reads] == [" LIMIT 2"] * 4


@pytest.mark.django_db
def test_an_import_keeps_the_order_and_assigns_new_ids() -> None:
    """The new ids must be in the order of the lines."""
    kept = TaskFactory.create().id

    import_lines([line(id=kept, title="first"), line(id=kept, title="second")])

    assert [row[2] for row in rows()[1:]] == ["first", "second"]
    assert [row[0] > kept for row in rows()[1:]] == [True, True]


@pytest.mark.django_db
def test_a_datetime_may_have_another_offset_or_fewer_digits() -> None:
    """Times in other RFC 3339 forms must be accepted."""
    datetimes = {
        "2026-01-06T12:00:00Z": NOON,
        "2026-01-06T12:00:00.0Z": NOON,
        "2026-01-06T13:00:00+01:00": NOON,
        "2026-01-06T12:00:00.000001Z": NOON.replace(microsecond=1),
    }

    import_lines([line(created_at=text, updated_at=text) for text in datetimes])

    times = Task.objects.order_by("id").values_list("created_at", "updated_at")
    assert [*times] == [(value, value) for value in datetimes.values()]


@pytest.mark.django_db
def test_a_blank_line_is_skipped_but_counted() -> None:
    """A blank line must not be an error, but must count in line numbers."""
    assert [import_lines(lines) for lines in ([], [b""], [b"\n", b" \r\n"])] == [0, 0, 0]
    with pytest.raises(LineError, match=r"^Line 3: "):
        import_lines([line(), b"\n", b"{\n"])
    assert rows() == []
