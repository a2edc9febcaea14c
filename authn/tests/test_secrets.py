"""The secrets that the service accepts, and the error messages for those that it refuses."""

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
    *["your-super-secret-key-change-this-in-production", "your-better-auth-secret-here-0123456789"],
    *["YOUR_BETTER_AUTH_SECRET_0123456789abcdef", "change-me-change-me-change-me-change-me"],
    *["CHANGEME-CHANGEME-CHANGEME-CHANGEME-CHANGEME", "change_me_0123456789abcdef0123456789abcdef"],
    *["0123456789abcdef0123456789abcdef-change-this", "placeholder-placeholder-placeholder"],
    *["replace-with-32-random-characters-please", "replace_with_32_random_characters_please"],
    *["replace-me-0123456789abcdef0123456789", "generate-a-random-secret-of-32-characters"],
    *["a-string-secret-at-least-256-bits-long", "your-256-bit-secret-your-256-bit-secret"],
    "your-32-character-secret-key-here!!",
]
# Maps (BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS) to the accepted secrets, the signing one first
ACCEPTED = {
    (FIRST, ""): (FIRST,),
    (FIRST, "  "): (FIRST,),
    ("", f"1:{FIRST}"): (FIRST,),
    ("", f"2:{FIRST},1:{SECOND}"): (FIRST, SECOND),
    ("", f"1:{FIRST},2:{SECOND}"): (FIRST, SECOND),
    (SECOND, f"1:{FIRST}"): (FIRST, SECOND),
    (FIRST, f"2:{FIRST},1:{SECOND}"): (FIRST, SECOND),
    ("", f"0:{FIRST}"): (FIRST,),
    ("", f"20260106:{FIRST}"): (FIRST,),
    ("", f" 2:{FIRST} ,\t1:{SECOND}\n"): (FIRST, SECOND),
    ("", f"2 : {FIRST}, 1 :{SECOND}"): (FIRST, SECOND),
    ("", f"1:{FIRST}:x:y"): (f"{FIRST}:x:y",),
    ("", f"1::{FIRST}"): (f":{FIRST}",),
    ("", f"1:{FIRST} x=+/"): (f"{FIRST} x=+/",),
}
MALFORMED = [
    *[f"2:{FIRST};1:{SECOND}", f"2:{FIRST} 1:{SECOND}"],
    *[FIRST, f"2:{FIRST},", f",2:{FIRST}", f"2:{FIRST},,1:{SECOND}", ",", f"2:{FIRST},{SECOND}"],
    *["2:", "2: ", f"2:{FIRST},1:", f":{FIRST}", f"v2:{FIRST}", f"2x:{FIRST}", f"-1:{FIRST}"],
    *[f"1.5:{FIRST}", f"\u00b2:{FIRST}", f"\u0662:{FIRST}"],
]
SHORT = ["a" * 31, "é" * 15, "a" * 29 + "é", "😀" * 7, " "]
LONG_ENOUGH = ["b" * 32, "é" * 16, "b" * 30 + "é", "😀" * 8]
PUBLIC_KEYS = [
    f"-----BEGIN PUBLIC KEY-----\n{FIRST}\n-----END PUBLIC KEY-----",
    f"ssh-ed25519 {FIRST}",
]

# Maps the start of an error message to values of (BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS)
REFUSED: dict[str, list[tuple[str, str]]] = {
    "BETTER_AUTH_SECRETS must be a comma-separated list of version:secret entries": [
        ("", versioned) for versioned in MALFORMED
    ],
    "BETTER_AUTH_SECRET is shorter than 32 bytes": [
        *((secret, "") for secret in SHORT),
        ("sh0rt", f"2:{FIRST}"),  # also checked if BETTER_AUTH_SECRETS is set
    ],
    "BETTER_AUTH_SECRET is still a placeholder.": [(secret, "") for secret in PLACEHOLDERS],
    "BETTER_AUTH_SECRET is Better Auth's public default": [(BETTER_AUTH_DEFAULT, "")],
    "BETTER_AUTH_SECRET is a public or a private key.": [(key, "") for key in PUBLIC_KEYS],
    "BETTER_AUTH_SECRET is not UTF-8.": [(f"{FIRST}\udcff", "")],
    "BETTER_AUTH_SECRETS is not UTF-8.": [("", f"1:{FIRST}\udcff")],
    "BETTER_AUTH_SECRETS is ": [
        (FIRST, versioned.format(bad))
        for bad in ("sh0rt", PLACEHOLDERS[0], BETTER_AUTH_DEFAULT)
        for versioned in ("1:{}", f"2:{FIRST},1:{{}}")
    ],
}


def refusal(secret: str = "", versioned: str = "") -> str:
    """Return the error message for refused secrets."""
    try:
        return f"accepted: {accepted_secrets(secret, versioned)}"
    except ImproperlyConfigured as error:
        return str(error)


def test_secrets_are_parsed_like_better_auths() -> None:
    """The first secret must sign; all must be accepted (docs/contract.md, "Authentication")."""
    assert {row: accepted_secrets(*row) for row in ACCEPTED} == ACCEPTED


@pytest.mark.parametrize("beginning", REFUSED)
def test_an_invalid_secret_is_refused(beginning: str) -> None:
    """The message must name the variable and the problem, and never show a value (FR-017)."""
    messages = {row: refusal(*row) for row in REFUSED[beginning]}
    shown = [
        (value, message)
        for row, message in messages.items()
        for value in (FIRST, SECOND, row[0], row[1].rpartition(":")[2])
        if len(value) > 4 and value in message
    ]

    assert [each for each in messages.items() if not each[1].startswith(beginning)] == []
    assert shown == []


def test_a_secret_is_required() -> None:
    """The message must name the variable and say how to fix it."""
    assert refusal().startswith("BETTER_AUTH_SECRET is not set.")
    assert "openssl rand" in refusal()


def test_a_secret_of_32_bytes_is_accepted() -> None:
    """The length must be counted in UTF-8 bytes, which form the key (RFC 7518 §3.2)."""
    assert [accepted_secrets(secret, "") for secret in LONG_ENOUGH] == [(s,) for s in LONG_ENOUGH]


def test_better_auths_default_is_known() -> None:
    """The constant must be the default that Better Auth 1.7.25 signs with."""
    assert BETTER_AUTH_DEFAULT == "better-auth-secret-12345678901234567890"


def test_a_published_secret_is_recognised_and_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret from a tutorial must be accepted; ``test_checks.py`` tests the warning."""
    digest = hashlib.sha256(FIRST.encode()).hexdigest()
    monkeypatch.setattr(secrets, "PUBLISHED_SECRET_DIGESTS", frozenset({digest}))

    assert (is_published(FIRST), is_published(SECOND)) == (True, False)
    assert accepted_secrets(FIRST, "") == (FIRST,)
