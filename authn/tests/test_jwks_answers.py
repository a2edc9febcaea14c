"""What an issuer may answer instead of a key set, or put into one."""

import json
import socket
from typing import Any

import pytest

from authn import jwks
from authn.jwks import KeySet
from authn.tests.conftest import Clock
from authn.tests.forge import reason
from authn.tests.jwks_server import ISSUER, Issuer, KeyPair, key_pair, publishing, settle
from authn.tokens import KeysUnavailableError, TokenVerifier
from conftest import SECRET

Answer = dict[str, Any]
PUBLISHED = [key_pair().jwk()]

ANSWERS: dict[str, Answer] = {
    "another protocol": {"raw": b"SSH-2.0-OpenSSH_9.2\r\n"},
    "a status that is none": {"raw": b"HTTP/1.1 OK\r\n\r\n"},
    "not found": {"status": 404},
    "a fault": {"status": 500},
    "no content": {"status": 204},
    "a page": {"body": b"<!doctype html><title>Sign in</title>"},
    "nothing": {"body": b""},
    "half of it": {"body": json.dumps({"keys": PUBLISHED}).encode()[:-2]},
    "no chunks where some are announced": {"headers": {"Transfer-Encoding": "chunked"}},
    "not UTF-8": {"body": b'{"keys": "\xff"}'},
    "deep": {"body": b"[" * 100_000},
    "a number too large to read": {"body": b'{"keys": ' + b"1" * 5000 + b"}"},
    "null": {"body": b"null"},
    "a list": {"body": json.dumps(PUBLISHED).encode()},
    "an error": {"body": b'{"error": "no"}'},
    "keys that are null": {"body": b'{"keys": null}'},
    "keys that are an object": {"body": json.dumps({"keys": {"key-1": PUBLISHED[0]}}).encode()},
    "keys that are text": {"body": b'{"keys": "key-1"}'},
    "too much": {"body": b" " * jwks.MAX_KEY_SET_BYTES + json.dumps({"keys": PUBLISHED}).encode()},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_that_is_no_key_set_leaves_the_keys_as_they_were(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    """An issuer that is out of order must count as one that is away, and the log must say why."""
    assert verifier.claims(pair.sign())["sub"] == "alice"
    vars(issuer).update(answer)
    clock.now += 2 * jwks.LIFESPAN_SECONDS

    with pytest.raises(KeysUnavailableError):
        verifier.claims(key_pair(kid="key-2").sign())

    assert verifier.claims(pair.sign())["sub"] == "alice"
    [record] = [record for record in caplog.records if record.name == "authn.jwks"]
    assert record.getMessage().startswith("BETTER_AUTH_JWKS_URL gives no keys: ")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, status: int
) -> None:
    """Keys must come from the address that was configured and no other."""
    with publishing(Issuer([pair.jwk()])) as other:
        issuer.status, issuer.headers = status, {"Location": other.url}

        with pytest.raises(KeysUnavailableError):
            verifier.claims(pair.sign())

        assert (issuer.fetches, other.fetches) == (1, 0)


def test_a_port_where_nobody_listens_is_an_issuer_that_is_away(pair: KeyPair) -> None:
    """A refused connection must be no fault of ours."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/jwks"
        verifier = TokenVerifier([SECRET], keys=KeySet(url, ISSUER, ISSUER))

        with pytest.raises(KeysUnavailableError):
            verifier.claims(pair.sign())


@pytest.mark.parametrize(
    "member",
    [
        None,
        "key-1",
        1,
        [],
        {},
        {"kty": "EC"},
        {"kid": "key-1"},
        key_pair().jwk(kid=None),
        key_pair().jwk(kid=7),
        key_pair().jwk(kid=["key-1"]),
        key_pair().jwk(kid={}),
        key_pair().jwk(alg=["EdDSA"]),
        key_pair().jwk(alg={}),
        key_pair().jwk(kty=["OKP"]),
        key_pair().jwk(kty="EC"),
        key_pair().jwk(crv=None),
        key_pair().jwk(crv=["Ed25519"]),
        key_pair().jwk(x=None),
        key_pair().jwk(x=1),
        key_pair().jwk(x="AAAA"),
        key_pair().jwk(x="\u20ac"),
        key_pair().jwk(use=["sig"]),
        key_pair("ES256").jwk(y="A" * 43),
        key_pair("RS256").jwk(n=None),
        key_pair("RS256").jwk(e="AA"),
        key_pair("RS256").jwk(alg="PS256"),
    ],
)
def test_a_member_that_is_no_key_for_us_is_passed_over(
    issuer: Issuer, verifier: TokenVerifier, member: Any
) -> None:
    """One odd member must not spoil the others, which may stand before or behind it."""
    good = [key_pair(kid="before"), key_pair(kid="behind")]
    issuer.keys = [good[0].jwk(), member, good[1].jwk()]

    assert {verifier.claims(pair.sign())["sub"] for pair in good} == {"alice"}
    assert reason(key_pair().sign(), verifier) == "unknown_key"


@pytest.mark.parametrize("keys", [[], [None], [key_pair("RS256").jwk(alg="PS256")]], ids=len)
def test_a_set_without_a_key_for_us_takes_all_back(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    keys: list[Any],
) -> None:
    """An issuer that has taken its keys back must be believed, and the operator told."""
    assert verifier.claims(pair.sign())["sub"] == "alice"
    issuer.keys = keys
    clock.now += 2 * jwks.LIFESPAN_SECONDS
    verifier.claims(pair.sign())
    settle()

    assert reason(pair.sign(), verifier) == "unknown_key"
    assert "There is no key for EdDSA, ES256, RS256 at BETTER_AUTH_JWKS_URL" in caplog.messages


def test_an_answer_cannot_forge_a_line_of_the_log(
    verifier: TokenVerifier, issuer: Issuer, pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """What an issuer says must be logged as printable ASCII (FR-017)."""
    issuer.raw = b"HTTP/1.0 500 \x1b[2J\x85\rforged\r\n\r\n"

    with pytest.raises(KeysUnavailableError):
        verifier.claims(pair.sign())

    assert "forged" in caplog.text
    assert all(message.isascii() and message.isprintable() for message in caplog.messages)


def test_we_do_not_ask_under_the_name_of_urllib(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """Many a site's shield refuses ``Python-urllib``."""
    verifier.claims(pair.sign())

    assert [asked["User-Agent"] for asked in issuer.asked] == ["todo-api"]
