"""What may stand in a token's JSON. Readers that differ about it can be played against each other.

All of it is signed with the right secret: what is tested is the reading.
"""

from typing import Any

import pytest

from authn.tests.forge import HEADER, claims, forge, reason
from authn.tokens import TokenVerifier
from conftest import SECRET

DEEP = 100_000
GOOD_HEADER = '{"alg":"HS256"}'
GOOD_PAYLOAD = '{"sub":"alice","exp":253402300799}'


@pytest.mark.parametrize(
    "payload", [[], [claims()], "", '"alice"', "null", "true", "42", '["sub","alice"]'], ids=repr
)
def test_a_payload_that_is_not_an_object_is_refused(payload: Any) -> None:
    """Claims must be an object (RFC 7519 §3)."""
    assert reason(forge(payload)) == "malformed"


@pytest.mark.parametrize("header", [[], [HEADER], "", '"HS256"', "null", "true", "42"], ids=repr)
def test_a_header_that_is_not_an_object_is_refused(header: Any) -> None:
    """A header must be an object (RFC 7515 §4)."""
    assert reason(forge(claims(), header)) == "malformed"


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param("{text}}", id="one brace too many"),
        pytest.param("{text} {text}", id="two objects"),
        pytest.param("{text}\0", id="NUL after it"),
        pytest.param("/**/{text}", id="comment"),
        pytest.param("\ufeff{text}", id="byte-order mark"),
        pytest.param("\xa0{text}", id="no-break space"),
    ],
)
def test_text_that_is_nearly_json_is_refused(damaged: str) -> None:
    """Header and payload must be JSON and nothing else (RFC 8259)."""
    assert reason(forge(damaged.replace("{text}", GOOD_PAYLOAD))) == "malformed"
    assert reason(forge(claims(), damaged.replace("{text}", GOOD_HEADER))) == "malformed"


@pytest.mark.parametrize("payload", ["{'sub':'alice'}", '{"sub":"alice",}', '{"sub":"a\nb"}'])
def test_a_payload_in_a_laxer_json_is_refused(payload: str) -> None:
    """Only RFC 8259 must be read."""
    assert reason(forge(payload)) == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        '{"sub":"bob","sub":"alice","exp":253402300799}',
        '{"sub":"alice","sub":"alice","exp":253402300799}',
        '{"sub":"bob","s\\u0075b":"alice","exp":253402300799}',
        '{"sub":"alice","exp":1,"exp":253402300799}',
        '{"user":{"id":"bob","id":"alice"},"exp":253402300799}',
        '{"sub":"alice","exp":253402300799,"x":[{"y":{"z":1,"z":2}}]}',
        '{"sub":"alice","exp":253402300799,"":1,"":2}',
    ],
)
def test_a_claim_named_twice_is_refused(payload: str) -> None:
    """Names must be unique, at any depth (RFC 7519 §4)."""
    assert reason(forge(payload)) == "malformed"


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","alg":"HS256"}',
        '{"alg":"HS256","alg":"HS256"}',
        '{"alg":"HS256","typ":"JWT","typ":"JWT"}',
        '{"alg":"HS256","x":{"y":1,"y":2}}',
    ],
)
def test_a_header_parameter_named_twice_is_refused(header: str) -> None:
    """Names must be unique in the header too (RFC 7515 §4)."""
    assert reason(forge(claims(), header)) == "malformed"


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"]
)
def test_a_token_in_another_encoding_is_refused(encoding: str) -> None:
    """Header and payload must be UTF-8 without a byte-order mark (RFC 7519 §3)."""
    assert reason(forge(GOOD_PAYLOAD.encode(encoding))) == "malformed"
    assert reason(forge(claims(), GOOD_HEADER.encode(encoding))) == "malformed"


@pytest.mark.parametrize(
    "sub",
    [
        pytest.param(b"\xe9", id="Latin-1"),
        pytest.param(b"\xc0\xa1", id="overlong"),
        pytest.param(b"\xed\xa0\x80", id="surrogate"),
        pytest.param(b"\xf4\x90\x80\x80", id="beyond Unicode"),
        pytest.param(b"\xff", id="never UTF-8"),
    ],
)
def test_bytes_that_are_not_utf8_are_refused(sub: bytes) -> None:
    """No byte must be guessed at."""
    assert reason(forge(b'{"exp":253402300799,"sub":"' + sub + b'"}')) == "malformed"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    "payload",
    [
        '{"sub":"alice","exp":?}',
        '{"sub":"alice","exp":253402300799,"iat":?}',
        '{"sub":"alice","exp":253402300799,"x":[{"y":?}]}',
    ],
)
def test_a_number_that_json_does_not_have_is_refused(payload: str, constant: str) -> None:
    """``NaN`` is not JSON (RFC 8259 §6), wherever it stands."""
    assert reason(forge(payload.replace("?", constant))) == "malformed"


@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"a":', "}"), ("[", ""), ('{"a":[', "]}")]
)
def test_nesting_without_end_is_refused(opening: str, closing: str) -> None:
    """Depth must be refused, not raise ``RecursionError``."""
    nested = opening * DEEP + "1" + closing * DEEP

    assert reason(forge(nested)) == "malformed"
    assert reason(forge(claims(), nested)) == "malformed"
    assert reason(forge(f'{{"sub":"alice","exp":253402300799,"x":{nested}}}')) == "malformed"


@pytest.mark.parametrize("payload", [GOOD_PAYLOAD, f" \t\r\n{GOOD_PAYLOAD}\n"])
def test_white_space_that_json_allows_is_allowed(payload: str) -> None:
    """A payload that is printed over several lines must be read all the same."""
    assert TokenVerifier([SECRET]).claims(forge(payload))["sub"] == "alice"


@pytest.mark.parametrize("kid", [None, 1, True, [], {"kid": "key-1"}], ids=repr)
def test_a_key_id_that_is_no_text_makes_a_header_malformed(kid: Any) -> None:
    """A header that RFC 7515 §4.1.4 forbids must be refused, whoever signed it."""
    assert reason(forge(claims(), {**HEADER, "kid": kid})) == "malformed"
