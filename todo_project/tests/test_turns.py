"""Turns: one thread serves the clients, until it waits for something else."""

import threading
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from django.db import connection

from tasks.models import Task
from todo_project.server import turns
from todo_project.server.turns import Turn, Turns
from todo_project.tests.waiting import wait_until

SECONDS = 20.0


class Thread:
    """A thread that takes its turn when told to, and says when it has it."""

    def __init__(self, shared: Turns) -> None:
        self.turn = Turn(shared)
        self.has_turn = threading.Event()
        threading.Thread(target=self.take).start()

    def take(self) -> None:
        """Wait for the turn."""
        self.turn.take()
        self.has_turn.set()


def test_one_thread_has_the_turn() -> None:
    """The turn must be kept until it is passed on, and then go to exactly one thread."""
    shared = Turns()
    first = Thread(shared)
    assert first.has_turn.wait(SECONDS)
    first.turn.take()  # it still has it
    others = [Thread(shared), Thread(shared)]
    assert not any(other.has_turn.wait(0.1) for other in others)

    first.turn.pass_on()
    first.turn.pass_on()  # has no effect: it has passed it on

    now = wait_until(lambda: [other for other in others if other.has_turn.is_set()])
    [later] = [other for other in others if other not in now]
    assert not later.has_turn.wait(0.1)
    now[0].turn.pass_on()
    assert later.has_turn.wait(SECONDS)


def test_a_turn_without_takers_is_kept_for_the_next() -> None:
    """Nobody must wait for a turn that nobody has."""
    shared = Turns()
    first = Thread(shared)
    assert first.has_turn.wait(SECONDS)
    first.turn.pass_on()

    assert Thread(shared).has_turn.wait(SECONDS)


@pytest.fixture
def turn() -> Iterator[Mock]:
    """Give the test's thread a turn."""
    turns.of_this_thread.turn = mock = Mock()
    yield mock
    turns.of_this_thread.turn = None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_thread_that_waits_for_the_database_passes_its_turn_on(turn: Mock) -> None:
    """Other clients must be served while a statement runs."""
    list(Task.objects.all())
    calls = turn.pass_on.call_count
    assert calls > 0

    connection.fetch_all("SELECT 1", [])  # type: ignore[attr-defined]
    assert turn.pass_on.call_count > calls


def test_outside_the_server_there_is_no_turn() -> None:
    """Commands and tests must not need one."""
    assert turns.of_this_thread.turn is None
    turns.pass_on()
