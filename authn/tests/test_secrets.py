"""Which secrets the service starts with, and how it says that it will not."""

import hashlib

import pytest
from django.core.exceptions import ImproperlyConfigured

from authn import secrets
from authn.secrets import BETTER_AUTH_DEFAULT, accepted_secrets, is_published

FIRST = "first-secret-of-these-tests-0123456789"
SECOND = "second-secret-of-these-tests-012345678"
PLACEHOLDERS = [
    "your-secret-key-must-be-at-least-32-characters",
    "your_secret_key_must_be_at_least_32_characters",
    "your-super-secret-key-change-this-in-production",
    "your-better-auth-secret-here-0123456789",
    "YOUR_BETTER_AUTH_SECRET_0123456789abcdef",
    "change-me-change-me-change-me-change-me",
    "CHANGEME-CHANGEME-CHANGEME-CHANGEME-CHANGEME",
    "change_me_0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef-change-this",
    "placeholder-placeholder-placeholder",
    "replace-with-32-random-characters-please",
    "replace_with_32_random_characters_please",
    "replace-me-0123456789abcdef0123456789",
    "generate-a-random-secret-of-32-characters",
    "a-string-secret-at-least-256-bits-long",
    "your-256-bit-secret-your-256-bit-secret",
    "your-32-character-secret-key-here!!",
]


def refusal(secret: str = "", versioned: str = "") -> str:
    """Return the message of a start that is refused."""
    with pytest.raises(ImproperlyConfigured) as refused:
        accepted_secrets(secret, versioned)
    return str(refused.value)


@pytest.mark.parametrize(
    ("secret", "versioned", "expected"),
    [
        pytest.param(FIRST, "", (FIRST,), id="one"),
        pytest.param(FIRST, "  ", (FIRST,), id="one, and a blank list"),
        pytest.param("", f"1:{FIRST}", (FIRST,), id="a list of one"),
        pytest.param("", f"2:{FIRST},1:{SECOND}", (FIRST, SECOND), id="the newer first"),
        pytest.param("", f"1:{FIRST},2:{SECOND}", (FIRST, SECOND), id="the older first"),
        pytest.param(SECOND, f"1:{FIRST}", (FIRST, SECOND), id="a list, then the single one"),
        pytest.param(FIRST, f"2:{FIRST},1:{SECOND}", (FIRST, SECOND), id="one of them twice"),
        pytest.param("", f"0:{FIRST}", (FIRST,), id="version 0"),
        pytest.param("", f"20260106:{FIRST}", (FIRST,), id="a date as version"),
        pytest.param(
            "", f" 2:{FIRST} ,\t1:{SECOND}\n", (FIRST, SECOND), id="blanks around entries"
        ),
        pytest.param(
            "", f"2 : {FIRST}, 1 :{SECOND}", (FIRST, SECOND), id="blanks around the colon"
        ),
        pytest.param("", f"1:{FIRST}:x:y", (f"{FIRST}:x:y",), id="colons in a value"),
        pytest.param("", f"1::{FIRST}", (f":{FIRST}",), id="a colon first in a value"),
        pytest.param("", f"1:{FIRST} x=+/", (f"{FIRST} x=+/",), id="blanks inside a value"),
    ],
)
def test_the_secrets_are_read_as_better_auth_reads_them(
    secret: str, versioned: str, expected: tuple[str, ...]
) -> None:
    """The first entry signs, all count (contract.md "Who may come in")."""
    assert accepted_secrets(secret, versioned) == expected


@pytest.mark.parametrize(
    "versioned",
    [
        pytest.param(FIRST, id="no version"),
        pytest.param(f"2:{FIRST},", id="a comma at the end"),
        pytest.param(f",2:{FIRST}", id="a comma at the beginning"),
        pytest.param(f"2:{FIRST},,1:{SECOND}", id="two commas"),
        pytest.param(",", id="only a comma"),
        pytest.param(f"2:{FIRST},{SECOND}", id="a value with a comma"),
        pytest.param("2:", id="no value"),
        pytest.param("2: ", id="a blank value"),
        pytest.param(f"2:{FIRST},1:", id="no second value"),
        pytest.param(f":{FIRST}", id="an empty version"),
        pytest.param(f"v2:{FIRST}", id="a version with a letter"),
        pytest.param(f"2x:{FIRST}", id="a version that begins as a number"),
        pytest.param(f"-1:{FIRST}", id="a negative version"),
        pytest.param(f"1.5:{FIRST}", id="a fraction as version"),
        pytest.param(f"\u00b2:{FIRST}", id="a superscript as version"),
        pytest.param(f"\u0662:{FIRST}", id="a version in another script"),
    ],
)
def test_a_malformed_list_of_secrets_stops_the_start(versioned: str) -> None:
    """The message must name the variable and its form, and never show a value (FR-017)."""
    message = refusal(versioned=versioned)

    assert message.startswith("BETTER_AUTH_SECRETS must be entries of the form version:secret")
    assert not [value for value in (FIRST, SECOND) if value in message]


def test_without_a_secret_the_start_is_refused() -> None:
    """The message must name the variable and the mend."""
    assert refusal().startswith("BETTER_AUTH_SECRET is not set.")
    assert "openssl rand" in refusal()


@pytest.mark.parametrize("secret", ["a" * 31, "é" * 15, "a" * 29 + "é", "😀" * 7, " "])
def test_a_secret_under_32_bytes_stops_the_start(secret: str) -> None:
    """A short key can be guessed (RFC 7518 §3.2); the message must not show it (FR-017)."""
    message = refusal(secret)

    assert message.startswith("BETTER_AUTH_SECRET is shorter than 32 bytes")
    assert secret.strip() == "" or secret not in message


@pytest.mark.parametrize("secret", ["b" * 32, "é" * 16, "b" * 30 + "é", "😀" * 8])
def test_a_secret_of_32_bytes_is_accepted(secret: str) -> None:
    """The length must be counted in UTF-8 bytes, which are the key."""
    assert accepted_secrets(secret, "") == (secret,)


@pytest.mark.parametrize("secret", PLACEHOLDERS)
def test_a_placeholder_stops_the_start(secret: str) -> None:
    """What a template holds must sign nothing; the message must not show it (FR-017)."""
    message = refusal(secret)

    assert message.startswith("BETTER_AUTH_SECRET is still a placeholder.")
    assert secret not in message


def test_better_auths_published_default_stops_the_start() -> None:
    """What Better Auth signs with when nobody gave it a secret must sign nothing."""
    message = refusal("better-auth-secret-12345678901234567890")

    assert message.startswith("BETTER_AUTH_SECRET is the default that Better Auth publishes")
    assert "12345" not in message


@pytest.mark.parametrize("bad", ["sh0rt", PLACEHOLDERS[0], BETTER_AUTH_DEFAULT])
@pytest.mark.parametrize("versioned", ["1:{bad}", f"2:{FIRST},1:{{bad}}"])
def test_a_bad_secret_in_the_list_is_laid_to_the_list(bad: str, versioned: str) -> None:
    """Each entry must be as good, and the message must name the variable it came from."""
    message = refusal(FIRST, versioned.format(bad=bad))

    assert message.startswith("BETTER_AUTH_SECRETS is ")
    assert bad not in message


def test_a_bad_single_secret_beside_a_good_list_is_laid_to_itself() -> None:
    """An old secret that is left in ``BETTER_AUTH_SECRET`` counts, so it must be good."""
    assert refusal("short", f"2:{FIRST}").startswith("BETTER_AUTH_SECRET is shorter")


@pytest.mark.parametrize(
    ("secret", "versioned", "variable"),
    [
        (f"{FIRST}\udcff", "", "BETTER_AUTH_SECRET "),
        ("", f"1:{FIRST}\udcff", "BETTER_AUTH_SECRETS "),
    ],
)
def test_a_secret_that_is_not_utf8_stops_the_start(
    secret: str, versioned: str, variable: str
) -> None:
    """It has no UTF-8 bytes to be a key, so each request would end in a 500."""
    assert refusal(secret, versioned).startswith(variable)


@pytest.mark.parametrize(
    "key",
    [
        f"-----BEGIN PUBLIC KEY-----\n{FIRST}\n-----END PUBLIC KEY-----",
        f"ssh-ed25519 {FIRST}",
    ],
)
def test_a_public_key_as_a_secret_stops_the_start(key: str) -> None:
    """PyJWT refuses such a key for an HMAC, so each request would be a 401."""
    message = refusal(key)

    assert message.startswith("BETTER_AUTH_SECRET is a public or a private key.")
    assert FIRST not in message


@pytest.fixture
def first_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a key's digest where those of public documents are."""
    digest = hashlib.sha256(FIRST.encode()).hexdigest()
    monkeypatch.setattr(secrets, "PUBLISHED_KEY_DIGESTS", frozenset({digest}))


@pytest.mark.usefixtures("first_is_published")
def test_a_published_key_is_known_by_its_digest() -> None:
    """A key in a public document must be known without spreading it further."""
    assert is_published(FIRST)
    assert not is_published(SECOND)


@pytest.mark.usefixtures("first_is_published")
def test_a_published_key_does_not_stop_the_start() -> None:
    """A tutorial's key must start, with a warning (``test_checks.py``)."""
    assert accepted_secrets(FIRST, "") == (FIRST,)
