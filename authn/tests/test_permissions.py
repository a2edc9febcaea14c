"""The path's user must be the token's; ``tasks/tests/test_user_ids.py`` tests unusual ids."""

from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import DjangoAssertNumQueries
from rest_framework.views import APIView

from conftest import ApiClient, mint
from tasks.tests.factories import TaskFactory, rows


@pytest.mark.django_db
def test_another_users_path_is_forbidden(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """A 403 must run no query, change nothing, and have no challenge (FR-005)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    with django_assert_num_queries(0):
        response = ApiClient("alice").send("PATCH", f"/api/Alice/tasks/{task.id}/complete")

    assert (response.status_code, response.has_header("WWW-Authenticate")) == (403, False)
    assert response.json() == {
        "detail": "Access forbidden: user_id mismatch",
        "error": "These tasks belong to another account.",
    }
    assert rows() == before


def test_the_path_is_checked_before_the_method_and_the_body() -> None:
    """A 403 must take precedence over 404, 405, 413 and 422."""
    alice = ApiClient("alice")
    requests: list[tuple[str, str, Any]] = [
        ("OPTIONS", "/api/bob/tasks", None),
        ("POST", "/api/bob/tasks", "x" * 70_000),
        ("POST", "/api/bob/tasks", {"title": ""}),
        ("GET", "/api/bob/tasks/abc", None),
    ]

    assert {alice.send(*request).status_code for request in requests} == {403}


@pytest.mark.parametrize("kwargs", [{}, {"user_id": None}, {"user": "alice"}])
def test_a_view_without_a_user_id_in_its_path_is_forbidden(kwargs: dict[str, Any]) -> None:
    """Requests to a view outside ``/api/{user_id}`` must be denied by default."""
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {mint()}"})

    assert APIView.as_view()(request, **kwargs).status_code == 403
