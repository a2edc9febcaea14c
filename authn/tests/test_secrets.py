"""The secrets that the service accepts, and the error messages for those that it refuses."""

import hashlib
import random
from base64 import b64encode, urlsafe_b64encode

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
    *["your-32-character-secret-key-here!!", "REPLACE_ME_WITH_A_RANDOM_VALUE_OF_32_BYTES"],
]
# What each value is instead of a secret, as the message says it
STAND_INS = {
    "a line NAME=value": [
        *[f"BETTER_AUTH_SECRET={FIRST}", f"export BETTER_AUTH_SECRET={FIRST}"],
        *[f"$env:BETTER_AUTH_SECRET={FIRST}", f"AUTH_SECRET = {FIRST}", f"DB_PASSWORD2={FIRST}"],
        *[f"BETTER_AUTH_SECRET={FIRST}=", "BETTER_AUTH_SECRET='short'"],
    ],
    "a template that was not filled in": [
        *["<generate with: openssl rand -base64 32>", "<a-random-string-of-at-least-32-bytes>"],
        *[
            "<secret>",
            "${{ secrets.BETTER_AUTH_SECRET }}",
            "{{ .Values.betterAuth.secret | quote }}",
        ],
        *["{{resolve:secretsmanager:todo:SecretString:key}}", "${BETTER_AUTH_SECRET:?must be set}"],
        *["$(openssl rand -base64 32)", "$BETTER_AUTH_SECRET"],
    ],
    "a command, not its output": [
        *[
            "openssl rand -base64 32 | tr -d '\\n'",
            "npx @better-auth/cli@latest secret",
            "node -e x",
        ],
        *["python3 -c 'import secrets'", "head -c 32 /dev/urandom | base64", "cat /run/secrets/a"],
    ],
    "the path of a file": [
        *["/run/secrets/better-auth-secret-of-the-todo-service", "/etc/todo/secret.txt"],
        *["/var/run/secrets/better_auth", "./secrets/better_auth_secret.txt", "../better-auth.txt"],
    ],
    "a reference or a URL": [
        *["op://vault/better-auth/secret-of-the-todo-service", "https://app.example.com/api/auth"],
        *["arn:aws:secretsmanager:eu-west-1:123456789012:secret:todo", "ref+vault://todo/secret#a"],
        *["projects/123/secrets/better-auth/versions/latest", "vault:secret/data/todo#secret"],
        "@Microsoft.KeyVault(SecretUri=https://todo.vault.azure.net/secrets/a)",
    ],
    "in quotes": [f"'{FIRST}'", f'"{FIRST}"', f"`{FIRST}`"],
}
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
# Secrets that resemble something else
RIGHT = [
    *[
        "ABCDEFGH_IJKLMNOPQRSTUVWXYZ23456789_ABCDEFG=",
        "ABCDEFGH_IJKLMNOPQRSTUVWXYZ23456789_ABCDEF==",
    ],
    *[
        "/run+secrets/ABCDEFGHIJKLMNOPQRSTUVWXYZ0123=",
        "AB_C=d/<e>{{f}}$(g)${h}op://i'j\"k`l,m#n0o1",
    ],
    *["<k9$(x)7Q#m2!vB{{z}}&8^wL*5@pR+1>", "openssl, a horse and thirty-two bytes of it"],
    *["node by node the secret became longer", "head over heels into the battery staple"],
    *["'t was brillig, and the slithy toves did gyre", "my vault: nobody knows what is in there"],
    *["0123456789abcdef" * 2, "deadbeef" * 8, "abcde" * 7],
]
MALFORMED = [
    *[f"2:{FIRST};1:{SECOND}", f"2:{FIRST} 1:{SECOND}"],
    *[FIRST, f"2:{FIRST},", f",2:{FIRST}", f"2:{FIRST},,1:{SECOND}", ",", f"2:{FIRST},{SECOND}"],
    *["2:", "2: ", f"2:{FIRST},1:", f":{FIRST}", f"v2:{FIRST}", f"2x:{FIRST}", f"-1:{FIRST}"],
    *[f"1.5:{FIRST}", f"\u00b2:{FIRST}", f"\u0662:{FIRST}"],
]
SHORT = ["a" * 31, "é" * 15, "a" * 29 + "é", "😀" * 7, " "]
LONG_ENOUGH = ["bcdefghi" * 4, "éèêëáàâä" * 2, "bcdefg" * 5 + "é", "😀😁😂😃😄😅😆😇"]
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
    **{
        f"BETTER_AUTH_SECRET is {what}": [(value, "") for value in values]
        for what, values in STAND_INS.items()
    },
    "BETTER_AUTH_SECRETS is in quotes": [("", f"2:'{FIRST}',1:'{SECOND}'"), ("", f'2:"{FIRST}"')],
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


def test_a_secret_that_resembles_something_else_is_accepted() -> None:
    """There must be no false alarm on base64, random characters and passphrases."""
    rows = [("", f"1:{secret}") for secret in RIGHT if "," not in secret]

    assert [refusal(secret) for secret in RIGHT] == [f"accepted: {(s,)}" for s in RIGHT]
    assert [refusal(*row) for row in rows] == [f"accepted: {(row[1][2:],)}" for row in rows]


def test_random_secrets_are_accepted() -> None:
    """What the commands of the documentation print must never be refused."""
    generator = random.Random(0)  # noqa: S311 - not a secret
    keys = [generator.randbytes(32) for _ in range(2000)]
    written = [
        text
        for key in keys
        for text in (key.hex(), b64encode(key).decode(), urlsafe_b64encode(key).decode())
    ]

    assert [secret for secret in written if not refusal(secret).startswith("accepted")] == []


def test_better_auths_default_is_known() -> None:
    """The constant must be the default that Better Auth 1.7.25 signs with."""
    assert BETTER_AUTH_DEFAULT == "better-auth-secret-12345678901234567890"


def test_a_published_secret_is_recognised_and_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret from a tutorial must be accepted; ``test_checks.py`` tests the warning."""
    digest = hashlib.sha256(FIRST.encode()).hexdigest()
    monkeypatch.setattr(secrets, "PUBLISHED_SECRET_DIGESTS", frozenset({digest}))

    assert (is_published(FIRST), is_published(SECOND)) == (True, False)
    assert accepted_secrets(FIRST, "") == (FIRST,)
