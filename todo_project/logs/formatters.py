"""What a line of the log looks like: JSON, or text for the eyes of a developer.

Either is printable ASCII, so that nothing in it can begin a line, move a terminal's cursor or read
backwards.

Source: issue "Documents, logs, metrics, deployment", logs; FR-017.
"""

import logging
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
from pythonjsonlogger.orjson import OrjsonFormatter

from todo_project.logs.redaction import redacted

current_request_id: ContextVar[str | None] = ContextVar("current_request_id", default=None)

UNPRINTABLE = re.compile(r"[^ -~]")


class JSONLine(OrjsonFormatter):
    """Writes a record as a JSON object in one line, a traceback as one of its fields."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Collect what the line has.

        Args:
            log_data: receives it.
            record: a sentence.
            message_dict: a traceback, if there is one.
        """
        log_data.update(_head(record.name, record.levelname))
        log_data["message"] = redacted(record.message)
        log_data.update({name: redacted(str(text)) for name, text in message_dict.items()})

    def of_request(self, logger: str, level: str, fields: dict[str, Any]) -> str:
        """Return the line of a request."""
        return self.jsonify_log_record(_head(logger, level) | fields)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Encode it; what orjson leaves as it is, or refuses, is rare and may take longer."""
        try:
            line = orjson.dumps(log_data, default=str, option=orjson.OPT_UTC_Z).decode()
        except orjson.JSONEncodeError:  # a lone surrogate
            return self.jsonify_log_record({name: _whole(log_data[name]) for name in log_data})
        if line.isascii() and "\x7f" not in line:
            return line
        return UNPRINTABLE.sub(_escape, line)


class TextLine(logging.Formatter):
    """Writes a record as a line of text, and a traceback indented below it."""

    converter = time.gmtime  # type: ignore[assignment]  # as the standard library does

    def format(self, record: logging.LogRecord) -> str:
        """Return the text."""
        origin = f"{record.levelname} {record.name} [{current_request_id.get() or '-'}]"
        head = f"{self.formatTime(record)} {origin} {redacted(record.getMessage())}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        below = [f"    {line}" for line in redacted(trace).split("\n") if line]
        return "\n".join(_printable(line) for line in (head, *below))

    def of_request(self, logger: str, level: str, fields: dict[str, Any]) -> str:
        """Return the line of a request."""
        about = {"name": logger, "levelname": level, "msg": _sentence(fields)}
        return self.format(logging.makeLogRecord(about))


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes what is logged, and also requests, of which nobody makes a record.

    A record's way through logger, handler and formatter is 8 % of a request.
    """

    formatter: JSONLine | TextLine

    def write_request(self, logger: str, level: int, fields: dict[str, Any]) -> None:
        """Write a request's line. Like a record's, it costs nobody an answer if it fails."""
        line = self.formatter.of_request(logger, logging.getLevelName(level), fields)
        try:
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except (OSError, ValueError):  # a full disk, a closed stream
            self.handleError(logging.makeLogRecord({"name": logger, "msg": "A request"}))


def _head(logger: str, level: str) -> dict[str, Any]:
    """Return what every line has."""
    return {
        "time": datetime.now(UTC),
        "level": level,
        "logger": logger,
        "request_id": current_request_id.get(),
    }


def _sentence(fields: dict[str, Any]) -> str:
    """Word a request's fields: what each has, and then what it may have."""
    route = fields["route"] or "-"
    each = f"{fields['method']} {route} {fields['status']} {fields['duration_ms']} ms"
    names = ("user_id", "reason", "path_user_id")
    return each + "".join(f" {name}={fields[name]!a}" for name in names if fields.get(name))


def _printable(text: str) -> str:
    return UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def _whole(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _escape(found: re.Match[str]) -> str:
    """Write a character as JSON can, in two halves where it has more than 16 bits."""
    halves = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))
