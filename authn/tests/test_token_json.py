"""Strict parsing of a token's JSON, so that no two parsers can disagree about a token.

All tokens here are signed with the correct secret.
"""

from typing import Any

from authn.tests.forge import HEADER, claims, forge, mismatches

DEEP = 100_000
GOOD_HEADER = '{"alg":"HS256"}'
GOOD_PAYLOAD = '{"sub":"alice","exp":253402300799}'
# not an object (RFC 7519 §3), invalid JSON, and JSON in another encoding (RFC 8259)
NOT_OBJECTS = [[], "", "null", "true", "42"]
INVALID_JSON = ["{}}", "{} {}", "{}\0", "/**/{}", "\ufeff{}", "\xa0{}"]
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"]
PAYLOADS: list[Any] = [
    *NOT_OBJECTS,
    *[[claims()], '"alice"', '["sub","alice"]'],
    *(text.replace("{}", GOOD_PAYLOAD) for text in INVALID_JSON),
    *(GOOD_PAYLOAD.encode(name) for name in ENCODINGS),
    *["{'sub':'alice'}", '{"sub":"alice",}', '{"sub":"a\nb"}'],
    # a duplicate name, at any depth (RFC 7519 §4)
    '{"sub":"bob","sub":"alice","exp":253402300799}',
    '{"sub":"alice","sub":"alice","exp":253402300799}',
    '{"sub":"bob","s\\u0075b":"alice","exp":253402300799}',
    '{"sub":"alice","exp":1,"exp":253402300799}',
    '{"user":{"id":"bob","id":"alice"},"exp":253402300799}',
    '{"sub":"alice","exp":253402300799,"x":[{"y":{"z":1,"z":2}}]}',
    '{"sub":"alice","exp":253402300799,"":1,"":2}',
    # invalid UTF-8: Latin-1, overlong, a surrogate, beyond Unicode, an invalid byte
    *(
        b'{"exp":253402300799,"sub":"' + sub + b'"}'
        for sub in (b"\xe9", b"\xc0\xa1", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff")
    ),
    # numbers that are not JSON (RFC 8259 §6), or too long to parse
    *(
        payload.replace("?", number)
        for number in ("NaN", "Infinity", "-Infinity", "9" * 5000)
        for payload in (
            '{"sub":"alice","exp":?}',
            '{"sub":"alice","exp":253402300799,"iat":?}',
            '{"sub":"alice","exp":253402300799,"x":[{"y":?}]}',
        )
    ),
]
KIDS: list[Any] = [None, 1, True, [], {"kid": "key-1"}]
HEADERS: list[Any] = [
    *NOT_OBJECTS,
    *[[HEADER], '"HS256"'],
    *(text.replace("{}", GOOD_HEADER) for text in INVALID_JSON),
    *(GOOD_HEADER.encode(name) for name in ENCODINGS),
    '{"alg":"none","alg":"HS256"}',
    '{"alg":"HS256","alg":"HS256"}',
    '{"alg":"HS256","typ":"JWT","typ":"JWT"}',
    '{"alg":"HS256","x":{"y":1,"y":2}}',
    # a kid that is not a string (RFC 7515 §4.1.4)
    *({**HEADER, "kid": kid} for kid in KIDS),
]
BRACKETS = [("[", "]"), ('{"a":', "}"), ("[", ""), ('{"a":[', "]}")]


def with_header(header: Any) -> str:
    """Sign valid claims under a header."""
    return forge(claims(), header)


def test_a_payload_that_is_not_a_strict_json_object_is_refused() -> None:
    """The payload must be one UTF-8 JSON object with unique names (RFC 7519 §3, §4)."""
    assert mismatches("malformed", PAYLOADS, forge) == {}


def test_a_header_that_is_not_a_strict_json_object_is_refused() -> None:
    """The header must be parsed as strictly as the payload (RFC 7515 §4)."""
    assert mismatches("malformed", HEADERS, with_header) == {}


def test_deep_nesting_is_refused() -> None:
    """Deep nesting must be refused without a ``RecursionError``."""

    def nested(row: tuple[str, str]) -> str:
        return row[0] * DEEP + "1" + row[1] * DEEP

    def nested_claim(row: tuple[str, str]) -> str:
        return forge(f'{{"sub":"alice","exp":253402300799,"x":{nested(row)}}}')

    assert mismatches("malformed", BRACKETS, lambda row: forge(nested(row))) == {}
    assert mismatches("malformed", BRACKETS, lambda row: with_header(nested(row))) == {}
    assert mismatches("malformed", BRACKETS, nested_claim) == {}


def test_white_space_is_allowed() -> None:
    """A pretty-printed payload must be accepted."""
    assert mismatches("alice", [GOOD_PAYLOAD, f" \t\r\n{GOOD_PAYLOAD}\n"], forge) == {}
