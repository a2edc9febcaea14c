"""The document: what drf-spectacular reads from the code, and what the rows beside it say."""

from functools import lru_cache
from typing import Any

import orjson
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from todo_project.openapi.answers import HEADERS, REFUSALS
from todo_project.openapi.inspection import described
from todo_project.openapi.operations import LINKS, OPEN_OPERATIONS
from todo_project.openapi.parameters import PARAMETERS
from todo_project.openapi.schemas import SCHEMAS

DESCRIPTION = """\
The tasks of people who sign in with Better Auth. Nobody ever sees or touches somebody else's.

**Who may come in.** `Authorization: Bearer <token>`: a JWT that Better Auth signed. The user that
it names must be the `{user_id}` of the path, character for character.

**Errors** have `detail`, for programs, and `error`, one sentence for people. The checks come in
this order: 401 (who are you), 403 (is this path yours), 405, 413 / 415 / 400 (can the body be
read), 422 (is it valid), 404 and 412 (is the task there, and the one that was meant).

**Paths** may end with a slash; nothing redirects. `HEAD` works wherever `GET` does.

**Versions.** A task and the list have an `ETag`. `If-None-Match` saves a download; `If-Match` on
`PUT`, `PATCH` and `DELETE` refuses to write over what has changed since.

**From a browser** the origins of `BETTER_AUTH_URL` and `ALLOWED_ORIGINS` may call: they get the
`Access-Control-` headers, and their preflight needs no token.
"""

SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Todo back end",
    "VERSION": "1.0.0",
    "DESCRIPTION": DESCRIPTION,
    # Relative to the document's own address: it holds behind any prefix.
    "SERVERS": [{"url": ".", "description": "Where this document comes from"}],
    "TAGS": [
        {"name": "tasks", "description": "A user's tasks."},
        {"name": "service", "description": "For operators and balancers; needs no token."},
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],
    "APPEND_COMPONENTS": {
        "headers": HEADERS,
        "links": LINKS,
        "parameters": PARAMETERS,
        "responses": {name: refusal.answer for name, refusal in REFUSALS.items()},
        "schemas": SCHEMAS,
    },
}


@lru_cache(maxsize=1)
def openapi_document() -> bytes:
    """Make the document, once.

    Source: issue "Documents, logs, metrics, deployment", documents; docs/contract.md.
    """
    with patched_settings(SETTINGS):
        document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    tasks = {path.rstrip("/"): methods for path, methods in document["paths"].items()}
    service = {
        path: {"get": described(row, {"tags": ["service"], "security": []})}
        for path, row in OPEN_OPERATIONS.items()
    }
    return orjson.dumps(document | {"paths": tasks | service})
