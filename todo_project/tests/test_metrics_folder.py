"""The folder of the workers' counters."""

import os
from pathlib import Path

from todo_project.server.metrics_folder import PREFIX, MetricsFolder, remove_gauges


def test_the_folder_of_a_killed_server_is_removed(tmp_path: Path) -> None:
    """Those of running servers, other users' and other files must be kept."""
    left, file, other = (tmp_path / name for name in (f"{PREFIX}left", f"{PREFIX}file", "other"))
    left.mkdir()
    (left / "counter_1.db").touch()
    file.touch()
    other.mkdir()

    running, own = MetricsFolder(str(tmp_path)), MetricsFolder(str(tmp_path))

    assert {*tmp_path.iterdir()} == {file, other, running.path, own.path}
    own.remove()
    running.let_go()  # a worker; here it is the server, which is killed
    assert {*tmp_path.iterdir()} == {file, other, running.path}
    last = MetricsFolder(str(tmp_path))
    assert {*tmp_path.iterdir()} == {file, other, last.path}
    last.remove()


def test_what_is_not_a_folder_is_kept(tmp_path: Path) -> None:
    """It may be another user's, or be removed by another server at the same time."""
    (tmp_path / f"{PREFIX}dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / f"{PREFIX}pipe")  # opening it would wait for a writer

    folder = MetricsFolder(str(tmp_path))

    assert len([*tmp_path.iterdir()]) == 3
    folder.remove()


def test_the_gauges_of_a_killed_server_are_removed(tmp_path: Path) -> None:
    """Its counters must be kept, and so must other files."""
    kept = {"counter_1.db", "histogram_1.db", "gauge_all_1.db", "gauge_live.txt"}
    for name in (*kept, "gauge_livesum_1.db", "gauge_livesum_4711.db", "gauge_liveall_2.db"):
        (tmp_path / name).touch()

    remove_gauges(tmp_path)

    assert {file.name for file in tmp_path.iterdir()} == kept
