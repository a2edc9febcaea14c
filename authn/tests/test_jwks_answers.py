"""What an issuer may answer instead of a key set, or put into one."""

import io
import json
import socket
from typing import Any

import pytest

from authn import jwks
from authn.tests.conftest import Clock
from authn.tests.forge import verdict
from authn.tests.jwks_server import Issuer, KeyPair, fresh_verifier, key_pair, publishing, settle
from authn.tokens import TokenVerifier

Answer = dict[str, Any]
PUBLISHED = [key_pair().jwk()]
NOTHING: dict[str, Any] = {}
MEMBERS: list[Any] = [
    *[None, "key-1", 1, [], {}, {"kty": "EC"}, {"kid": "key-1"}],
    *(key_pair().jwk(kid=kid) for kid in (None, 7, ["key-1"], NOTHING)),
    *(key_pair().jwk(alg=alg) for alg in (["EdDSA"], NOTHING)),
    *(key_pair().jwk(kty=kty) for kty in (["OKP"], "EC")),
    *(key_pair().jwk(crv=crv) for crv in (None, ["Ed25519"])),
    *(key_pair().jwk(x=x) for x in (None, 1, "AAAA", "\u20ac")),
    key_pair().jwk(use=["sig"]),
    key_pair("ES256").jwk(y="A" * 43),
    *(key_pair("RS256").jwk(**changed) for changed in ({"n": None}, {"e": "AA"}, {"alg": "PS256"})),
]

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


def test_an_answer_that_is_no_key_set_leaves_the_keys_as_they_were(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock, log: io.StringIO
) -> None:
    """An issuer that is out of order must count as one that is away, and the log must say why."""
    assert verdict(pair.sign(), verifier) == "alice"
    ordinary, unknown = vars(issuer).copy(), key_pair(kid="key-2").sign()
    found = {}

    for name, answer in ANSWERS.items():
        vars(issuer).update(ordinary | answer)
        clock.now += 2 * jwks.LIFESPAN_SECONDS
        log.truncate(log.seek(0))
        verdicts = [verdict(token, verifier) for token in (unknown, pair.sign())]
        found[name] = (*verdicts, log.getvalue().count("BETTER_AUTH_JWKS_URL gives no keys: "))

    assert found == dict.fromkeys(ANSWERS, ("jwks_unavailable", "alice", 1))


def test_a_redirect_is_not_followed(issuer: Issuer, pair: KeyPair) -> None:
    """Keys must come from the address that was configured and no other."""
    statuses = [301, 302, 303, 307, 308]
    with publishing(Issuer([pair.jwk()])) as other:
        issuer.headers = {"Location": other.url}
        for issuer.status in statuses:
            assert verdict(pair.sign(), fresh_verifier(issuer)) == "jwks_unavailable"

    assert (issuer.fetches, other.fetches) == (len(statuses), 0)


def test_a_port_where_nobody_listens_is_an_issuer_that_is_away(pair: KeyPair) -> None:
    """A refused connection must be no fault of ours."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = Issuer(url=f"http://127.0.0.1:{nobody.getsockname()[1]}/jwks")

        assert verdict(pair.sign(), fresh_verifier(away)) == "jwks_unavailable"


def test_a_member_that_is_no_key_for_us_is_passed_over(issuer: Issuer) -> None:
    """One odd member must not spoil the others, which may stand before or behind it."""
    pairs = [key_pair(kid=kid) for kid in ("before", "behind", "key-1")]
    tokens = [pair.sign() for pair in pairs]
    found = {}

    for member in MEMBERS:
        verifier = fresh_verifier(issuer, pairs[0].jwk(), member, pairs[1].jwk())
        found[repr(member)] = tuple(verdict(token, verifier) for token in tokens)

    assert found == dict.fromkeys(found, ("alice", "alice", "unknown_key"))


@pytest.mark.parametrize(
    "keys", [[], [None], [key_pair("RS256").jwk(alg="PS256")]], ids=["none", "null", "other"]
)
def test_a_set_without_a_key_for_us_takes_all_back(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock, log: Any, keys: list[Any]
) -> None:
    """An issuer that has taken its keys back must be believed, and the operator told."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.keys = keys
    clock.now += 2 * jwks.LIFESPAN_SECONDS
    verdict(pair.sign(), verifier)
    settle()

    assert verdict(pair.sign(), verifier) == "unknown_key"
    assert "There is no key for EdDSA, ES256, RS256 at BETTER_AUTH_JWKS_URL" in log.getvalue()


def test_an_answer_cannot_forge_a_line_of_the_log(
    verifier: TokenVerifier, issuer: Issuer, pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """What an issuer says must be logged as printable ASCII (FR-017)."""
    issuer.raw = b"HTTP/1.0 500 \x1b[2J\x85\rforged\r\n\r\n"

    assert verdict(pair.sign(), verifier) == "jwks_unavailable"

    assert "forged" in caplog.text
    assert all(message.isascii() and message.isprintable() for message in caplog.messages)


def test_we_do_not_ask_under_the_name_of_urllib(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """Many a site's shield refuses ``Python-urllib``."""
    assert verdict(pair.sign(), verifier) == "alice"
    assert [asked["User-Agent"] for asked in issuer.asked] == ["todo-api"]
