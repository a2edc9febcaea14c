"""The forms of a line: JSON, and text with DEBUG (FR-017)."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from todo_project.logs.formatters import JSONLine, LineHandler, TextLine, current_request_id

TEXTS = [
    *("\n2026-01-06 15:30:00,000 INFO forged", "\r\nforged", "\x1b[2Jforged", "\x08forged"),
    *("\x7fforged", "\x00forged", "\x85forged", "\u2028forged", "\u202edegrof"),
    *("\U0001f600 zo\u00eb", '", "level": "forged', "half \ud800"),
]
REQUEST = {
    "method": "GET",
    "route": "/api/{user_id}/tasks",
    "status": 403,
    "duration_ms": 1.25,
    "user_id": "bob",
    "reason": "user_mismatch",
    "path_user_id": "alice",
}


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Make a logger that writes nowhere else."""
    logger = logging.getLogger("a.logger")
    logger.propagate = False
    yield logger
    logger.handlers.clear()


def written(logger: logging.Logger, form: type[logging.Formatter]) -> io.StringIO:
    """Let a logger write in a form; return what receives it."""
    stream = io.StringIO()
    handler = LineHandler(stream)
    handler.setFormatter(form())
    logger.addHandler(handler)
    return stream


def log_request(logger: logging.Logger, fields: dict[str, Any]) -> None:
    """Log a request as the middleware does."""
    [handler] = [each for each in logger.handlers if isinstance(each, LineHandler)]
    handler.write_request(logger.name, logging.INFO, fields)


def test_a_sentence_is_a_field(logger: logging.Logger) -> None:
    """What somebody logs must stand beside where and when."""
    log = written(logger, JSONLine)
    token = current_request_id.set("mine")
    logger.warning("%d tasks", 5)
    current_request_id.reset(token)

    line = json.loads(log.getvalue())
    assert len(line.pop("time")) == len("2026-01-06T15:30:00.123456Z")
    assert line == {
        "level": "WARNING",
        "logger": "a.logger",
        "request_id": "mine",
        "message": "5 tasks",
    }


@pytest.mark.parametrize("form", [JSONLine, TextLine])
def test_a_line_is_one_line_of_printable_ascii(
    logger: logging.Logger, form: type[logging.Formatter]
) -> None:
    """Whatever is logged must be one line, and half a character must not cost it."""
    log = written(logger, form)
    for text in TEXTS:
        logger.info("said: %s", text)
        log_request(logger, {**REQUEST, "user_id": text, "path_user_id": text})

    lines = log.getvalue().removesuffix("\n").split("\n")
    assert len(lines) == 2 * len(TEXTS)
    assert [line for line in lines if not (line.isascii() and line.isprintable())] == []


def test_json_is_read_back_as_it_was(logger: logging.Logger) -> None:
    """Nothing may be lost but what has no form in UTF-8, which is shown as its escape."""
    log = written(logger, JSONLine)
    for text in TEXTS:
        logger.info("%s", text)
        log_request(logger, {**REQUEST, "user_id": text})

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    expected = [*TEXTS[:-1], "half \\ud800"]
    assert [line["message"] for line in lines[::2]] == expected
    assert [line["user_id"] for line in lines[1::2]] == expected


def test_a_request_is_a_readable_line_of_text(logger: logging.Logger) -> None:
    """A developer must see at a glance what was asked and answered."""
    log = written(logger, TextLine)
    log_request(logger, REQUEST)
    log_request(logger, {**REQUEST, "status": 200, "reason": None, "path_user_id": None})
    log_request(logger, {**REQUEST, "route": None, "status": 404, "user_id": None, "reason": None})

    refused, answered, missing = log.getvalue().splitlines()
    assert refused.endswith(
        " INFO a.logger [-] GET /api/{user_id}/tasks 403 1.25 ms"
        " user_id='bob' reason='user_mismatch' path_user_id='alice'"
    )
    assert answered.endswith(" GET /api/{user_id}/tasks 200 1.25 ms user_id='bob'")
    assert " GET - 404 1.25 ms" in missing


def fail(logger: logging.Logger) -> None:
    """Log an exception whose message wants to be a line of its own."""
    try:
        raise ValueError("forged\n2026-01-06 15:30:00,000 INFO\x1b[2J password=hunter2")
    except ValueError:
        logger.exception("It failed")


def test_a_traceback_is_a_field(logger: logging.Logger) -> None:
    """A traceback must not be cut into lines that belong to nothing."""
    log = written(logger, JSONLine)
    fail(logger)

    line = json.loads(log.getvalue())
    assert line["message"] == "It failed"
    assert line["exc_info"].startswith("Traceback (most recent call last):\n")
    assert line["exc_info"].endswith("INFO\x1b[2J password=***")


def test_a_traceback_is_indented_below_its_line(logger: logging.Logger) -> None:
    """A developer must read it, and no line of it may look like one of the log."""
    log = written(logger, TextLine)
    fail(logger)

    head, *below = log.getvalue().splitlines()
    assert head.endswith(" ERROR a.logger [-] It failed")
    assert below[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in below)
    assert below[-1] == "    2026-01-06 15:30:00,000 INFO\\x1b[2J password=***"


def test_what_is_no_json_is_written_as_its_text(logger: logging.Logger) -> None:
    """A line must not be lost for what somebody puts into it."""
    log = written(logger, JSONLine)
    logger.info({"a": ValueError("b"), "c": "\u2028"})
    log_request(logger, {**REQUEST, "user_id": ValueError("b")})

    mapping, request = map(json.loads, log.getvalue().splitlines())
    assert (mapping["a"], mapping["c"], request["user_id"]) == ("b", "\u2028", "b")


@pytest.mark.parametrize("form", [JSONLine, TextLine])
def test_a_line_that_cannot_be_written_fails_nobody(
    logger: logging.Logger,
    form: type[logging.Formatter],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A full disk or a closed stream must not cost an answer that is made, and be told."""
    log = written(logger, form)
    monkeypatch.setattr(log, "flush", Mock(side_effect=OSError("No space left on device")))
    log_request(logger, REQUEST)
    assert "No space left on device" in capsys.readouterr().err

    monkeypatch.undo()
    log.close()
    log_request(logger, REQUEST)
    assert "I/O operation on closed file" in capsys.readouterr().err
