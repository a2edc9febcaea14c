"""The log lines at server startup."""

import logging

from django.core.checks import Tags, run_checks
from django.db import DatabaseError, InterfaceError, connection

from todo_project.deadlines import database_deadline
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
    """Log the name of the database, whether it answers, and whether migrations are applied.

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
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Database %s does not answer (%s)", name, type(error).__name__)
    else:
        if missing:
            logger.warning(
                "Database %s answers; unapplied migrations: %d; run migrate", name, missing
            )
        else:
            logger.info("Database %s answers; migrations are applied", name)
    finally:
        connection.close()
