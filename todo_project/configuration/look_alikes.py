"""Environment variables that look like those of this service but are not read."""

from collections.abc import Mapping
from difflib import SequenceMatcher, get_close_matches

# Every variable that the service reads; each may also be set as <NAME>_FILE.
VARIABLES = (
    "ALLOWED_HOSTS",
    "ALLOWED_ORIGINS",
    "API_DOCS",
    "BETTER_AUTH_AUDIENCE",
    "BETTER_AUTH_ISSUER",
    "BETTER_AUTH_JWKS_URL",
    "BETTER_AUTH_SECRET",
    "BETTER_AUTH_SECRETS",
    "BETTER_AUTH_SESSIONS",
    "BETTER_AUTH_URL",
    "BODY_TIMEOUT",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_PREPARED",
    "DATABASE_URL",
    "DATABASE_URL_UNPOOLED",
    "DEBUG",
    "DJANGO_SECRET_KEY",
    "HEADER_TIMEOUT",
    "HOST",
    "LOG_LEVEL",
    "METRICS",
    "NEON_DATABASE_URL",
    "PORT",
    "ROOT_PATH",
    "SEND_TIMEOUT",
    "THROTTLE_RATE",
    "TRUST_PROXY",
    "WEB_CONCURRENCY",
)

# Names under which other programs read the same setting, and this service's own. Another program
# may share the environment, so such a name is reported only if none of ours is set. The order and
# the number of its words do not matter.
OTHER_NAMES = {
    "AUTH_SECRET": ("BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS"),  # Auth.js; Better Auth's second
    "JWT_SECRET": ("BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS"),
    "BETTER_AUTH_BASE_URL": ("BETTER_AUTH_URL",),
    "BETTER_AUTH_FRONTEND_URL": ("BETTER_AUTH_URL",),
    "BETTER_AUTH_JWKS": ("BETTER_AUTH_JWKS_URL",),
    "JWKS_URL": ("BETTER_AUTH_JWKS_URL",),
    "DATABASE_URI": ("DATABASE_URL", "NEON_DATABASE_URL"),
    "DB_URL": ("DATABASE_URL", "NEON_DATABASE_URL"),
    "NEON_URL": ("NEON_DATABASE_URL", "DATABASE_URL"),
    "DATABASE_URL_DIRECT": ("DATABASE_URL_UNPOOLED",),
    "NEON_DATABASE_URL_UNPOOLED": ("DATABASE_URL_UNPOOLED",),
    "SECRET_KEY": ("DJANGO_SECRET_KEY",),
    "DJANGO_SECRET": ("DJANGO_SECRET_KEY",),
    "CORS_ORIGIN": ("ALLOWED_ORIGINS",),
    "CORS_ORIGINS": ("ALLOWED_ORIGINS",),
    "CORS_ALLOWED_ORIGINS": ("ALLOWED_ORIGINS",),
    "CORS_ALLOW_ORIGINS": ("ALLOWED_ORIGINS",),  # Starlette's
    "TRUSTED_ORIGINS": ("CSRF_TRUSTED_ORIGINS",),
    "CSRF_ORIGINS": ("CSRF_TRUSTED_ORIGINS",),
    "THROTTLE": ("THROTTLE_RATE",),
    "LOGGING_LEVEL": ("LOG_LEVEL",),
    "WORKERS": ("WEB_CONCURRENCY",),
    "GUNICORN_WORKERS": ("WEB_CONCURRENCY",),
    "CONCURRENCY": ("WEB_CONCURRENCY",),
    "TRUST_PROXY_HEADERS": ("TRUST_PROXY",),
    "DEBUG_MODE": ("DEBUG",),
    "METRICS_ENABLED": ("METRICS",),
    "ENABLE_METRICS": ("METRICS",),
    "DJANGO_LOG_LEVEL": ("LOG_LEVEL",),
    # as Django projects read them from the environment
    **{
        f"DJANGO_{name}": (name,)
        for name in (
            "ALLOWED_HOSTS",
            "ALLOWED_ORIGINS",
            "CSRF_TRUSTED_ORIGINS",
            "DATABASE_URL",
            "DEBUG",
        )
    },
}

# Close to ours, but read by others: @better-auth/infra; the counterpart of DATABASE_URL_UNPOOLED;
# Prisma; words that are common by themselves
FOREIGN = {
    "BETTER_AUTH_KV_URL",
    "DATABASE_URL_POOLED",
    "DIRECT_DATABASE_URL",
    *("DEBUGGER", "HOSTS", "KEY_SECRET", "PORTS", "WORKER"),
}

# Words that are taken for one another, beside singular and plural
SYNONYMS = {
    "ALLOW": "ALLOWED",
    "AUD": "AUDIENCE",
    "DB": "DATABASE",
    "ISS": "ISSUER",
    "PROXIES": "PROXY",
    "URI": "URL",
}

FAMILY = "BETTER_AUTH_"
FAMILY_CUTOFF = 0.7  # KEYS_URL and JWT_SECRET are close to ours, COOKIE_SECRET is not
WORD_CUTOFF = 0.75  # CONCURENCY and DATBASE are close; BOOT is not close to ROOT, USER not to URL
MIN_LETTERS = 5  # a typing error in a shorter name, such as HOST, makes another word


def _words(name: str) -> list[str]:
    """Return the words of a name, with a synonym and the singular for each."""
    return [SYNONYMS.get(word, word).removesuffix("S") for word in name.split("_")]


def _others(name: str) -> tuple[str, ...]:
    """Return this service's names for the setting that other programs read under a name."""
    return OTHER_WORDS.get(_key(name), ())


def _key(name: str) -> tuple[str, ...]:
    return tuple(sorted(word.removesuffix("S") for word in name.split("_")))


WORDS_OF_VARIABLES = {name: _words(name) for name in VARIABLES}
OTHER_WORDS = {_key(name): own for name, own in OTHER_NAMES.items()}


def look_alikes(environment: Mapping[str, str]) -> dict[str, str]:
    """Find the variables that were probably meant for this service.

    A name that consists of ours and further words, such as ``VITE_BETTER_AUTH_URL`` or
    ``TEST_DATABASE_URL``, belongs to another program.

    Args:
        environment: all variables; an empty one counts as not set.

    Returns:
        For each such name, in alphabetical order, the name that the service reads.
    """
    names = {name for name, value in environment.items() if value}
    own = {name for name in names if name.removesuffix("_FILE") in VARIABLES}
    in_use = {name.removesuffix("_FILE") for name in own}
    found = {}
    for name in sorted(names - own - FOREIGN):
        letters = (char if char.isalnum() else " " for char in name.upper())
        spelling = "_".join("".join(letters).split())
        stem = spelling.removesuffix("_FILE").removesuffix("_FILES")
        if in_use.isdisjoint(_others(stem)) and (right := _meant(stem)):
            found[name] = right if stem == spelling else f"{right}_FILE"
    return found


def not_set(environment: Mapping[str, str], *variables: str) -> str:
    """Say that a required variable is not set, and which look-alike is.

    Args:
        environment: all variables.
        variables: the variables of which one is required; the message names the first.
    """
    sentence = f"{variables[0]} is not set."
    for name, right in look_alikes(environment).items():
        if right.removesuffix("_FILE") in variables:
            sentence += f" {explanation(name, right)}"
    return sentence


def explanation(name: str, right: str) -> str:
    """Return a sentence that names a look-alike and the variable that was probably meant."""
    shown = name if name.isascii() and name.isidentifier() else ascii(name)  # a blank at its end
    return f"{shown} is not a variable of this service; {right} is."


def _meant(spelling: str) -> str | None:
    """Return the variable that a name in capitals, without ``_FILE``, was probably meant to be."""
    if others := _others(spelling):
        return others[0]
    words = _words(spelling)
    similar = [name for name, own in WORDS_OF_VARIABLES.items() if _is_similar(words, own)]
    if not similar and spelling.startswith(FAMILY):
        rests = [name.removeprefix(FAMILY) for name in VARIABLES if name.startswith(FAMILY)]
        close = get_close_matches(spelling.removeprefix(FAMILY), rests, cutoff=FAMILY_CUTOFF)
        similar = [f"{FAMILY}{rest}" for rest in close]
    return max(similar, key=lambda name: _ratio(name, spelling), default=None)


def _is_similar(words: list[str], own: list[str]) -> bool:
    """Return whether names differ in case, separators, number, order or one misspelt word only."""
    if len(words) != len(own):
        return "".join(words) == "".join(own)
    if sorted(words) == sorted(own):
        return True
    different = [(word, right) for word, right in zip(words, own, strict=True) if word != right]
    if len(different) != 1 or sum(map(len, own)) < MIN_LETTERS:
        return False
    [(word, right)] = different
    return _ratio(word, right) > WORD_CUTOFF or sorted(word) == sorted(right)


def _ratio(first: str, second: str) -> float:
    return SequenceMatcher(None, first, second).ratio()
