"""Staff login, and the lockout after failed logins."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings as project_settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from todo_project.deadlines import DATABASE_SECONDS
from todo_project.staff import lockout
from todo_project.staff.addresses import client_address
from todo_project.tests.database_connections import StoppedClock
from todo_project.tests.staff import PASSWORD

LOGIN = "/admin/login/?next=/admin/"


@pytest.fixture(autouse=True)
def _staff(db: None, settings: Settings) -> None:
    """Create a superuser, whose password is hashed with a fast algorithm."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.create_superuser("grace", password=PASSWORD)


def log_in(password: str = PASSWORD, client: Client | None = None, **sent: Any) -> Any:
    """Submit the login form, and return the response."""
    form = {"username": "grace", "password": password}
    return (client or Client()).post(LOGIN, form, **sent)


def fail(times: int, **sent: Any) -> list[int]:
    """Submit a wrong password this many times, and return the statuses."""
    return [log_in("wrong", **sent).status_code for _ in range(times)]


def test_staff_log_in() -> None:
    """The right password must give access to the admin."""
    client = Client()

    answer = log_in(client=client)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_a_slow_password_check_does_not_exceed_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A login must succeed even if the password check takes longer than the usual deadline."""
    clock, check = StoppedClock(monkeypatch), User.check_password

    def slowly(user: User, password: str) -> bool:
        clock.now += 2 * DATABASE_SECONDS
        return check(user, password)

    monkeypatch.setattr(User, "check_password", slowly)
    client = Client()

    assert log_in(client=client).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_the_login_redirects_only_to_this_site() -> None:
    """A ``next`` that is empty or leads to another site must be replaced with the index page."""
    found = {}
    for address in ("https://evil.example/", "//evil.example", ""):
        form = {"username": "grace", "password": PASSWORD, "next": address}
        answer = Client().post("/admin/login/", form)
        found[address] = answer.status_code, answer["Location"]

    assert found == dict.fromkeys(found, (302, "/admin/"))


def test_the_cookies_are_protected() -> None:
    """Cookies must be ``Secure``, ``HttpOnly`` and ``SameSite=Lax``, and limited to the admin."""
    client = Client()
    client.get(LOGIN)
    log_in(client=client)

    names = ("secure", "httponly", "samesite", "path")
    found = {name: [cookie[each] for each in names] for name, cookie in client.cookies.items()}
    expected = [True, True, "Lax", "/admin/"]
    assert found == {"sessionid": expected, "csrftoken": expected}


def test_an_account_that_is_not_staff_is_refused() -> None:
    """Only staff may log in to the admin."""
    User.objects.filter(username="grace").update(is_staff=False, is_superuser=False)

    answer = log_in()

    assert answer.status_code == 200
    assert b"enter the correct username and password" in answer.content


def test_failed_logins_lock_out_the_address() -> None:
    """Even the right password must be refused, and the page must say how long to wait."""
    statuses = fail(10)
    locked = log_in()

    assert statuses == [200] * 4 + [429] * 6
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert b"Try again in 15 minutes." in locked.content
    assert locked.content.count(b"Todo back end") == 2  # the header and the title
    assert Client().get(LOGIN).status_code == 429
    # Attempts must not fill the database, and passwords must not be stored.
    [attempt] = AccessAttempt.objects.all()
    assert attempt.failures_since_start == project_settings.AXES_FAILURE_LIMIT
    assert not [word for word in (PASSWORD, "wrong") if word in attempt.post_data]


def test_the_lockout_expires() -> None:
    """Attempts during the lockout must not prolong it."""
    with time_machine.travel(timezone.now() - timedelta(minutes=16), tick=False) as clock:
        fail(5)
        clock.shift(timedelta(minutes=10))
        fail(5)

    assert log_in().status_code == 302


def test_the_lockout_does_not_depend_on_user_name_or_browser() -> None:
    """An attacker must not be able to avoid the lockout or to lock out staff at other addresses."""
    for number in range(5):
        form = {"username": f"user{number}", "password": "wrong"}
        browser = {"User-Agent": f"browser {number}"}
        Client().post(LOGIN, form, headers=browser, REMOTE_ADDR="192.0.2.1")

    assert log_in(REMOTE_ADDR="192.0.2.1").status_code == 429
    assert log_in(REMOTE_ADDR="192.0.2.2").status_code == 302


def test_a_successful_login_resets_the_count() -> None:
    """Failed logins must not count after a successful one, so that typing errors do not add up."""
    fail(4)
    log_in()

    assert fail(4) == [200] * 4


def test_a_login_of_another_user_resets_nothing() -> None:
    """A member of staff must not be able to guess the password of a superuser."""
    User.objects.create_user("mallory", password=PASSWORD, is_staff=True)
    own = {"username": "mallory", "password": PASSWORD}
    statuses = []
    for _ in range(5):
        statuses += fail(1)
        statuses.append(Client().post(LOGIN, own).status_code)

    assert statuses == [200, 302, 200, 302, 200, 302, 200, 302, 429, 429]
    assert log_in().status_code == 429


def test_a_form_without_a_password_is_not_counted() -> None:
    """Only what could be a guess may lock the login."""
    assert [log_in("").status_code for _ in range(9)] == [200] * 9
    assert not AccessAttempt.objects.exists()


def test_passwords_are_checked_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot be served soon must get a 429 at once, and no attempt be counted."""
    busy = Lock()
    monkeypatch.setattr(lockout, "_slot", busy)
    monkeypatch.setattr(lockout, "MAX_WAIT_SECONDS", 0.1)
    arrived: dict[str, Any] = {"todo_project.received_at": time.monotonic() - 1}
    waited_too_long = log_in(**arrived)
    with busy:
        refused = log_in()

    for answer in (waited_too_long, refused):
        assert (answer.status_code, answer["Retry-After"]) == (429, "1")
        assert b"Try again in a moment." in answer.content
    assert not AccessAttempt.objects.exists()
    assert log_in().status_code == 302


@pytest.mark.parametrize("looks", [[False, False], [False, True]], ids=["late", "later"])
def test_an_attempt_beyond_the_limit_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, looks: list[bool]
) -> None:
    """Another process may count the last attempt meanwhile; if that succeeds, this one may too."""
    fail(4)
    AccessAttempt.objects.update(failures_since_start=5)
    monkeypatch.setattr(lockout.LockoutHandler, "is_locked", Mock(side_effect=looks))

    answer = log_in()

    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert AccessAttempt.objects.get().failures_since_start == 5


def test_a_name_that_nobody_can_have_is_not_stored() -> None:
    """Anybody can send it: it must be neither an error of the database nor a row in it."""
    for length in (151, 300, 40_000):
        form = {"username": "u" * length, "password": "wrong"}
        answer = Client().post(LOGIN, form)
        assert answer.status_code == 200
        assert b"enter the correct username and password" in answer.content
    assert not AccessAttempt.objects.exists()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_simultaneous_guesses_are_counted_before_they_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of any number of guesses at once, five may be tried."""
    looked_at = []

    def look_at(user: User, password: str) -> bool:
        looked_at.append(password)
        return False

    monkeypatch.setattr(User, "check_password", look_at)
    # as many processes as guesses
    monkeypatch.setattr(lockout, "_slot", MagicMock())
    barrier = Barrier(12, timeout=60)

    def guess(number: int) -> int:
        barrier.wait()
        try:
            return log_in(f"guess {number}").status_code  # type: ignore[no-any-return]
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as executor:
        statuses = sorted(executor.map(guess, range(12)))

    tried = len(looked_at)
    later = fail(6)[-1]
    assert (tried <= 5, set(statuses) <= {200, 429}) == (True, True)
    assert (len(looked_at), later) == (5, 429)


def test_a_check_of_a_password_elsewhere_is_not_counted() -> None:
    """A command has no address."""
    assert authenticate(username="grace", password="wrong") is None
    assert not AccessAttempt.objects.exists()


def forwarded(addresses: str) -> dict[str, Any]:
    """Return the request options for this ``X-Forwarded-For``."""
    return {"headers": {"X-Forwarded-For": addresses}}


def test_behind_a_proxy_the_clients_address_counts(settings: Settings) -> None:
    """The lockout must apply neither to the proxy's address nor to a forged entry."""
    settings.TRUST_PROXY = True
    for number in range(5):
        fail(1, **forwarded(f"198.51.100.{number}, 192.0.2.9, 192.0.2.1"))

    expected = {
        "192.0.2.1": 429,
        "203.0.113.7, 192.0.2.1": 429,
        "192.0.2.2": 302,
        "192.0.2.9": 302,
        "198.51.100.0": 302,
    }
    found = {each: log_in(**forwarded(each)).status_code for each in expected}
    assert found == expected


def test_without_a_trusted_proxy_the_header_is_ignored() -> None:
    """A client must not be able to avoid the lockout with a forged ``X-Forwarded-For``."""
    for number in range(5):
        fail(1, **forwarded(f"198.51.100.{number}"))

    assert log_in(**forwarded("203.0.113.7")).status_code == 429


def test_the_clients_address(settings: Settings) -> None:
    """The last entry of ``X-Forwarded-For`` must be used if it is an address.

    An IPv6 address must be reduced to its /64 network.
    """
    settings.TRUST_PROXY = True
    expected = {
        ("", "192.0.2.1"): "192.0.2.1",
        ("198.51.100.1", "192.0.2.1"): "198.51.100.1",
        ("203.0.113.1,198.51.100.1", "192.0.2.1"): "198.51.100.1",
        ("203.0.113.1, nonsense", "192.0.2.1"): "192.0.2.1",
        ("2001:db8:1:2:3:4:5:6", "192.0.2.1"): "2001:db8:1:2::",
        ("::ffff:198.51.100.1", "192.0.2.1"): "198.51.100.1",
        ("203.0.113.1, 198.51.100.1:50123", "192.0.2.1"): "198.51.100.1",
        ("[2001:db8:1:2:3:4:5:6]:50123", "192.0.2.1"): "2001:db8:1:2::",
        ("[2001:db8:1:2:3:4:5:6]", "192.0.2.1"): "2001:db8:1:2::",
        ("", ""): None,
    }
    found = {}
    for entries, remote in expected:
        sent = forwarded(entries) if entries else {}
        request = RequestFactory().get("/", REMOTE_ADDR=remote, **sent)
        found[entries, remote] = client_address(request)

    assert found == expected


def https_log_in(host: str) -> int:
    """Log in like a browser behind a proxy that terminates TLS; return the status."""
    client = Client(enforce_csrf_checks=True)
    sent = {"X-Forwarded-Proto": "https", "Host": "testserver", "Origin": f"https://{host}"}
    token = client.get(LOGIN, headers=sent).context["csrf_token"]
    answer = log_in(client=client, headers={**sent, "X-CSRFToken": str(token)})
    status: int = answer.status_code
    return status


def test_staff_log_in_through_a_proxy_that_terminates_tls(settings: Settings) -> None:
    """With ``TRUST_PROXY``, the origin must be the host's or in ``CSRF_TRUSTED_ORIGINS``."""
    untrusted = https_log_in("testserver")
    # what ``TRUST_PROXY=true`` sets
    settings.TRUST_PROXY = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    own, other = https_log_in("testserver"), https_log_in("staff.example.com")
    settings.CSRF_TRUSTED_ORIGINS = ["https://staff.example.com"]
    named = https_log_in("staff.example.com")

    assert [untrusted, own, other, named] == [403, 302, 403, 302]
