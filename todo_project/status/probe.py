"""``python -m todo_project.status.probe``: exit with 0 if the server is alive, else 1."""

import http.client
import sys

from todo_project.configuration.environment import env
from todo_project.configuration.hosts import allowed_hosts
from todo_project.configuration.refusals import one_line_refusals
from todo_project.server.listening import listen_address

TIMEOUT_SECONDS = 3


def is_alive() -> bool:
    """Return whether ``/health`` returns 200 at ``HOST`` and ``PORT``.

    The Host header is the first of ``ALLOWED_HOSTS``: a host that is not allowed would get a 400.

    Source: docs/contract.md, "Six endpoints and a health check".
    """
    name = allowed_hosts(env.str("ALLOWED_HOSTS", "*"))[0].lstrip(".")
    # Linux connects 0.0.0.0 and :: to localhost.
    wire = http.client.HTTPConnection(*listen_address(env), timeout=TIMEOUT_SECONDS)
    try:
        wire.request("GET", "/health", headers={"Host": name.replace("*", "localhost")})
        return wire.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        wire.close()


if __name__ == "__main__":
    with one_line_refusals():
        sys.exit(0 if is_alive() else 1)
