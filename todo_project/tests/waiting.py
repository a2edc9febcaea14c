"""The one way in which tests wait for something that happens in its own time.

How often a loop of a test runs depends on the machine, and so does the coverage of its branches.
Here both outcomes of a wait have a test, whatever the machine does.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Ten times as long as a busy machine takes for anything that is waited for
WAIT_SECONDS = 180.0
PAUSE_SECONDS = 0.02


def wait_until(
    condition: Callable[[], T | None],
    seconds: float = WAIT_SECONDS,
    log: Callable[[], str] = str,
) -> T:
    """Wait until a condition is true.

    Args:
        condition: called until it returns a true value.
        seconds: the longest wait.
        log: returns what the failure shows.

    Returns:
        The value.

    Raises:
        AssertionError: the condition was not true in time.
    """
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, log()
        time.sleep(PAUSE_SECONDS)
    return value
