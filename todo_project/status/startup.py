"""The log lines at server startup."""

import logging
import sys

from django.conf import settings
from django.core.checks import Tags, run_checks
from django.db import DatabaseError, InterfaceError, connection
from gunicorn.arbiter import Arbiter

from todo_project.deadlines import database_deadline
from todo_project.explanations import reason
from todo_project.status.encoding import REMEDY, encoding_problem
from todo_project.status.migrations import missing_migrations

logger = logging.getLogger(__name__)


def report_settings() -> None:
    """Log the security checks that fail, except deployment checks.

    Few deployments run `manage.py check`.
    """
    for message in run_checks(tags=[Tags.security]):
        if message.is_silenced():
            continue
        logger.warning("%s %s", message.msg, message.hint)


def require_sessions() -> None:
    """Stop the server if session tokens are accepted but their table cannot be read.

    If the database does not answer, the server starts, as it does without sessions.

    Source: docs/better-auth.md, "Session tokens".
    """
    if not settings.BETTER_AUTH["SESSIONS"]:
        return
    from authn.sessions import table_is_readable  # imported only with the setting

    try:
        with database_deadline():
            is_readable = table_is_readable()
    except (DatabaseError, InterfaceError):  # report_database() says why
        is_readable = True
    finally:
        connection.close()
    if not is_readable:
        logger.error(
            'BETTER_AUTH_SESSIONS needs Better Auth\'s table "session" in the same database, with'
            " its columns token, userId and expiresAt, and the right to read it."
        )
        sys.exit(Arbiter.APP_LOAD_ERROR)  # the main process stops too


def report_database() -> None:
    """Log the name of the database, whether it answers, its encoding, and missing migrations.

    The server starts even if the database is unreachable; until it answers, each request that needs
    it gets a 503.

    Source: docs/contract.md, "Errors" (503).
    """
    database = connection.settings_dict
    where = database["HOST"] or database["OPTIONS"].get("host", "")
    name = f"{connection.display_name} {where}{'/' if where else ''}{database['NAME']}"
    try:
        with database_deadline():
            missing = missing_migrations(connection)
            problem = encoding_problem(connection)
    except (DatabaseError, InterfaceError) as error:
        why = f"{type(error).__name__}: {reason(error)}"
        logger.warning("Database %s does not answer (%s)", name, why)
    else:
        if problem:
            logger.warning("Database %s answers, but %s. %s", name, problem, REMEDY)
        elif missing:
            logger.warning(
                "Database %s answers; unapplied migrations: %d; run migrate", name, missing
            )
        else:
            logger.info("Database %s answers; migrations are applied", name)
    finally:
        connection.close()
