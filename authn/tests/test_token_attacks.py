"""Attacks on a token's header, signature and format."""

import base64
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from authn.tests.forge import HEADER, claims, forge, mismatches, segment, signature
from conftest import SECRET, mint

ATTACKERS_SECRET = "what-an-attacker-signs-with-0123456789012"
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""
PAYLOAD = '{"sub":"alice","exp":253402300799}'
UNENCODED = segment({**HEADER, "b64": False, "crit": ["b64"]})
BASE64URL = f"{ascii_uppercase}{ascii_lowercase}{digits}-_"
TO_BASE64 = str.maketrans("-_", "+/")

NOT_HS256 = [
    *["none", "None", "NONE", "nOnE", "none ", "none\0", "", "null"],
    *["hs256", "Hs256", "HS256 ", " HS256", "HS256\0", "SHA256", "HMAC", "HS255", "HS1"],
    *["HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES256K", "ES512"],
    *["EdDSA", "Ed25519", "dir", "A128KW", "RSA-OAEP", "PBES2-HS256+A128KW"],
    *[None, True, False, 0, 1, 256, 1.5, [], ["none"], ["HS256"], {}, {"alg": "HS256"}],
]
KEY_HEADERS: list[dict[str, Any]] = [
    {"kid": ""},
    {"kid": "../../../../dev/null"},
    {"kid": "' UNION SELECT 'x' --"},
    {"kid": "http://attacker.example/key"},
    {"jku": "http://attacker.example/jwks.json"},
    {"x5u": "http://attacker.example/key.pem"},
    {"jwk": {"kty": "oct", "k": segment(ATTACKERS_SECRET)}},
    {"x5c": ["MIIB"], "x5t": "x"},
]
EXTENSIONS: list[dict[str, Any]] = [
    {"crit": ["exp"], "exp": 1},
    *[{"crit": names} for names in (["x"], [], None, "b64", [1], ["alg"], ["b64"])],
    *[{"crit": ["b64"], "b64": value} for value in (True, False)],
    *[{"b64": value} for value in (True, False, None, 0)],
]


def with_header(header: Any) -> str:
    """Sign valid claims under a header."""
    return forge(claims(), header)


def padded(index: int) -> str:
    """Return a signed token with one padded segment."""
    parts = [segment('{"alg":"HS256"} '), segment(PAYLOAD)]
    if index < 2:
        parts[index] += "=="
    return ".".join([*parts, signature(".".join(parts)) + "=" * (index == 2)])


def non_canonical(index: int) -> str:
    """Return a signed token with an unused bit set at the end of one segment."""
    parts = [segment('{"alg":"HS256"} '), segment(PAYLOAD)]
    last = BASE64URL.index(parts[index][-1])
    parts[index] = parts[index][:-1] + BASE64URL[last + 1]
    return ".".join([*parts, signature(".".join(parts))])


def test_another_algorithm_is_refused() -> None:
    """The header's ``alg`` must be exactly HS256 (RFC 8725 §3.1)."""
    headers = [{"typ": "JWT"}, *({"typ": "JWT", "alg": alg} for alg in NOT_HS256)]

    assert mismatches("wrong_algorithm", headers, with_header) == {}


def test_an_hmac_that_claims_another_algorithm_is_refused() -> None:
    """An HMAC must not pass for another algorithm or a longer hash (RFC 8725 §2.1)."""
    tokens = [
        forge(claims(), {"alg": alg}, secret=secret)
        for alg in ("RS256", "ES256", "EdDSA", "PS256")
        for secret in (SECRET, PUBLIC_KEY, ATTACKERS_SECRET)
    ]
    tokens += [forge(claims(), {"alg": f"HS{bits}"}, digest=f"sha{bits}") for bits in (384, 512)]

    assert mismatches("wrong_algorithm", tokens) == {}


def test_another_hash_that_claims_to_be_hs256_is_refused() -> None:
    """HS256 must mean SHA-256."""
    hashes = ["sha1", "sha224", "sha384", "sha512", "md5", "sha3_256"]

    assert mismatches("wrong_signature", hashes, lambda name: forge(claims(), digest=name)) == {}


def test_a_token_signed_with_another_key_is_refused() -> None:
    """A public key, an empty key or a similar secret must not verify a token."""
    secrets = ["", "null", "undefined", "secret", PUBLIC_KEY, SECRET.upper(), f"{SECRET}\n"]

    assert mismatches("wrong_signature", secrets, lambda key: forge(claims(), secret=key)) == {}


def test_a_key_in_the_header_is_ignored() -> None:
    """The header must not choose the key (RFC 8725 §3.5, §3.10)."""
    headers = [{**HEADER, **header} for header in KEY_HEADERS]

    def attack(header: Any) -> str:
        return forge(claims(), header, secret=ATTACKERS_SECRET)

    assert mismatches("wrong_signature", headers, attack) == {}
    assert mismatches("alice", headers, with_header) == {}


def test_a_critical_extension_is_refused() -> None:
    """An unsupported critical header must be refused (RFC 7515 §4.1.11, RFC 7797 §6)."""
    headers = [{**HEADER, **extension} for extension in EXTENSIONS]

    assert mismatches("critical_header", headers, with_header) == {}


def test_a_truncated_or_non_canonical_signature_is_refused() -> None:
    """A signature must have exactly one accepted encoding (RFC 4648 §3.5)."""
    signed, _, right = mint().rpartition(".")
    others = [
        *(right[:length] for length in range(1, len(right))),
        *(right + more for more in ("A", "AA", "AAA", "AAAA")),
        *(right[:-1] + last for last in BASE64URL if last != right[-1]),
        base64.urlsafe_b64decode(f"{right}=").hex(),
        mint("bob").rpartition(".")[2],
    ]

    assert mismatches("wrong_signature", others, lambda other: f"{signed}.{other}") == {}


def test_a_signature_in_standard_base64_is_refused() -> None:
    """A signature with ``+`` or ``/`` must be refused (RFC 7515 §2)."""
    parts = [mint(jti=str(number)).rpartition(".") for number in range(20)]

    tokens = [
        f"{signed}.{right.translate(TO_BASE64)}"
        for signed, _, right in parts
        if set("-_") & set(right)
    ]

    assert mismatches("malformed", tokens) == {}


def test_a_token_that_is_not_a_compact_jws_is_refused() -> None:
    """A token must be exactly three unpadded base64url segments (RFC 7515 §2)."""
    token, parts = mint(), mint().split(".")
    others = [
        *["", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "null"],
        *["eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.."],
        '{"payload":"e30","protected":"eyJhbGciOiJIUzI1NiJ9","signature":"e30"}',
        # another number of segments, as in Better Auth's opaque and encrypted tokens
        *(".".join([*parts, "e30", "e30"][:count]) for count in (1, 2, 4, 5)),
        *(around.format(token) for around in (" {}", "{} ", "{}\n", "\t{}", "\ufeff{}", "{}\0")),
        *(token + more for more in ("=", "==", "===", "%3D")),
        *(token.replace(".", dot) for dot in ("\uff0e", "\u3002", "%2E", " .", ".\n", "\u200b.")),
        *(padded(index) for index in range(3)),
        *(non_canonical(index) for index in range(2)),
        # no signature (RFC 8725 §2.1), an unencoded payload (RFC 7797)
        *(
            f"{segment({'alg': alg})}.{parts[1]}{ending}"
            for alg in ("none", "None", "NONE", "nOnE", "HS256")
            for ending in (".", "")
        ),
        *(
            f"{UNENCODED}.{payload}.{signature(f'{UNENCODED}.{payload}')}"
            for payload in ("", PAYLOAD)
        ),
    ]

    assert mismatches("malformed", others) == {}
