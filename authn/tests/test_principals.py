"""The user of a request, made from a token's claims."""

from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import DjangoAssertNumQueries
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from authn.authentication import BetterAuthAuthentication
from authn.principals import Principal
from conftest import mint


class OneAMinute(UserRateThrottle):
    """DRF's per-user throttle with a rate of one request per minute."""

    rate = "1/min"


def request_of(user_id: str) -> Request:
    """Return a request that DRF authenticates on access to its user."""
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {mint(user_id)}"})
    return Request(request, authenticators=[BetterAuthAuthentication()])


@pytest.mark.django_db
def test_the_user_of_a_request_is_the_tokens_user(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """A principal must be made from the claims alone, without a query (FR-002)."""
    with django_assert_num_queries(0):
        user: Any = request_of("alice").user
    assert user == Principal("alice")


def test_a_principal_is_immutable() -> None:
    """No code may change the user or add an attribute."""
    principal: Any = Principal("alice")

    for name in ("id", "pk", "is_authenticated", "is_active", "is_staff", "another"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(principal, name, "bob")
    assert principal == Principal("alice")
    assert not hasattr(principal, "__dict__")


def test_principals_are_equal_if_their_ids_are() -> None:
    """One user's requests must have equal principals; different users' must differ."""
    assert len({Principal("alice"), Principal("alice"), Principal("Alice")}) == 2


def test_a_principal_works_with_drfs_permissions_and_throttles() -> None:
    """DRF's permissions must accept a principal, and DRF's throttles must count per user."""
    keys = [OneAMinute().get_cache_key(request_of(name), APIView()) for name in ("alice", "bob")]

    assert IsAuthenticated().has_permission(request_of("alice"), APIView())
    assert Principal("alice").is_active
    assert keys == ["throttle_user_alice", "throttle_user_bob"]
