"""``GET /health`` (contract.md "Six endpoints and a health check")."""

import datetime as dt

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from conftest import ApiClient

NOON = dt.datetime(2026, 1, 6, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("path", ["/health", "/health/", "/health?x=1"])
@time_machine.travel(NOON, tick=False)
def test_health_answers_without_a_token(anybody: ApiClient, path: str) -> None:
    """The process must say that it is alive, in the form of a task's times."""
    answer = anybody.send("GET", path)

    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "timestamp": "2026-01-06T12:00:00.000000Z"}


def test_health_ignores_a_bad_token(anybody: ApiClient) -> None:
    """A token must not matter, good or bad."""
    assert anybody.send("GET", "/health", Authorization="Bearer x").status_code == 200


@pytest.mark.django_db
def test_health_touches_no_database(
    anybody: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A database that is away must not get the process restarted."""
    with django_assert_num_queries(0):
        assert anybody.send("GET", "/health").status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_not_kept(anybody: ApiClient, method: str) -> None:
    """A cache must not answer for the process."""
    assert anybody.send(method, "/health")["Cache-Control"] == "no-store"


def test_health_answers_head_without_a_body(anybody: ApiClient) -> None:
    """HEAD must work wherever GET does."""
    head, get = anybody.head("/health"), anybody.get("/health")

    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(get.content))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_health_refuses_other_methods(anybody: ApiClient, method: str) -> None:
    """A wrong method must be a 405 in JSON with ``Allow``."""
    answer = anybody.generic(method, "/health")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert answer.json() == {"detail": "Method Not Allowed", "error": "Method Not Allowed"}
