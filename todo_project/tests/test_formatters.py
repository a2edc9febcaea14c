"""The formats of a log line: JSON, and text with DEBUG (FR-017)."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine

from todo_project.logs.formatters import (
    JSONLine,
    LineHandler,
    RequestRecord,
    TextLine,
    current_request_id,
)

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
    """Return a logger without propagation."""
    logger = logging.getLogger("a.logger")
    logger.propagate = False
    yield logger
    logger.handlers.clear()


def add_handler(logger: logging.Logger, formatter: type[logging.Formatter]) -> io.StringIO:
    """Add a handler with a formatter to the logger; return its stream."""
    stream = io.StringIO()
    handler = LineHandler(stream)
    handler.setFormatter(formatter())
    logger.addHandler(handler)
    return stream


def log_request(logger: logging.Logger, fields: dict[str, Any]) -> None:
    """Log a request without a record, and check that a record would produce the same line."""
    # pytest adds its own handlers
    [handler] = [handler for handler in logger.handlers if isinstance(handler, LineHandler)]
    with time_machine.travel(0, tick=False):
        handler.write_request(logging.INFO, fields)
        written = handler.formatter.format_request(logging.INFO, fields)
        assert handler.format(RequestRecord(logging.INFO, fields)) == written


def test_the_message_is_a_field(logger: logging.Logger) -> None:
    """The message must be a field, like time, level, logger and request id."""
    log = add_handler(logger, JSONLine)
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


@pytest.mark.parametrize("formatter", [JSONLine, TextLine])
def test_a_message_is_one_line_of_printable_ascii(
    logger: logging.Logger, formatter: type[logging.Formatter]
) -> None:
    """Any text must be logged as one line, even with a lone surrogate."""
    log = add_handler(logger, formatter)
    for text in TEXTS:
        logger.info("said: %s", text)
        log_request(logger, {**REQUEST, "user_id": text, "path_user_id": text})

    lines = log.getvalue().removesuffix("\n").split("\n")
    assert len(lines) == 2 * len(TEXTS)
    assert [line for line in lines if not (line.isascii() and line.isprintable())] == []


def test_text_survives_a_json_round_trip(logger: logging.Logger) -> None:
    """Text must be preserved, except lone surrogates, which are escaped."""
    log = add_handler(logger, JSONLine)
    for text in TEXTS:
        logger.info("%s", text)
        log_request(logger, {**REQUEST, "user_id": text})

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    expected = [*TEXTS[:-1], "half \\ud800"]
    assert [line["message"] for line in lines[::2]] == expected
    assert [line["user_id"] for line in lines[1::2]] == expected


def test_a_request_is_a_readable_line_of_text(logger: logging.Logger) -> None:
    """A developer must see the request and its status at a glance."""
    log = add_handler(logger, TextLine)
    log_request(logger, REQUEST)
    log_request(logger, {**REQUEST, "status": 200, "reason": None, "path_user_id": None})
    log_request(logger, {**REQUEST, "route": None, "status": 404, "user_id": None, "reason": None})

    refused, answered, missing = log.getvalue().splitlines()
    assert refused.endswith(
        " INFO todo_project.access [-] GET /api/{user_id}/tasks 403 1.25 ms"
        " user_id='bob' reason='user_mismatch' path_user_id='alice'"
    )
    assert answered.endswith(" GET /api/{user_id}/tasks 200 1.25 ms user_id='bob'")
    assert " GET - 404 1.25 ms" in missing


def fail(logger: logging.Logger) -> None:
    """Log an exception whose message contains a forged line."""
    try:
        raise ValueError("forged\n2026-01-06 15:30:00,000 INFO\x1b[2J password=hunter2")
    except ValueError:
        logger.exception("It failed")


def test_a_traceback_is_a_field(logger: logging.Logger) -> None:
    """A traceback must not be split over several lines."""
    log = add_handler(logger, JSONLine)
    fail(logger)

    line = json.loads(log.getvalue())
    assert line["message"] == "It failed"
    assert line["exc_info"].startswith("Traceback (most recent call last):\n")
    assert line["exc_info"].endswith("INFO\x1b[2J password=***")


def test_a_traceback_is_indented(logger: logging.Logger) -> None:
    """No line of a traceback may look like a line of the log."""
    log = add_handler(logger, TextLine)
    fail(logger)

    first, *traceback = log.getvalue().splitlines()
    assert first.endswith(" ERROR a.logger [-] It failed")
    assert traceback[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in traceback)
    assert traceback[-1] == "    2026-01-06 15:30:00,000 INFO\\x1b[2J password=***"


def test_a_value_without_a_json_form_is_logged_as_text(logger: logging.Logger) -> None:
    """An unusual value must not cause the line to be lost."""
    log = add_handler(logger, JSONLine)
    logger.info({"a": ValueError("b"), "c": "\u2028"})
    log_request(logger, {**REQUEST, "user_id": ValueError("b")})

    mapping, request = map(json.loads, log.getvalue().splitlines())
    assert (mapping["a"], mapping["c"], request["user_id"]) == ("b", "\u2028", "b")


@pytest.mark.parametrize("formatter", [JSONLine, TextLine])
def test_a_line_that_cannot_be_written_is_reported(
    logger: logging.Logger,
    formatter: type[logging.Formatter],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A full disk or a closed stream must be reported, and must not fail the request."""
    log = add_handler(logger, formatter)
    monkeypatch.setattr(log, "flush", Mock(side_effect=OSError("No space left on device")))
    log_request(logger, REQUEST)
    assert "No space left on device" in capsys.readouterr().err

    monkeypatch.undo()
    log.close()
    log_request(logger, REQUEST)
    assert "I/O operation on closed file" in capsys.readouterr().err
