"""Staff accounts and their clients, for the tests."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

PASSWORD = "correct horse battery staple"
# for `createsuperuser --noinput`
ACCOUNT = {
    "DJANGO_SUPERUSER_USERNAME": "grace",
    "DJANGO_SUPERUSER_EMAIL": "grace@example.com",
    "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
}


def member(name: str = "grace", *permissions: str, **values: Any) -> User:
    """Create a staff account without a password, with task permissions such as ``view``."""
    user = User.objects.create(username=name, is_staff=True, **values)
    codenames = [f"{permission}_task" for permission in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def signed_in(user: User) -> Client:
    """Return a client that is logged in as this user."""
    client = Client()
    client.force_login(user)
    return client


def superuser_client() -> Client:
    """Return a client that is logged in as a superuser."""
    return signed_in(member("boss", is_superuser=True))
