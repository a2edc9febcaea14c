"""The formats of a log line: JSON, or text for developers.

Both are printable ASCII: no message can start a line, move a terminal's cursor or reverse the text.

Source: docs/contract.md, "The plan's requirements", FR-017.
"""

import logging
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
from pythonjsonlogger.orjson import OrjsonFormatter

from todo_project.logs.output import Output, without_waiting
from todo_project.logs.redaction import redacted

current_request_id: ContextVar[str | None] = ContextVar("current_request_id", default=None)

ACCESS_LOGGER = "todo_project.access"
FIELDS = (
    *("request_id", "method", "route", "status", "duration_ms"),
    *("user_id", "reason", "path_user_id", "refused_host"),
)
UNPRINTABLE = re.compile(r"[^ -~]")


class RequestRecord(logging.LogRecord):
    """The record of a request. Each field is also an attribute, as with ``extra``.

    A handler may format it in another thread, so it has the ``request_id`` as well.
    """

    def __init__(self, level: int, fields: dict[str, Any]) -> None:
        super().__init__(ACCESS_LOGGER, level, __file__, 0, _request_message(fields), None, None)
        vars(self).update(fields, request_id=current_request_id.get())


class JSONLine(OrjsonFormatter):
    """Formats a record as a JSON object on one line; a traceback is one of its fields."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Collect the fields of the line.

        Args:
            log_data: receives the fields.
            record: the log record.
            message_dict: the traceback, if any, and the items of a message that is a mapping.
        """
        log_data.update(_common_fields(record.name, record.levelname))
        if isinstance(record, RequestRecord):
            log_data.update({name: vars(record)[name] for name in FIELDS if name in vars(record)})
            return
        log_data["message"] = redacted(record.message)
        log_data.update({name: redacted(str(text)) for name, text in message_dict.items()})

    def format_request(self, level: int, fields: dict[str, Any]) -> str:
        """Return the line of a request."""
        common = _common_fields(ACCESS_LOGGER, logging.getLevelName(level))
        return self.jsonify_log_record(common | fields)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Encode the fields as printable ASCII; orjson rejects lone surrogates and emits UTF-8."""
        try:
            line = orjson.dumps(log_data, default=str, option=orjson.OPT_UTC_Z).decode()
        except orjson.JSONEncodeError:  # a lone surrogate
            return self.jsonify_log_record(
                {name: _escape_surrogates(value) for name, value in log_data.items()}
            )
        if line.isascii() and "\x7f" not in line:
            return line
        return UNPRINTABLE.sub(_escape_json, line)


class TextLine(logging.Formatter):
    """Formats a record as a line of text, with an indented traceback below it."""

    converter = time.gmtime  # type: ignore[assignment]  # as the standard library does

    def format(self, record: logging.LogRecord) -> str:
        """Return the text."""
        identifier = getattr(record, "request_id", None) or current_request_id.get() or "-"
        origin = f"{record.levelname} {record.name} [{identifier}]"
        first = f"{self.formatTime(record)} {origin} {redacted(record.getMessage())}"
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        indented = [f"    {line}" for line in redacted(traceback).split("\n") if line]
        return "\n".join(_escape_unprintable(line) for line in (first, *indented))

    def format_request(self, level: int, fields: dict[str, Any]) -> str:
        """Return the line of a request."""
        return self.format(RequestRecord(level, fields))


class LineHandler(logging.StreamHandler[Any]):
    """Writes log records, and writes request lines without building a record.

    Source: docs/decisions/0017-request-log-without-records.md.
    """

    formatter: JSONLine | TextLine

    def __init__(self, stream: TextIO) -> None:
        super().__init__(without_waiting(stream))
        if isinstance(self.stream, Output):
            self.stream.dropped_line = self._dropped_line

    def _dropped_line(self, number: int) -> str:
        message = f"{number} log lines were dropped, because standard output was not being read"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, None, None)
        return self.format(record) + self.terminator

    def write_request(self, level: int, fields: dict[str, Any]) -> None:
        """Write the line of a request. Like ``emit()``, report a failure instead of raising it."""
        line = self.formatter.format_request(level, fields)
        try:
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except (OSError, ValueError):  # a full disk, a closed stream
            self.handleError(RequestRecord(level, fields))


def _common_fields(logger: str, level: str) -> dict[str, Any]:
    """Return the fields of every line."""
    return {
        "time": datetime.now(UTC),
        "level": level,
        "logger": logger,
        "request_id": current_request_id.get(),
    }


def _request_message(fields: dict[str, Any]) -> str:
    """Return the fields of a request as text, omitting empty optional ones."""
    route = fields["route"] or "-"
    message = f"{fields['method']} {route} {fields['status']} {fields['duration_ms']} ms"
    names = ("user_id", "reason", "path_user_id", "refused_host")
    return message + "".join(f" {name}={fields[name]!a}" for name in names if fields.get(name))


def _escape_unprintable(text: str) -> str:
    return UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def _escape_surrogates(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _escape_json(match: re.Match[str]) -> str:
    """Return the JSON escape of a character, a surrogate pair for one above U+FFFF."""
    halves = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))
