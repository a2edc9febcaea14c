"""The WSGI application, which reports its faults to Sentry: ``gunicorn sentry_wsgi``.

Source: docs/recipes.md, "Faults in Sentry".
"""

import sys
from typing import Any

import sentry_sdk
from gunicorn.arbiter import Arbiter
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.utils import Dsn

from todo_project.configuration.environment import env
from todo_project.logs.formatters import current_request_id
from todo_project.logs.redaction import redacted


def scrub(event: Any, hint: Any) -> Any:
    """Remove from an event what a user has sent, and add the request id of the log.

    Only the first line of a message is kept: PostgreSQL quotes the row in the next one.
    """
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = redacted(exception["value"].partition("\n")[0])
    return {**event, "extra": {}, "tags": {"request_id": current_request_id.get()}}


try:
    dsn = env.str("SENTRY_DSN", "")
    Dsn(dsn)
except ValueError:
    sys.stderr.write(
        "SENTRY_DSN must be the DSN of a project in Sentry, such as"
        " https://key@o1.ingest.sentry.io/42.\n"
    )
    sys.exit(Arbiter.WORKER_BOOT_ERROR)  # or gunicorn would restart the worker for ever
sentry_sdk.init(
    dsn,
    before_send=scrub,
    include_local_variables=False,  # such as tokens and titles
    integrations=[LoggingIntegration(event_level=None)],  # log lines are no events
    max_breadcrumbs=0,  # log lines, SQL
    max_request_body_size="never",
    send_default_pii=False,
)

from todo_project.wsgi import application  # noqa: E402, F401 - init() comes first
