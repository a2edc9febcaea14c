"""The ``search`` option (docs/contract.md, "Extensions", list options)."""

import time
from itertools import product
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from conftest import ApiClient
from tasks.list_options import ListOptions, read_options
from tasks.models import Task, TaskRow
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, ids, pages
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db


# the search, a title, and an optional description
Row = tuple[str, str] | tuple[str, str, str]

FOUND: list[Row] = [
    *(("milk", "Buy milk"), ("ilk", "Buy milk"), ("MILK", "buy milk")),
    *(("milk", "Shopping", "Bread, MILK"), ("milk bread", "Buy bread", "and milk")),
    *(("bread  milk", "milk and bread"), ("\tmilk\n", "milk", ""), ("milk milk", "milk")),
    *(("", "Anything"), ("  ", "Anything"), ("100%", "Save 100% now"), ("a_b", "a_b")),
    *(("a\\b", "a\\b"), ("\\", "back\\slash"), ("%%", "50%%"), ("*", "2 * 3")),
    *(("'; DROP TABLE task; --", "'; drop table task; --"), ('"milk"', 'Buy "Milk"')),
    *(("ÄPFEL", "äpfel kaufen"), ("äpfel", "ÄPFEL"), ("STRASSE", "Straße"), ("straße", "STRASSE")),
    *(("ẞ", "ß"), ("молоко", "Купить МОЛОКО"), ("МОЛОКО", "молоко"), ("ΟΔΟΣ", "οδος")),
    *(("οδος", "ΟΔΟΣ"), ("οδοσ", "οδος"), ("İZMİR", "i̇zmi̇r"), ("izmir", "IZMIR")),
    *(("izmir", "İzmir"), ("İZMİR", "izmir"), ("ışık", "IŞIK ışık"), ("ﬁsh", "FISH"), ("ǆ", "Ǆ")),
    *(("牛奶", "买牛奶"), ("😀", "smile 😀"), ("ЁЖ", "x", "ёж")),
]
NOT_FOUND: list[Row] = [
    *(("milk bread", "Buy milk"), ("milkbread", "milk", "bread"), ("milk", "mi", "lk")),
    *(("100%", "Save 100 now"), ("%", "Anything", "at all"), ("_", "Anything", ""), ("a_b", "axb")),
    *(("a%b", "axxb"), ("\\%", "100%"), ("\\", "slash/"), ("m*k", "milk"), (".", "milk")),
    *(("[a-z]", "milk"), ("apfel", "Äpfel"), ("null", "milk"), ("none", "milk"), ("alice", "milk")),
    *(("false", "milk"), ("milk\0", "milk")),
]


@pytest.mark.parametrize(("table", "number"), [(FOUND, 1), (NOT_FOUND, 0)], ids=["all", "not all"])
def test_search_finds_tasks_with_every_word(
    alice: ApiClient, task: Task, table: list[Row], number: int
) -> None:
    """Every word must occur literally in the title or the description, ignoring case."""

    def found(row: Row) -> list[int]:
        search, title, *rest = row
        Task.objects.filter(pk=task.id).change(title=title, description=rest[0] if rest else None)
        return ids(alice.send("GET", f"{TASKS}?search={quote(search)}"))

    assert wrong_rows(table, found, [task.id] * number) == []


def test_a_search_may_have_twenty_words(alice: ApiClient) -> None:
    """Words that are repeated, in any case, must count once; 200 characters must be accepted."""
    found = TaskFactory.create(title="abcdefghijklmnopqrst").id
    words = " ".join("abcdefghijklmnopqrst")
    searches = [words, f"{words} {words.upper()}", f"{words} {'a ' * 70}", "a" * 200, "😀" * 200]

    assert [ids(alice.send("GET", f"{TASKS}?search={quote(each)}")) for each in searches] == [
        *([[found]] * 3),
        *([[]] * 2),
    ]


def test_words_within_others_are_not_looked_for() -> None:
    """What contains a word contains the parts of the word."""
    words = read_options({"search": "b Milk ilk milk il x milky"}).words

    assert sorted(words) == ["b", "milky", "x"]


def test_a_search_ends_at_the_deadline(alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """It computes after the database has answered, and must not go on for longer than others."""
    TaskFactory.create_batch(5)
    looked_at = []
    clock = SimpleNamespace(monotonic=time.monotonic)

    def has_words(self: ListOptions, task: TaskRow) -> bool:
        looked_at.append(task.id)
        clock.monotonic = lambda: 1e12
        return True

    monkeypatch.setattr("todo_project.deadlines.time", clock)
    monkeypatch.setattr("tasks.pagination.FILTER_BATCH_SIZE", 2)
    monkeypatch.setattr(ListOptions, "_has_words", has_words)
    response = alice.send("GET", f"{TASKS}?search=a")

    assert (response.status_code, len(looked_at)) == (503, 2)


def test_a_search_that_is_not_utf_8_finds_nothing(alice: ApiClient) -> None:
    """Bytes that are not UTF-8 must match nothing and must not be a 500."""
    TaskFactory.create(title="milk")

    assert ids(alice.send("GET", f"{TASKS}?search=%FF%FE")) == []


def test_pages_of_a_search_are_full(alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that do not match must neither shorten a page nor end the list."""
    for number in range(24):
        TaskFactory.create(title="Milk" if number % 5 == 0 else "Bread", completed=number % 2)

    def outcome(row: tuple[int, str]) -> tuple[list[int], bool]:
        batch_size, ordering = row
        monkeypatch.setattr("tasks.pagination.FILTER_BATCH_SIZE", batch_size)
        url = f"{TASKS}?search=milk&ordering={ordering}"
        walked = pages(alice, f"{url}&limit=2")
        is_whole = [task for page in walked for task in page] == alice.send("GET", url).json()
        return [len(page) for page in walked], is_whole

    table = product([1, 2, 3, 7, 1000], ["id", "-title", "completed"])
    assert wrong_rows(table, outcome, ([2, 2, 1], True)) == []


def test_a_search_goes_beyond_the_first_thousand_tasks(alice: ApiClient) -> None:
    """A search must cover a list of any length."""
    created = TaskFactory.create(title="first NEEDLE").created_at
    Task.objects.bulk_create(
        Task(
            user_id="alice",
            title="needle" if number % 1100 == 0 else "hay",
            created_at=created,
            updated_at=created,
        )
        for number in range(1, 3301)
    )

    walked = pages(alice, f"{TASKS}?search=needle&limit=3&ordering=-created_at")

    assert [len(page) for page in walked] == [3, 1]
