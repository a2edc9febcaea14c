"""The log-in of staff, and what holds off who tries passwords (issue "Staff and operators")."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings as project_settings
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from todo_project.deadlines import database_deadline
from todo_project.staff.addresses import client_address
from todo_project.tests.staff import PASSWORD

LOGIN = "/admin/login/?next=/admin/"


@pytest.fixture(autouse=True)
def _staff(db: None, settings: Settings) -> None:
    """Let Grace be a member of staff, whose password takes no second to check."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.create_superuser("grace", password=PASSWORD)


def log_in(password: str = PASSWORD, client: Client | None = None, **sent: Any) -> Any:
    """Send the form of the log-in."""
    form = {"username": "grace", "password": password}
    return (client or Client()).post(LOGIN, form, **sent)


def fail(times: int, **sent: Any) -> list[int]:
    """Send wrong passwords, and return how each of them was answered."""
    return [log_in("wrong", **sent).status_code for _ in range(times)]


def test_staff_sign_in() -> None:
    """The right password must open the admin."""
    client = Client()

    answer = log_in(client=client)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_a_password_that_takes_long_to_check_opens_the_admin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a slow machine the check alone may take longer than a page may wait for the database."""
    monkeypatch.setattr("todo_project.middleware.database_deadline", lambda: database_deadline(0.5))
    check = User.check_password

    def slowly(user: User, password: str) -> bool:
        time.sleep(1)
        return check(user, password)

    monkeypatch.setattr(User, "check_password", slowly)
    client = Client()

    assert log_in(client=client).status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", ""])
def test_the_log_in_leads_nowhere_else(address: str) -> None:
    """A link to the log-in must not lead away from here, nor to a page that is missing."""
    form = {"username": "grace", "password": PASSWORD}
    answer = Client().post("/admin/login/", {**form, "next": address})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_the_cookies_are_out_of_reach() -> None:
    """A cookie must go over https only, be kept from scripts, from other sites and the API."""
    client = Client()
    client.get(LOGIN)
    log_in(client=client)

    cookies = client.cookies
    assert {"sessionid", "csrftoken"} == set(cookies)
    for cookie in cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert (cookie["samesite"], cookie["path"]) == ("Lax", "/admin/")


def test_who_is_no_staff_is_refused() -> None:
    """An account without the mark must not come in."""
    User.objects.filter(username="grace").update(is_staff=False, is_superuser=False)

    answer = log_in()

    assert answer.status_code == 200
    assert b"enter the correct username and password" in answer.content


def test_many_wrong_passwords_lock_the_address_out() -> None:
    """Not even the right password may come in then, and the page must say when it will."""
    statuses = fail(5)
    locked = log_in()

    assert statuses == [200] * 4 + [429]
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert b"Try again in 15 minutes." in locked.content
    assert Client().get(LOGIN).status_code == 429


def test_the_lock_opens_by_itself() -> None:
    """After a while the right password must come in, whatever was tried meanwhile."""
    with time_machine.travel(timezone.now() - timedelta(minutes=16), tick=False) as clock:
        fail(5)
        clock.shift(timedelta(minutes=10))
        fail(5)

    assert log_in().status_code == 302


def test_who_is_locked_out_costs_no_more_rows() -> None:
    """A flood of attempts must not fill the database."""
    fail(20)

    [attempt] = AccessAttempt.objects.all()
    assert attempt.failures_since_start == project_settings.AXES_FAILURE_LIMIT
    assert PASSWORD not in attempt.post_data
    assert "wrong" not in attempt.post_data


def test_another_address_is_not_locked_out() -> None:
    """Who tries passwords must not keep staff out."""
    fail(5, REMOTE_ADDR="192.0.2.1")

    assert log_in(REMOTE_ADDR="192.0.2.1").status_code == 429
    assert log_in(REMOTE_ADDR="192.0.2.2").status_code == 302


def test_trying_another_name_does_not_help() -> None:
    """The address must count, whatever the names and browsers."""
    for number in range(5):
        Client().post(
            LOGIN,
            {"username": f"user{number}", "password": "wrong"},
            headers={"User-Agent": f"browser {number}"},
        )

    assert log_in().status_code == 429


def test_a_success_forgets_the_failures() -> None:
    """Who has mistyped must not be locked out days later."""
    fail(4)
    log_in()

    assert fail(4) == [200] * 4


def test_behind_a_proxy_the_clients_address_counts(settings: Settings) -> None:
    """The proxy's address must not lock everybody out."""
    settings.TRUST_PROXY = True
    fail(5, headers={"X-Forwarded-For": "192.0.2.1"})

    assert log_in(headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429
    assert log_in(headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 302


def test_a_forged_header_neither_evades_nor_locks_out_somebody_else(settings: Settings) -> None:
    """Only the entry that the proxy has added may count."""
    settings.TRUST_PROXY = True
    for number in range(5):
        fail(1, headers={"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.9, 192.0.2.1"})

    assert log_in(headers={"X-Forwarded-For": "203.0.113.7, 192.0.2.1"}).status_code == 429
    assert log_in(headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 302
    assert log_in(headers={"X-Forwarded-For": "198.51.100.0"}).status_code == 302


def test_without_a_proxy_the_header_counts_for_nothing() -> None:
    """Anybody can send it."""
    for number in range(5):
        fail(1, headers={"X-Forwarded-For": f"198.51.100.{number}"})

    assert log_in(headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 429


@pytest.mark.parametrize(
    ("forwarded", "remote", "address"),
    [
        ("", "192.0.2.1", "192.0.2.1"),
        ("198.51.100.1", "192.0.2.1", "198.51.100.1"),
        ("203.0.113.1,198.51.100.1", "192.0.2.1", "198.51.100.1"),
        ("203.0.113.1, nonsense", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "192.0.2.1", "2001:db8:1:2::"),
        ("::ffff:198.51.100.1", "192.0.2.1", "198.51.100.1"),
        ("203.0.113.1, 198.51.100.1:50123", "192.0.2.1", "198.51.100.1"),
        ("[2001:db8:1:2:3:4:5:6]:50123", "192.0.2.1", "2001:db8:1:2::"),
        ("[2001:db8:1:2:3:4:5:6]", "192.0.2.1", "2001:db8:1:2::"),
        ("", "", None),
    ],
)
def test_the_clients_address(
    settings: Settings, forwarded: str, remote: str, address: str | None
) -> None:
    """The last entry must count if it is an address; of IPv6 the network."""
    settings.TRUST_PROXY = True
    request = RequestFactory().get(
        "/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded} if forwarded else None
    )

    assert client_address(request) == address


def https_log_in(origin: str) -> int:
    """Sign in as a browser does through a proxy that ends TLS; return the answer's status."""
    client = Client(enforce_csrf_checks=True)
    sent = {"X-Forwarded-Proto": "https", "Host": "testserver", "Origin": origin}
    form = client.get(LOGIN, headers=sent)
    token = form.context["csrf_token"]
    fields = {"username": "grace", "password": PASSWORD, "csrfmiddlewaretoken": str(token)}
    answer = client.post(LOGIN, fields, headers=sent)
    status: int = answer.status_code
    return status


def behind_a_proxy(settings: Settings) -> None:
    """Set what ``TRUST_PROXY=true`` sets."""
    settings.TRUST_PROXY = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


def test_staff_sign_in_through_a_proxy_that_ends_tls(settings: Settings) -> None:
    """The origin is https there, although the request comes in plain."""
    behind_a_proxy(settings)

    assert https_log_in("https://testserver") == 302


def test_a_proxy_that_is_not_trusted_makes_no_https() -> None:
    """Without ``TRUST_PROXY`` the header counts for nothing."""
    assert https_log_in("https://testserver") == 403


def test_an_origin_of_another_host_must_be_named(settings: Settings) -> None:
    """Where the proxy sends another Host, ``CSRF_TRUSTED_ORIGINS`` says which origin it is."""
    behind_a_proxy(settings)
    refused = https_log_in("https://staff.example.com")
    settings.CSRF_TRUSTED_ORIGINS = ["https://staff.example.com"]

    assert (refused, https_log_in("https://staff.example.com")) == (403, 302)
