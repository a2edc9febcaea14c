"""What an attacker may do to a token's header, its signature and its shape. None of it helps."""

import base64
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from authn.tests.forge import HEADER, claims, forge, segment, signature, unlike
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
HINTS: list[dict[str, Any]] = [
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


def under(header: Any) -> str:
    """Sign good claims under this header."""
    return forge(claims(), header)


def padded(place: int) -> str:
    """Pad a segment of a good token, and sign over that."""
    parts = [segment('{"alg":"HS256"} '), segment(PAYLOAD)]
    if place < 2:
        parts[place] += "=="
    return ".".join([*parts, signature(".".join(parts)) + "=" * (place == 2)])


def respelled(place: int) -> str:
    """Set a bit that base64 leaves over in a segment of a good token, and sign over that."""
    parts = [segment('{"alg":"HS256"} '), segment(PAYLOAD)]
    last = BASE64URL.index(parts[place][-1])
    parts[place] = parts[place][:-1] + BASE64URL[last + 1]
    return ".".join([*parts, signature(".".join(parts))])


def test_a_header_that_asks_for_another_algorithm_is_refused() -> None:
    """Nothing but HS256 must be accepted, which a header must ask for (RFC 8725 §3.1)."""
    headers = [{"typ": "JWT"}, *({"typ": "JWT", "alg": alg} for alg in NOT_HS256)]

    assert unlike("wrong_algorithm", headers, under) == {}


def test_an_hmac_under_the_name_of_another_algorithm_is_refused() -> None:
    """No algorithm must be confused with another, longer hashes included (RFC 8725 §2.1)."""
    tokens = [
        forge(claims(), {"alg": alg}, secret=secret)
        for alg in ("RS256", "ES256", "EdDSA", "PS256")
        for secret in (SECRET, PUBLIC_KEY, ATTACKERS_SECRET)
    ]
    tokens += [forge(claims(), {"alg": f"HS{bits}"}, digest=f"sha{bits}") for bits in (384, 512)]

    assert unlike("wrong_algorithm", tokens) == {}


def test_another_hash_under_the_name_of_hs256_is_refused() -> None:
    """HS256 must mean SHA-256."""
    hashes = ["sha1", "sha224", "sha384", "sha512", "md5", "sha3_256"]

    assert unlike("wrong_signature", hashes, lambda name: forge(claims(), digest=name)) == {}


def test_a_token_signed_with_what_is_not_the_secret_is_refused() -> None:
    """A public key, an empty key or nearly the secret must not sign a token."""
    secrets = ["", "null", "undefined", "secret", PUBLIC_KEY, SECRET.upper(), f"{SECRET}\n"]

    assert unlike("wrong_signature", secrets, lambda key: forge(claims(), secret=key)) == {}


def test_a_key_that_the_header_names_is_not_used() -> None:
    """The header must not choose the key (RFC 8725 §3.5, §3.10)."""
    headers = [{**HEADER, **hint} for hint in HINTS]

    def attack(header: Any) -> str:
        return forge(claims(), header, secret=ATTACKERS_SECRET)

    assert unlike("wrong_signature", headers, attack) == {}
    assert unlike("alice", headers, under) == {}


def test_a_critical_extension_is_refused() -> None:
    """What must be understood and is not must be refused (RFC 7515 §4.1.11, RFC 7797 §6)."""
    headers = [{**HEADER, **extension} for extension in EXTENSIONS]

    assert unlike("critical_header", headers, under) == {}


def test_no_part_and_no_other_spelling_of_a_signature_is_accepted() -> None:
    """One signature must have one spelling, in base64url with no bit left over (RFC 4648 §3.5)."""
    signed, _, right = mint().rpartition(".")
    others = [
        *(right[:length] for length in range(1, len(right))),
        *(right + more for more in ("A", "AA", "AAA", "AAAA")),
        *(right[:-1] + last for last in BASE64URL if last != right[-1]),
        base64.urlsafe_b64decode(f"{right}=").hex(),
        mint("bob").rpartition(".")[2],
    ]

    assert unlike("wrong_signature", others, lambda other: f"{signed}.{other}") == {}


def test_a_signature_in_the_other_base64_alphabet_is_refused() -> None:
    """``+`` and ``/`` are not base64url (RFC 7515 §2)."""
    parts = [mint(jti=str(number)).rpartition(".") for number in range(20)]

    spelled = [
        f"{signed}.{right.translate(TO_BASE64)}"
        for signed, _, right in parts
        if set("-_") & set(right)
    ]

    assert unlike("malformed", spelled) == {}


def test_what_is_not_in_the_compact_form_is_refused() -> None:
    """A token must be three unpadded segments in ASCII and nothing else (RFC 7515 §2)."""
    token, parts = mint(), mint().split(".")
    others = [
        *["", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "null"],
        *["eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.."],
        '{"payload":"e30","protected":"eyJhbGciOiJIUzI1NiJ9","signature":"e30"}',
        # a number of segments that Better Auth's opaque, compact and encrypted tokens have
        *(".".join([*parts, "e30", "e30"][:count]) for count in (1, 2, 4, 5)),
        *(around.format(token) for around in (" {}", "{} ", "{}\n", "\t{}", "\ufeff{}", "{}\0")),
        *(token + more for more in ("=", "==", "===", "%3D")),
        *(token.replace(".", dot) for dot in ("\uff0e", "\u3002", "%2E", " .", ".\n", "\u200b.")),
        *(padded(place) for place in range(3)),
        *(respelled(place) for place in range(2)),
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

    assert unlike("malformed", others) == {}
