"""What an attacker may do to a token's header, its signature and its shape. None of it helps."""

import base64
from typing import Any

import pytest

from authn.tests.forge import HEADER, claims, forge, reason, segment, signature
from authn.tokens import TokenVerifier
from conftest import SECRET, mint

ATTACKERS_SECRET = "what-an-attacker-signs-with-0123456789012"
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""
VERIFIER = TokenVerifier([SECRET])

NOT_HS256 = [
    *["none", "None", "NONE", "nOnE", "none ", "none\0", "", "null"],
    *["hs256", "Hs256", "HS256 ", " HS256", "HS256\0", "SHA256", "HMAC", "HS255", "HS1"],
    *["HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES256K", "ES512"],
    *["EdDSA", "Ed25519", "dir", "A128KW", "RSA-OAEP", "PBES2-HS256+A128KW"],
    *[None, True, False, 0, 1, 256, 1.5, [], ["none"], ["HS256"], {}, {"alg": "HS256"}],
]


@pytest.mark.parametrize("alg", NOT_HS256, ids=repr)
def test_a_header_that_asks_for_another_algorithm_is_refused(alg: Any) -> None:
    """Nothing but HS256 must be accepted, whatever the header asks for (RFC 8725 §3.1)."""
    assert reason(forge(claims(), {"typ": "JWT", "alg": alg})) == "wrong_algorithm"


def test_a_header_without_an_algorithm_is_refused() -> None:
    """``alg`` must be present (RFC 7515 §4.1.1)."""
    assert reason(forge(claims(), {"typ": "JWT"})) == "wrong_algorithm"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "HS256"])
@pytest.mark.parametrize("ending", [".", ""])
def test_a_token_without_a_signature_is_refused(alg: str, ending: str) -> None:
    """An unsigned token must open nothing (RFC 8725 §2.1)."""
    assert reason(f"{segment({'alg': alg})}.{segment(claims())}{ending}") == "malformed"


@pytest.mark.parametrize(("alg", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
def test_a_longer_hash_with_the_right_secret_is_refused(alg: str, digest: str) -> None:
    """HS384 and HS512 must be refused: they are not configured."""
    assert reason(forge(claims(), {"alg": alg}, digest=digest)) == "wrong_algorithm"


@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha384", "sha512", "md5", "sha3_256"])
def test_another_hash_under_the_name_of_hs256_is_refused(digest: str) -> None:
    """HS256 must mean SHA-256."""
    assert reason(forge(claims(), digest=digest)) == "wrong_signature"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "PS256"])
@pytest.mark.parametrize("secret", [SECRET, PUBLIC_KEY, ATTACKERS_SECRET])
def test_an_hmac_under_the_name_of_a_public_key_algorithm_is_refused(alg: str, secret: str) -> None:
    """No algorithm must be confused with another (RFC 8725 §2.1)."""
    assert reason(forge(claims(), {"alg": alg}, secret=secret)) == "wrong_algorithm"


@pytest.mark.parametrize(
    "secret", ["", "null", "undefined", "secret", PUBLIC_KEY, SECRET.upper(), f"{SECRET}\n"]
)
def test_a_token_signed_with_what_is_not_the_secret_is_refused(secret: str) -> None:
    """A public key, an empty key or nearly the secret must not sign a token."""
    assert reason(forge(claims(), secret=secret)) == "wrong_signature"


HINTS = [
    {"kid": ""},
    {"kid": "../../../../dev/null"},
    {"kid": "' UNION SELECT 'x' --"},
    {"kid": "http://attacker.example/key"},
    {"jku": "http://attacker.example/jwks.json"},
    {"x5u": "http://attacker.example/key.pem"},
    {"jwk": {"kty": "oct", "k": segment(ATTACKERS_SECRET)}},
    {"x5c": ["MIIB"], "x5t": "x"},
]


@pytest.mark.parametrize("hint", HINTS, ids=repr)
def test_a_key_that_the_header_names_is_not_used(hint: dict[str, Any]) -> None:
    """The header must not choose the key (RFC 8725 §3.5, §3.10)."""
    token = forge(claims(), {**HEADER, **hint}, secret=ATTACKERS_SECRET)

    assert reason(token) == "wrong_signature"


@pytest.mark.parametrize("hint", HINTS, ids=repr)
def test_a_hint_in_the_header_of_a_good_token_changes_nothing(hint: dict[str, Any]) -> None:
    """What the header says of keys must be ignored, with the right signature too."""
    assert VERIFIER.claims(forge(claims(), {**HEADER, **hint}))["sub"] == "alice"


@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["x"]},
        {"crit": []},
        {"crit": None},
        {"crit": "b64"},
        {"crit": [1]},
        {"crit": ["alg"]},
        {"crit": ["b64"]},
        {"crit": ["b64"], "b64": True},
        {"crit": ["b64"], "b64": False},
        {"b64": True},
        {"b64": False},
        {"b64": None},
        {"b64": 0},
    ],
    ids=repr,
)
def test_a_critical_extension_is_refused(extension: dict[str, Any]) -> None:
    """What must be understood and is not must be refused (RFC 7515 §4.1.11, RFC 7797 §6)."""
    assert reason(forge(claims(), {**HEADER, **extension})) in {"critical_header", "malformed"}


@pytest.mark.parametrize("payload", ["", '{"sub":"alice","exp":253402300799}'])
def test_an_unencoded_payload_is_refused(payload: str) -> None:
    """``b64=false`` must not be spoken here, detached or not (RFC 7797)."""
    header = segment({**HEADER, "b64": False, "crit": ["b64"]})

    assert reason(f"{header}.{payload}.{signature(f'{header}.{payload}')}") == "malformed"


def test_a_signature_cut_short_anywhere_is_refused() -> None:
    """Part of a signature must not do."""
    signed, _, right = mint().rpartition(".")
    shorter = [f"{signed}.{right[:length]}" for length in range(len(right))]

    assert {reason(token) for token in shorter} <= {"wrong_signature", "malformed"}


@pytest.mark.parametrize("more", ["A", "AA", "AAA", "AAAA", "=", "==", "===", "\n", " ", "%3D"])
def test_a_signature_with_something_after_it_is_refused(more: str) -> None:
    """One signature must have one spelling."""
    assert reason(mint() + more) in {"wrong_signature", "malformed"}


def test_no_other_spelling_of_a_signature_is_accepted() -> None:
    """The bits that base64 leaves over must be zero (RFC 4648 §3.5)."""
    token = mint()
    others = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") - {token[-1]}

    assert {reason(token[:-1] + last) for last in others} == {"wrong_signature"}


def test_a_signature_in_the_other_base64_alphabet_is_refused() -> None:
    """``+`` and ``/`` are not base64url (RFC 7515 §2)."""
    tokens = [mint(jti=str(number)) for number in range(20)]
    parts = [token.rpartition(".") for token in tokens if set("-_") & set(token[-43:])]
    spelled = [
        f"{signed}.{right.translate(str.maketrans('-_', '+/'))}" for signed, _, right in parts
    ]

    assert spelled
    assert {reason(token) for token in spelled} == {"malformed"}


def test_a_signature_in_hexadecimal_is_refused() -> None:
    """A signature must be spelled in base64url."""
    signed, _, right = mint().rpartition(".")
    digest = base64.urlsafe_b64decode(f"{right}=")

    assert reason(f"{signed}.{digest.hex()}") == "wrong_signature"


def test_another_tokens_signature_is_refused() -> None:
    """A signature must fit the claims that it stands beside."""
    right = mint("bob").rpartition(".")[2]

    assert reason(f"{mint('alice').rpartition('.')[0]}.{right}") == "wrong_signature"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_padded_segment_is_refused(place: int) -> None:
    """A JWS has no ``=``, though the signature be right over it (RFC 7515 §2)."""
    parts = [segment('{"alg":"HS256"} '), segment('{"sub":"alice","exp":253402300799}')]
    if place < 2:
        parts[place] += "=="
    last = signature(".".join(parts)) + ("=" if place == 2 else "")

    assert reason(".".join([*parts, last])) == "malformed"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        *[".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e"],
        "null",
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9..",
        '{"payload":"e30","protected":"eyJhbGciOiJIUzI1NiJ9","signature":"e30"}',
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    """Only the compact form of a JWS must be read (RFC 7519 §1)."""
    assert reason(token) == "malformed"


@pytest.mark.parametrize("segments", [1, 2, 4, 5])
def test_a_token_of_another_number_of_segments_is_refused(segments: int) -> None:
    """Better Auth's opaque, compact and encrypted tokens must open nothing."""
    parts = [*mint().split("."), "e30", "e30"]

    assert reason(".".join(parts[:segments])) == "malformed"


@pytest.mark.parametrize(
    ("before", "after"), [(" ", ""), ("", " "), ("", "\n"), ("\t", ""), ("\ufeff", ""), ("", "\0")]
)
def test_a_token_with_white_space_around_it_is_refused(before: str, after: str) -> None:
    """A token must have one spelling."""
    assert reason(f"{before}{mint()}{after}") == "malformed"


@pytest.mark.parametrize("dot", ["\uff0e", "\u3002", "%2E", " .", ".\n", "\u200b."])
def test_a_token_with_another_separator_is_refused(dot: str) -> None:
    """Only ASCII must be read."""
    assert reason(mint().replace(".", dot)) == "malformed"
