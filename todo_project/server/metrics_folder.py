"""The folder of the workers' counters."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "todo-metrics-"


class MetricsFolder:
    """A folder that its server locks, so that the next one can tell that it has been left behind.

    The lock ends with the server, even if it is killed.

    Args:
        parent: the folder in which it is created; ``None`` is that for temporary files.
    """

    def __init__(self, parent: str | None) -> None:
        # Locked before it gets its name: another server may be looking for leftovers.
        unnamed = Path(tempfile.mkdtemp(dir=parent))
        self._descriptor = os.open(unnamed, os.O_RDONLY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self.path = unnamed.rename(unnamed.with_name(f"{PREFIX}{unnamed.name}"))
        for folder in self.path.parent.glob(f"{PREFIX}*"):
            if folder != self.path:
                _remove_if_left(folder)

    def let_go(self) -> None:
        """Leave the lock to the server alone; called in each worker."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path)
        os.close(self._descriptor)


def remove_gauges(folder: Path) -> None:
    """Remove the gauges of workers that nobody has seen end, because their server was killed.

    Their counters stay.
    """
    for file in folder.glob("gauge_live*.db"):
        file.unlink()


def _remove_if_left(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # another user's, not a folder, or removed meanwhile
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:  # its server is running
        pass
    finally:
        os.close(descriptor)
