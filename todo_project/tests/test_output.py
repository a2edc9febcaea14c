"""Standard output whose reader is slow, stalls or disappears."""

import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from todo_project.configuration.environment import BASE_DIR
from todo_project.logs.formatters import LineHandler, TextLine
from todo_project.logs.output import MAX_WAITING_BYTES, Output, without_waiting

LINE = "{:07}" + "x" * 992 + "\n"  # of 1,000 bytes


class Pipe:
    """A pipe, or a pair of sockets, with an output on one end."""

    def __init__(self, kind: str) -> None:
        self.sockets: tuple[socket.socket, ...] = ()
        if kind == "socket":
            self.sockets = socket.socketpair()
            self.reader, self.writer = (each.fileno() for each in self.sockets)
        else:
            self.reader, self.writer = os.pipe()
        self.rest = b""
        self.output = Output(self.writer)
        self.output.dropped_line = "{} dropped\n".format

    def read_lines(self, number: int) -> list[str]:
        """Wait for this number of lines, and return all that have arrived."""
        *lines, self.rest = self.rest.split(b"\n")
        while len(lines) < number:
            part = os.read(self.reader, 1 << 16)
            assert part
            *more, self.rest = (self.rest + part).split(b"\n")
            lines += more
        return [line.decode() for line in lines]


@pytest.fixture
def open_pipe() -> Iterator[Callable[[str], Pipe]]:
    """Return a function that opens a pipe; its reader disappears after the test."""
    pipes: list[Pipe] = []

    def open_(kind: str = "pipe") -> Pipe:
        pipes.append(Pipe(kind))
        return pipes[-1]

    yield open_
    for pipe in pipes:
        for end in pipe.sockets:
            end.close()
        if not pipe.sockets:
            os.close(pipe.reader)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_line_is_written_at_once(open_pipe: Callable[[str], Pipe], kind: str) -> None:
    """Lines must arrive whole and in order, however long, with their lone surrogates escaped."""
    pipe = open_pipe(kind)
    lines = ["a\n", f"{'b' * 20_000}\n", "half \ud800\n"]
    for line in lines:
        pipe.output.write(line)
        pipe.output.flush()

    assert pipe.read_lines(3) == ["a", "b" * 20_000, "half \\ud800"]
    pipe.output.finish()


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_reader_that_stalls_costs_lines_but_no_time(
    open_pipe: Callable[[str], Pipe], kind: str
) -> None:
    """What does not fit must be dropped and counted, at the place where lines are missing."""
    pipe, number = open_pipe(kind), 3 * MAX_WAITING_BYTES // 1000
    for each in range(number):
        pipe.output.write(LINE.format(each))
    pipe.output.write("x" * (MAX_WAITING_BYTES + 1))
    received: list[str] = []
    seen = kept = 0
    while seen <= number:
        received = received or pipe.read_lines(1)
        line = received.pop(0)
        if line.endswith(" dropped"):
            seen += int(line.split()[0])
        else:
            assert int(line[:7]) == seen
            seen, kept = seen + 1, kept + 1

    assert (seen, received) == (number + 1, [])
    assert kept >= MAX_WAITING_BYTES // 1000
    pipe.output.write("the next\n")
    assert pipe.read_lines(1) == ["the next"]


def test_the_count_stands_before_the_lines_that_follow(open_pipe: Callable[..., Pipe]) -> None:
    """A reader that goes on must learn at which place lines are missing."""
    pipe = open_pipe()
    for each in range(2000):
        pipe.output.write(LINE.format(each))
    received = pipe.read_lines(1000)
    pipe.output.write("the next\n")
    while received[-1] != "the next":
        received += pipe.read_lines(1)

    assert received[-2] == f"{2000 - len(received[:-2])} dropped"
    assert len(received) > 1002


def test_a_descriptor_that_does_not_wait(open_pipe: Callable[..., Pipe]) -> None:
    """Another program may have set it so; no line may be lost or repeated."""
    pipe = open_pipe("socket")
    pipe.sockets[1].setblocking(False)
    for each in range(1000):
        pipe.output.write(LINE.format(each))
    received: list[str] = []
    while len(received) < 1000:
        received += pipe.read_lines(1)

    assert [int(line[:7]) for line in received] == list(range(1000))


def test_a_thread_that_cannot_be_started(
    open_pipe: Callable[..., Pipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line must be dropped and counted, and the next one must try again."""
    pipe = open_pipe("socket")
    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", Mock(side_effect=RuntimeError("too many threads")))
        pipe.output.write("a\n")
    pipe.output.write("b\n")

    assert pipe.read_lines(2) == ["1 dropped", "b"]


def test_a_reader_that_is_gone_is_an_error_or_nothing(open_pipe: Callable[..., Pipe]) -> None:
    """The handler reports an error to the writer; the thread has nobody to tell."""
    pipe, other = open_pipe(), open_pipe("socket")
    reader, pipe.reader = pipe.reader, os.open(os.devnull, os.O_RDONLY)
    os.close(reader)
    other.sockets[0].close()

    with pytest.raises(BrokenPipeError):
        pipe.output.write("a\n")
    for _ in range(3):
        other.output.write("a\n")
    other.output.finish()


def test_only_what_may_stall_is_replaced(tmp_path: Path) -> None:
    """A file keeps its position, and a buffer in memory has no reader."""
    buffer = io.StringIO()
    with (tmp_path / "log").open("w") as file, Path(os.devnull).open("w") as device:
        found = [without_waiting(each) for each in (buffer, file)]
        outputs = {without_waiting(device), without_waiting(device)}

    assert found == [buffer, file]
    assert [type(output) for output in outputs] == [Output]


def test_the_handler_says_how_many_lines_were_dropped(
    open_pipe: Callable[[str], Pipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line must have the format of the others."""
    monkeypatch.setattr("todo_project.logs.output.MAX_WAITING_BYTES", 10)
    pipe = open_pipe("socket")
    with os.fdopen(os.dup(pipe.writer), "w") as stream:
        handler = LineHandler(stream)
        handler.setFormatter(TextLine())
        handler.stream.write("x" * 11)
        handler.stream.write("x\n")
        [said, line] = pipe.read_lines(2)
        handler.stream.finish()

    expected = (
        " WARNING todo_project.logs.formatters [-] 1 log lines were dropped, because standard"
    )
    assert (line, expected in said) == ("x", True)


def test_a_child_process_has_its_own_thread() -> None:
    """A worker that is started while the reader stalls must neither stall nor repeat lines."""
    code = """
import os, sys
from todo_project.logs.output import Output
output = Output(1)
for number in range(200):
    output.write("x" * 999 + chr(10))
if os.fork() == 0:
    for number in range(200):
        output.write("y" * 999 + chr(10))
    sys.stderr.write("not stalled")
    output.finish()
    os._exit(0)
os.wait()
"""
    # From 3.12 on, Python warns of a fork beside a thread.
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stderr
        assert child.stderr.read(11) == "not stalled"
        lines = child.communicate()[0].splitlines()

    assert (lines.count("x" * 999), lines.count("y" * 999), len(lines)) == (200, 200, 400)
