"""Says in one line what an error of the database means, for operators."""

import re

from django.db import DatabaseError, InterfaceError

from todo_project.logs.redaction import redacted
from todo_project.outages import READ_ONLY, sqlstate

# The SQLSTATE, which an error of connecting does not have, and the beginning of the message
ADVICE = {
    re.compile(pattern, re.IGNORECASE): advice
    for pattern, advice in (
        (r"password authentication failed|role .* does not exist", "Check the user and password."),
        (
            r"database .* does not exist",
            "Create it: CREATE DATABASE todo ENCODING 'UTF8' TEMPLATE template0.",
        ),
        (r"failed to resolve host", "Check the host."),
        (
            r"connection refused|timeout expired|No such file or directory",
            "Check the host and the port, and whether the server runs.",
        ),
        (
            r"\A42501",
            "Let the user create tables: GRANT USAGE, CREATE ON SCHEMA public TO the user.",
        ),
        (rf"\A{READ_ONLY}|readonly database", "It can only be read: use one that can be written."),
        (r"\A42P01|no such table", "Run manage.py migrate."),
        (
            r"invalid command-line argument",
            "Write options in the URL as -c name=value, percent-encoded:"
            " options=-c%20search_path%3Dtodo.",
        ),
        (
            r"channel binding (is )?required",
            "Remove channel_binding=require from the URL, or let the server use TLS and"
            " scram-sha-256.",
        ),
        (
            r"does not support SSL",
            "Turn TLS on at the server, or, within a network that is trusted, set"
            " sslmode=disable in the URL.",
        ),
        (r"file is not a database", "Check the path in the URL."),
    )
}
PATTERNS = list(ADVICE)


def reason(error: Exception) -> str:
    """Return the first line of an error's message, with secrets masked.

    The others are hints of libpq, which are for its own programs, and the SQL.
    """
    return redacted(str(error).partition("\n")[0])


def explain(error: DatabaseError | InterfaceError) -> str:
    """Return a line that says why the database cannot be used, and what to do.

    It contains the names of the host, the user and the database, which libpq quotes, and no
    password.
    """
    first: Exception = error
    while isinstance(first.__context__, (DatabaseError, InterfaceError)):
        first = first.__context__  # of an error that Django's migrations raise instead
    why = reason(first).rstrip(".")
    text = f"{sqlstate(first)} {why}"
    advice = next((f" {ADVICE[each]}" for each in PATTERNS if each.search(text)), "")
    return f"The database cannot be used: {why}.{advice}"
