"""The clients that no hostile one may disturb."""

from typing import Any

from faults.load import Load

P95_SECONDS = 0.2


def of_decent_clients(load: Load) -> dict[str, Any]:
    """Return the figures of clients that nothing may disturb."""
    health = max(outcome.seconds for outcome in load.prober.outcomes)
    return {
        "sent": len(load.outcomes),
        "p95 ms": round(load.p95() * 1000),
        "slowest ms": round(max(outcome.seconds for outcome in load.outcomes) * 1000),
        "/health ms": round(health * 1000),
    }


def check(load: Load) -> None:
    """Check that every request of the decent clients has succeeded, and quickly."""
    assert set(load.statuses()) == {200, 201}
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert load.p95() < P95_SECONDS
