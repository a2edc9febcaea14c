"""Is this path yours? Exactly yours."""

from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import DjangoAssertNumQueries
from rest_framework.views import APIView

from conftest import ApiClient, mint
from tasks.tests.factories import TaskFactory, rows

COMPOSED, DECOMPOSED = "zo\u00eb", "zoe\u0308"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("user_id", "path"),
    [
        pytest.param("alice", "bob", id="another user"),
        pytest.param("alice", "Alice", id="capital"),
        pytest.param("ALICE", "alice", id="small letters"),
        pytest.param("alice", "alic", id="prefix"),
        pytest.param("alice", "alice2", id="longer"),
        pytest.param("alice", "%20alice", id="blank before"),
        pytest.param("alice", "alice%20", id="blank after"),
        pytest.param("alice", "alice%0A", id="newline after"),
        pytest.param("alice", "alice%00", id="NUL after"),
        pytest.param("alice", "%25", id="SQL wildcard"),
        pytest.param("alice", "alic_", id="SQL wildcard for one character"),
        pytest.param("alice", "*", id="asterisk"),
        pytest.param("alice", "me", id="me"),
        pytest.param("alice", "%EF%BD%81lice", id="full width"),
        pytest.param("alice", "%D0%B0lice", id="Cyrillic"),
        pytest.param(COMPOSED, "zoe%CC%88", id="decomposed"),
        pytest.param(DECOMPOSED, "zo%C3%AB", id="composed"),
        pytest.param("stra\u00dfe", "strasse", id="case folding"),
        pytest.param("7", "07", id="leading zero"),
        pytest.param("7", "7.0", id="float"),
        pytest.param("7", "%D9%A7", id="Arabic digit"),
        pytest.param("aA", "a%2541", id="decoded once and not twice"),
        pytest.param("a b", "a+b", id="a plus is no blank"),
        pytest.param("None", "null", id="null"),
    ],
)
def test_a_path_that_is_not_exactly_the_tokens_user_is_closed(
    user_id: str, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The path must be compared exactly, without a query (FR-003, FR-005)."""
    task = TaskFactory.create(user_id=user_id)
    before = rows()

    with django_assert_num_queries(0):
        response = ApiClient(user_id).send("PATCH", f"/api/{path}/tasks/{task.id}/complete")

    assert response.status_code == 403
    assert response.json() == {
        "detail": "Access forbidden: user_id mismatch",
        "error": "These tasks belong to another account.",
    }
    assert rows() == before


def test_a_403_carries_no_challenge() -> None:
    """Another token would not help: the caller must not be asked to sign in again."""
    assert "WWW-Authenticate" not in ApiClient("alice").send("GET", "/api/bob/tasks").headers


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("user_id", "path"),
    [
        ("alice", "alice"),
        ("alice", "%61lice"),
        (COMPOSED, "zo%C3%AB"),
        (DECOMPOSED, "zoe%CC%88"),
        ("a b", "a%20b"),
        ("a+b", "a+b"),
        ("a+b", "a%2Bb"),
        ("a%41", "a%2541"),
        ("a@example.com", "a@example.com"),
        ("\U0001f600", "%F0%9F%98%80"),
        ("a" * 255, "a" * 255),
        ("tasks", "tasks"),
        ("None", "None"),
    ],
)
def test_the_path_is_percent_decoded_once_as_utf8(user_id: str, path: str) -> None:
    """A user's own path must open, however its id is spelled in percents (FR-003)."""
    task = TaskFactory.create(user_id=user_id)

    response = ApiClient(user_id).send("GET", f"/api/{path}/tasks/{task.id}")

    assert (response.status_code, response.json()["user_id"]) == (200, user_id)


@pytest.mark.parametrize("path", ["a/b", "a%2Fb"])
def test_a_user_whose_id_has_a_slash_has_no_path(path: str) -> None:
    """Its path must be one that is not there (contract.md "Six endpoints and a health check")."""
    assert ApiClient("a/b").send("GET", f"/api/{path}/tasks").status_code == 404


def test_the_path_is_looked_at_before_the_method_and_the_body() -> None:
    """403 must come before 405, 413, 422 and 404."""
    alice = ApiClient("alice")
    requests: list[tuple[str, str, Any]] = [
        ("OPTIONS", "/api/bob/tasks", None),
        ("POST", "/api/bob/tasks", "x" * 70_000),
        ("POST", "/api/bob/tasks", {"title": ""}),
        ("GET", "/api/bob/tasks/abc", None),
    ]

    assert {alice.send(*request).status_code for request in requests} == {403}


@pytest.mark.parametrize("kwargs", [{}, {"user_id": None}, {"user": "alice"}])
def test_a_view_whose_path_names_no_user_is_closed(kwargs: dict[str, Any]) -> None:
    """A view that nobody thought about must open to nobody."""
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {mint()}"})

    assert APIView.as_view()(request, **kwargs).status_code == 403
