"""A name server that does not answer (docs/contract.md, "Errors", 503)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from faults.load import User
from todo_project.tests.live_server import serving

RESPONSE_SECONDS = 6.0
HEALTH_SECONDS = 1.0
# Loaded when Python starts. The name server's timeout and its retries take 20 seconds.
RESOLVER = """
import socket, time
find = socket.getaddrinfo
def look_up(host, *args, **kwargs):
    if host == "db.example.com":
        time.sleep(20)
    return find(host, *args, **kwargs)
socket.getaddrinfo = look_up
"""


def test_a_silent_name_server(project: Path, tmp_path: Path, figures: dict[str, Any]) -> None:
    """A request's deadline must cover the look-up of the database's host."""
    (tmp_path / "sitecustomize.py").write_text(RESOLVER)
    variables = {
        "PYTHONPATH": str(tmp_path),
        "NEON_DATABASE_URL": "postgresql://todo@db.example.com/todo",
    }
    with serving(project, tmp_path / "server.log", **variables) as server:
        users = [User(server, f"waiting-{number}") for number in range(40)]
        prober = User(server, "prober")
        with ThreadPoolExecutor(41) as executor:
            ready = executor.submit(prober.send, "GET", "/health/ready")
            list(executor.map(User.create, users))
            ready.result()
        prober.send("GET", "/health")
        for user in (prober, *users):
            user.close()
    outcomes = [outcome for user in users for outcome in user.outcomes]
    slowest = max(outcome.seconds for outcome in outcomes)
    ready_outcome, health = prober.outcomes
    figures.update(
        {"requests": len(outcomes), "slowest s": round(slowest, 2)}
        | {"/health/ready s": round(ready_outcome.seconds, 2)}
        | {"/health ms": round(health.seconds * 1000)}
    )
    assert {outcome.status for outcome in (*outcomes, ready_outcome)} == {503}
    assert max(slowest, ready_outcome.seconds) < RESPONSE_SECONDS
    assert (health.status, health.seconds < HEALTH_SECONDS) == (200, True)
