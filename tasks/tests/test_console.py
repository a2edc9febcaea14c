"""What the commands have in common in front of a person."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.management.console import held_interrupt


def press_ctrl_c() -> None:
    """Send this process what a terminal sends at Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_waits_until_it_may_come() -> None:
    """What must not be torn must run to its end."""
    with held_interrupt() as release:
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            release()


def test_without_ctrl_c_the_work_goes_on() -> None:
    """Asking must cost nothing."""
    with held_interrupt() as release:
        release()


def test_a_second_ctrl_c_is_not_held_back() -> None:
    """A person must be able to leave a database that does not answer."""
    with held_interrupt():
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()


def test_afterwards_ctrl_c_is_what_it_was() -> None:
    """A caller's own way with Ctrl-C must be put back."""
    before = signal.getsignal(signal.SIGINT)

    with held_interrupt():
        press_ctrl_c()

    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_there_is_nothing_to_hold() -> None:
    """Python gives Ctrl-C to the main thread only; the commands must run in others as well."""

    def work() -> bool:
        with held_interrupt() as release:
            release()
        return True

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result()
