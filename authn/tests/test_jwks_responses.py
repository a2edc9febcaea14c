"""Responses that are not key sets, and key sets with unusable members."""

import io
import json
import socket
from typing import Any

import pytest

from authn import jwks
from authn.tests.conftest import Clock
from authn.tests.forge import verdict
from authn.tests.jwks_server import (
    Issuer,
    KeyPair,
    fresh_verifier,
    key_pair,
    publishing,
    wait_for_fetches,
)
from authn.tokens import TokenVerifier

Response = dict[str, Any]
PUBLISHED = [key_pair().jwk()]
EMPTY: dict[str, Any] = {}
MEMBERS: list[Any] = [
    *[None, "key-1", 1, [], {}, {"kty": "EC"}, {"kid": "key-1"}],
    *(key_pair().jwk(kid=kid) for kid in ("", None, 7, ["key-1"], EMPTY)),
    *(key_pair().jwk(alg=alg) for alg in (["EdDSA"], EMPTY)),
    *(key_pair().jwk(kty=kty) for kty in (["OKP"], "EC")),
    *(key_pair().jwk(crv=crv) for crv in (None, ["Ed25519"])),
    *(key_pair().jwk(x=x) for x in (None, 1, "AAAA", "\u20ac")),
    key_pair().jwk(use=["sig"]),
    key_pair("ES256").jwk(y="A" * 43),
    *(key_pair("RS256").jwk(**changed) for changed in ({"n": None}, {"e": "AA"}, {"alg": "PS256"})),
]

RESPONSES: dict[str, Response] = {
    "another protocol": {"raw": b"SSH-2.0-OpenSSH_9.2\r\n"},
    "an invalid status": {"raw": b"HTTP/1.1 OK\r\n\r\n"},
    "not found": {"status": 404},
    "a server error": {"status": 500},
    "no content": {"status": 204},
    "an HTML page": {"body": b"<!doctype html><title>Sign in</title>"},
    "an empty body": {"body": b""},
    "a truncated body": {"body": json.dumps({"keys": PUBLISHED}).encode()[:-2]},
    "missing chunks": {"headers": {"Transfer-Encoding": "chunked"}},
    "not UTF-8": {"body": b'{"keys": "\xff"}'},
    "deep nesting": {"body": b"[" * 100_000},
    "a number too large to read": {"body": b'{"keys": ' + b"1" * 5000 + b"}"},
    "null": {"body": b"null"},
    "a list": {"body": json.dumps(PUBLISHED).encode()},
    "an error": {"body": b'{"error": "no"}'},
    "null keys": {"body": b'{"keys": null}'},
    "an object of keys": {"body": json.dumps({"keys": {"key-1": PUBLISHED[0]}}).encode()},
    "a string of keys": {"body": b'{"keys": "key-1"}'},
    "a body that is too long": {
        "body": b" " * jwks.MAX_KEY_SET_BYTES + json.dumps({"keys": PUBLISHED}).encode()
    },
}


def test_a_response_that_is_not_a_key_set_leaves_the_keys_unchanged(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock, log: io.StringIO
) -> None:
    """A broken issuer must count as unavailable, and the log must state the reason."""
    assert verdict(pair.sign(), verifier) == "alice"
    defaults, unknown = vars(issuer).copy(), key_pair(kid="key-2").sign()
    results = {}

    for name, response in RESPONSES.items():
        vars(issuer).update(defaults | response)
        clock.now += 2 * jwks.LIFESPAN_SECONDS
        log.truncate(log.seek(0))
        verdicts = [verdict(token, verifier) for token in (unknown, pair.sign())]
        results[name] = (*verdicts, log.getvalue().count("BETTER_AUTH_JWKS_URL returned no keys: "))

    assert results == dict.fromkeys(RESPONSES, ("jwks_unavailable", "alice", 1))


def test_a_redirect_is_not_followed(issuer: Issuer, pair: KeyPair) -> None:
    """Keys must come only from the configured URL."""
    statuses = [301, 302, 303, 307, 308]
    with publishing(Issuer([pair.jwk()])) as other:
        issuer.headers = {"Location": other.url}
        for issuer.status in statuses:
            assert verdict(pair.sign(), fresh_verifier(issuer)) == "jwks_unavailable"

    assert (issuer.fetches, other.fetches) == (len(statuses), 0)


def test_a_refused_connection_makes_the_keys_unavailable(pair: KeyPair) -> None:
    """A connection error must not propagate: it must cause a 503, not a 500."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        issuer = Issuer(url=f"http://127.0.0.1:{unused.getsockname()[1]}/jwks")

        assert verdict(pair.sign(), fresh_verifier(issuer)) == "jwks_unavailable"


def test_an_unusable_member_is_skipped(issuer: Issuer) -> None:
    """An unusable member must not affect the members before and after it."""
    pairs = [key_pair(kid=kid) for kid in ("before", "after", "key-1", "")]
    tokens = [pair.sign() for pair in pairs]
    results = {}

    for member in MEMBERS:
        verifier = fresh_verifier(issuer, pairs[0].jwk(), member, pairs[1].jwk())
        results[repr(member)] = tuple(verdict(token, verifier) for token in tokens)

    assert results == dict.fromkeys(results, ("alice", "alice", "unknown_key", "unknown_key"))


@pytest.mark.parametrize(
    "keys", [[], [None], [key_pair("RS256").jwk(alg="PS256")]], ids=["none", "null", "other"]
)
def test_a_key_set_without_usable_keys_withdraws_all_keys(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock, log: Any, keys: list[Any]
) -> None:
    """A withdrawn key must be refused, and the log must warn that no key is left."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.keys = keys
    clock.now += 2 * jwks.LIFESPAN_SECONDS
    verdict(pair.sign(), verifier)
    wait_for_fetches()

    assert verdict(pair.sign(), verifier) == "unknown_key"
    assert "There is no key for EdDSA, ES256, RS256 at BETTER_AUTH_JWKS_URL" in log.getvalue()


def test_a_response_cannot_forge_a_log_line(
    verifier: TokenVerifier, issuer: Issuer, pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """Text from the issuer must be logged as printable ASCII (FR-017)."""
    issuer.raw = b"HTTP/1.0 500 \x1b[2J\x85\rforged\r\n\r\n"

    assert verdict(pair.sign(), verifier) == "jwks_unavailable"

    assert "forged" in caplog.text
    assert all(message.isascii() and message.isprintable() for message in caplog.messages)


def test_a_fetch_has_its_own_user_agent(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """The ``User-Agent`` must not be ``Python-urllib``, which some firewalls block."""
    assert verdict(pair.sign(), verifier) == "alice"
    assert [headers["User-Agent"] for headers in issuer.requests] == ["todo-api"]
