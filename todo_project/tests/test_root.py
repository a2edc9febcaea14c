"""The root (issue "Staff and operators", the first five minutes)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from conftest import ApiClient

SERVICE = {"message": "Todo back end", "status": "healthy", "docs": "/docs"}


@pytest.mark.django_db
@pytest.mark.parametrize("is_on", [False, True])
def test_the_root_names_the_service(anybody: ApiClient, settings: Settings, is_on: bool) -> None:
    """Who opens the address must read what answers there, and where its documents are."""
    settings.API_DOCS = is_on

    with CaptureQueriesContext(connection) as captured:
        answer = anybody.get("/")

    assert answer.status_code == 200
    assert answer.json() == SERVICE
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")
    assert "Location" not in answer
    assert len(captured) == 0


def test_the_root_answers_head(anybody: ApiClient) -> None:
    """HEAD must work wherever GET does."""
    answer = anybody.head("/")

    assert (answer.status_code, answer.content) == (200, b"")


def test_the_root_takes_nothing(anybody: ApiClient) -> None:
    """Another method must be a 405 with ``Allow``."""
    answer = anybody.post("/")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["detail"] == "Method Not Allowed"
