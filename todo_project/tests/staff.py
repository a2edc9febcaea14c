"""Members of staff."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

PASSWORD = "correct horse battery staple"
# of `createsuperuser --noinput`
ACCOUNT = {
    "DJANGO_SUPERUSER_USERNAME": "grace",
    "DJANGO_SUPERUSER_EMAIL": "grace@example.com",
    "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
}


def member(name: str = "grace", *permissions: str, **values: Any) -> User:
    """Make a member of staff, with these permissions on tasks, such as ``view``; no password."""
    user = User.objects.create(username=name, is_staff=True, **values)
    codenames = [f"{permission}_task" for permission in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def signed_in(user: User) -> Client:
    """Return the browser of somebody who has signed in."""
    client = Client()
    client.force_login(user)
    return client


def boss() -> Client:
    """Return the browser of somebody who may do everything."""
    return signed_in(member("boss", is_superuser=True))
