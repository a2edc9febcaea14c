"""The option ``search`` (contract.md "What goes beyond the plan", list options)."""

from urllib.parse import quote

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, ids, pages

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("search", "title", "description"),
    [
        ("milk", "Buy milk", None),
        ("ilk", "Buy milk", None),
        ("MILK", "buy milk", None),
        ("milk", "Shopping", "Bread, MILK"),
        ("milk bread", "Buy bread", "and milk"),
        ("bread  milk", "milk and bread", None),
        ("\tmilk\n", "milk", ""),
        ("milk milk", "milk", None),
        ("", "Anything", None),
        ("  ", "Anything", None),
        ("100%", "Save 100% now", None),
        ("a_b", "a_b", None),
        ("a\\b", "a\\b", None),
        ("\\", "back\\slash", None),
        ("%%", "50%%", None),
        ("*", "2 * 3", None),
        ("'; DROP TABLE task; --", "'; drop table task; --", None),
        ('"milk"', 'Buy "Milk"', None),
        ("ÄPFEL", "äpfel kaufen", None),
        ("äpfel", "ÄPFEL", None),
        ("STRASSE", "Straße", None),
        ("straße", "STRASSE", None),
        ("ẞ", "ß", None),
        ("молоко", "Купить МОЛОКО", None),
        ("МОЛОКО", "молоко", None),
        ("ΟΔΟΣ", "οδος", None),
        ("οδος", "ΟΔΟΣ", None),
        ("οδοσ", "οδος", None),
        ("İZMİR", "i̇zmi̇r", None),
        ("izmir", "IZMIR", None),
        ("izmir", "İzmir", None),
        ("İZMİR", "izmir", None),
        ("ışık", "IŞIK ışık", None),
        ("ﬁsh", "FISH", None),
        ("ǆ", "Ǆ", None),
        ("牛奶", "买牛奶", None),
        ("😀", "smile 😀", None),
        ("ЁЖ", "x", "ёж"),
    ],
)
def test_a_task_that_has_every_word_is_found(
    alice: ApiClient, search: str, title: str, description: str | None
) -> None:
    """Words must be found anywhere in the title or the description, in any case."""
    task = TaskFactory.create(title=title, description=description)

    assert ids(alice.send("GET", f"{TASKS}?search={quote(search)}")) == [task.id]


@pytest.mark.parametrize(
    ("search", "title", "description"),
    [
        ("milk bread", "Buy milk", None),
        ("milkbread", "milk", "bread"),
        ("milk", "mi", "lk"),
        ("100%", "Save 100 now", None),
        ("%", "Anything", "at all"),
        ("_", "Anything", ""),
        ("a_b", "axb", None),
        ("a%b", "axxb", None),
        ("\\%", "100%", None),
        ("\\", "slash/", None),
        ("m*k", "milk", None),
        (".", "milk", None),
        ("[a-z]", "milk", None),
        ("apfel", "Äpfel", None),
        ("null", "milk", None),
        ("none", "milk", None),
        ("alice", "milk", None),
        ("false", "milk", None),
        ("milk\0", "milk", None),
    ],
)
def test_a_task_that_lacks_a_word_is_not_found(
    alice: ApiClient, search: str, title: str, description: str | None
) -> None:
    """Words must be taken literally, and nothing but the two texts be searched."""
    TaskFactory.create(title=title, description=description)

    assert ids(alice.send("GET", f"{TASKS}?search={quote(search)}")) == []


def test_a_search_that_is_not_utf_8_finds_nothing(alice: ApiClient) -> None:
    """Bytes that are no text must be no fault of ours."""
    TaskFactory.create(title="milk")

    assert ids(alice.send("GET", f"{TASKS}?search=%FF%FE")) == []


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("ordering", ["id", "-title", "completed"])
def test_pages_of_a_search_are_full_whatever_lies_between(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, batch_size: int, ordering: str
) -> None:
    """Tasks that a search passes over must neither shorten a page nor end the list."""
    monkeypatch.setattr("tasks.pages.SEARCH_BATCH_SIZE", batch_size)
    for number in range(24):
        TaskFactory.create(title="Milk" if number % 5 == 0 else "Bread", completed=number % 2)
    url = f"{TASKS}?search=milk&ordering={ordering}"

    walked = pages(alice, f"{url}&limit=2")

    assert [len(page) for page in walked] == [2, 2, 1]
    assert [task for page in walked for task in page] == alice.send("GET", url).json()


def test_a_search_goes_beyond_the_first_thousand_tasks(alice: ApiClient) -> None:
    """What is found must be found wherever it lies in a long list."""
    moment = TaskFactory.create(title="first NEEDLE").created_at
    Task.objects.bulk_create(
        Task(
            user_id="alice",
            title="needle" if number % 1100 == 0 else "hay",
            created_at=moment,
            updated_at=moment,
        )
        for number in range(1, 3301)
    )

    walked = pages(alice, f"{TASKS}?search=needle&limit=3&ordering=-created_at")

    assert [len(page) for page in walked] == [3, 1]
