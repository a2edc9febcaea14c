"""Why the API refuses a token, and how to fix it. Only ``check_token`` uses this module."""

USE_A_RECIPE = (
    "On the front end, send a token made for the API, from the jwt plugin with jwt.sign or from a"
    ' route of your own: docs/better-auth.md, "Two recipes".'
)
ENABLE_SESSIONS = (
    "Or, on this side, set BETTER_AUTH_SESSIONS=true if Better Auth's tables are in the same"
    ' database: docs/better-auth.md, "Session tokens".'
)
COMPARE_SECRETS = (
    "Compare the fingerprints. Either both sides need the same BETTER_AUTH_SECRET, or the front"
    " end's secret must be one of this side's BETTER_AUTH_SECRETS. On the front end:"
    ' printf %s "$BETTER_AUTH_SECRET" | sha256sum | cut -c 1-8'
)
SET_CLAIM = (
    "Set the claim where the token is signed, or change the variable on this side. The session"
    " cookie and the tokens of a route of your own have no such claim:"
    ' docs/better-auth.md, "Public keys".'
)

# Reasons for refusing a token before its claims are verified, each with an explanation and a fix
UNVERIFIED = {
    "malformed": ("It is damaged, or not a JSON Web Token with three segments.", USE_A_RECIPE),
    "critical_header": (
        "Its header has crit or b64, which the API does not support.",
        "Remove them where the token is signed.",
    ),
    "wrong_algorithm": (
        "Its algorithm is not accepted.",
        'On the front end, sign with HS256: docs/better-auth.md, "Two recipes". Or, on this side,'
        " set BETTER_AUTH_JWKS_URL to accept EdDSA, ES256 and RS256 as well:"
        ' docs/better-auth.md, "Public keys".',
    ),
    "wrong_signature": ("It was modified, or signed with another secret or key.", COMPARE_SECRETS),
    "wrong_type": (
        "The typ in its header is not JWT: it was made for another purpose.",
        USE_A_RECIPE,
    ),
    "unknown_key": (
        "Its kid matches no key at BETTER_AUTH_JWKS_URL.",
        "On this side, set BETTER_AUTH_JWKS_URL to the key set of the issuer that signed it.",
    ),
    "jwks_unavailable": (
        "BETTER_AUTH_JWKS_URL returns no keys, so the API answers 503. The log has the reason.",
        "Make the URL reachable from this side, or correct it.",
    ),
    "unknown_session": (
        "The table in this side's database has no such session: it was signed out, revoked or"
        " deleted, or it is in another database.",
        "Sign in again. If that does not help, compare the databases of both sides.",
    ),
    "no_session_table": (
        "Better Auth's table of sessions is missing from this side's database, or cannot be read,"
        " so the API answers 503.",
        'Create it, or grant the right to read it: docs/better-auth.md, "Session tokens".',
    ),
}
# The same for reasons that are found in the claims, after the signature has been verified
VERIFIED = {
    "expired": (
        "It has expired.",
        "On the front end, fetch a new token when the API answers 401:"
        ' docs/better-auth.md, "When a token expires".',
    ),
    "bad_expiry": (
        "Its exp is missing or is not a number of seconds.",
        "Set it where the token is signed: setExpirationTime('15m') in jose.",
    ),
    "bad_iat": (
        "Its iat is not a number.",
        "Call setIssuedAt() of jose where the token is signed.",
    ),
    "bad_nbf": ("Its nbf is not a number.", "Remove it where the token is signed."),
    "not_yet_valid": (
        "Its iat or nbf is in the future.",
        "Synchronise the clocks of both machines.",
    ),
    "wrong_issuer": (
        "Its iss does not match BETTER_AUTH_ISSUER, which for tokens signed with a private key"
        " defaults to the origin of BETTER_AUTH_URL.",
        SET_CLAIM,
    ),
    "wrong_audience": (
        "Its aud does not match BETTER_AUTH_AUDIENCE, which for tokens signed with a private key"
        " defaults to the origin of BETTER_AUTH_URL.",
        SET_CLAIM,
    ),
    "no_user": (
        "It names no user: sub, user_id and user.id are missing, or the first of them is not a"
        " valid user id.",
        "Set sub to the user's id where the token is signed.",
    ),
}
# Reasons that mean something else for a session token
OF_A_SESSION = {
    "malformed": (
        "Its signature is damaged.",
        "Send the token that sign-in returns, or the cookie's value as it is.",
    ),
    "expired": ("Its session has expired.", "Sign in again."),
    "bad_expiry": ("The expiresAt of its session is not a time.", "Sign in again."),
}
SIGNED_WITH_DEFAULT = (
    "It is signed with Better Auth's default secret: the front end has no secret of its own.",
    "On the front end, set BETTER_AUTH_SECRET to this side's value.",
)
NO_CLAIMS = (
    "It builds its paths from the claims of a JWT, and a session token has none. Take the user's id"
    " from the session."
)
