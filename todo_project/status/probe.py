"""``python -m todo_project.status.probe``: exit with 0 if the server is alive, else with 1."""

import http.client
import sys

from todo_project.configuration.environment import env

TIMEOUT_SECONDS = 3


def is_alive() -> bool:
    """Ask for ``/health`` where the variables say that the server listens.

    It has to be asked by one of its names: a host that is not in ``ALLOWED_HOSTS`` gets a 400.

    Source: docs/contract.md, "Six endpoints and a health check"; issue "Documents, logs, metrics,
    deployment", the health check.
    """
    name = env.str("ALLOWED_HOSTS", "*").partition(",")[0].strip().lstrip(".")
    wire = http.client.HTTPConnection(
        env.str("HOST", "0.0.0.0"),  # noqa: S104 - where it listens; Linux takes it for this machine
        env.int("PORT", 8000),
        timeout=TIMEOUT_SECONDS,
    )
    try:
        wire.request("GET", "/health", headers={"Host": name.replace("*", "localhost")})
        return wire.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        wire.close()


if __name__ == "__main__":
    sys.exit(0 if is_alive() else 1)
