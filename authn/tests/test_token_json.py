"""What may stand in a token's JSON. Readers that differ about it can be played against each other.

All of it is signed with the right secret: what is tested is the reading.
"""

from typing import Any

from authn.tests.forge import HEADER, claims, forge, unlike

DEEP = 100_000
GOOD_HEADER = '{"alg":"HS256"}'
GOOD_PAYLOAD = '{"sub":"alice","exp":253402300799}'
# no object (RFC 7519 §3), nearly JSON and JSON in another encoding (RFC 8259)
NO_OBJECTS = [[], "", "null", "true", "42"]
DAMAGED = ["{}}", "{} {}", "{}\0", "/**/{}", "\ufeff{}", "\xa0{}"]
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"]
PAYLOADS: list[Any] = [
    *NO_OBJECTS,
    *[[claims()], '"alice"', '["sub","alice"]'],
    *(text.replace("{}", GOOD_PAYLOAD) for text in DAMAGED),
    *(GOOD_PAYLOAD.encode(name) for name in ENCODINGS),
    *["{'sub':'alice'}", '{"sub":"alice",}', '{"sub":"a\nb"}'],
    # a name twice, at any depth (RFC 7519 §4)
    '{"sub":"bob","sub":"alice","exp":253402300799}',
    '{"sub":"alice","sub":"alice","exp":253402300799}',
    '{"sub":"bob","s\\u0075b":"alice","exp":253402300799}',
    '{"sub":"alice","exp":1,"exp":253402300799}',
    '{"user":{"id":"bob","id":"alice"},"exp":253402300799}',
    '{"sub":"alice","exp":253402300799,"x":[{"y":{"z":1,"z":2}}]}',
    '{"sub":"alice","exp":253402300799,"":1,"":2}',
    # bytes that are no UTF-8: Latin-1, overlong, a surrogate, beyond Unicode, never UTF-8
    *(
        b'{"exp":253402300799,"sub":"' + sub + b'"}'
        for sub in (b"\xe9", b"\xc0\xa1", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff")
    ),
    # numbers that JSON does not have (RFC 8259 §6), or that are too long to read
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
    *NO_OBJECTS,
    *[[HEADER], '"HS256"'],
    *(text.replace("{}", GOOD_HEADER) for text in DAMAGED),
    *(GOOD_HEADER.encode(name) for name in ENCODINGS),
    '{"alg":"none","alg":"HS256"}',
    '{"alg":"HS256","alg":"HS256"}',
    '{"alg":"HS256","typ":"JWT","typ":"JWT"}',
    '{"alg":"HS256","x":{"y":1,"y":2}}',
    # a key's id that is no text (RFC 7515 §4.1.4)
    *({**HEADER, "kid": kid} for kid in KIDS),
]
BRACKETS = [("[", "]"), ('{"a":', "}"), ("[", ""), ('{"a":[', "]}")]


def headed(header: Any) -> str:
    """Sign good claims under this header."""
    return forge(claims(), header)


def test_a_payload_that_is_no_strict_json_object_is_refused() -> None:
    """Claims must be one object in UTF-8, its names unique, and nothing else (RFC 7519 §3, §4)."""
    assert unlike("malformed", PAYLOADS, forge) == {}


def test_a_header_that_is_no_strict_json_object_is_refused() -> None:
    """A header must be read as strictly as the claims (RFC 7515 §4)."""
    assert unlike("malformed", HEADERS, headed) == {}


def test_nesting_without_end_is_refused() -> None:
    """Depth must be refused, not raise ``RecursionError``."""

    def nested(row: tuple[str, str]) -> str:
        return row[0] * DEEP + "1" + row[1] * DEEP

    def nested_claim(row: tuple[str, str]) -> str:
        return forge(f'{{"sub":"alice","exp":253402300799,"x":{nested(row)}}}')

    assert unlike("malformed", BRACKETS, lambda row: forge(nested(row))) == {}
    assert unlike("malformed", BRACKETS, lambda row: headed(nested(row))) == {}
    assert unlike("malformed", BRACKETS, nested_claim) == {}


def test_white_space_that_json_allows_is_allowed() -> None:
    """A payload that is printed over several lines must be read all the same."""
    assert unlike("alice", [GOOD_PAYLOAD, f" \t\r\n{GOOD_PAYLOAD}\n"], forge) == {}
