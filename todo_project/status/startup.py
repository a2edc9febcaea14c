"""The log lines at server startup."""

import logging

from django.core.checks import Tags, run_checks
from django.db import DatabaseError, InterfaceError, connection

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


def report_database() -> None:
    """Log the name of the database, whether it answers, its encoding, and missing migrations.

    The server starts even if the database is unreachable; until it answers, each request that needs
    it gets a 503.

    Source: docs/contract.md, "Errors" (503).
    """
    settings = connection.settings_dict
    where = settings["HOST"] or settings["OPTIONS"].get("host", "")
    name = f"{connection.display_name} {where}{'/' if where else ''}{settings['NAME']}"
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
