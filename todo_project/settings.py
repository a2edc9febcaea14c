"""Settings, all of them from the environment or from ``.env``; the environment wins.

Each variable may come from a file instead, named by ``<NAME>_FILE`` (Docker secrets). What cannot
work stops the start with a message that names the variable, never its value; what merely looks
wrong is a system check (``checks.py``).

Source: FR-020, SC-010.
"""

import logging
import re
import sys
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from authn.secrets import accepted_secrets
from todo_project.configuration.database_url import database_settings
from todo_project.configuration.environment import BASE_DIR, env
from todo_project.configuration.jwks import jwks_settings
from todo_project.configuration.origins import origin
from todo_project.configuration.root_path import root_path
from todo_project.configuration.secret_key import derived_secret_key
from todo_project.logs.redaction import hide

# DEBUG: bool, default false.
DEBUG = env.bool("DEBUG", False)

# API_DOCS: bool, default DEBUG. Serve /openapi.json, /docs and /redoc.
API_DOCS = env.bool("API_DOCS", DEBUG)

# BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS: what tokens are signed with; one of the two is required,
# each secret at least 32 bytes.
# BETTER_AUTH_ISSUER, BETTER_AUTH_AUDIENCE: what every token's iss and aud must be; default any.
# BETTER_AUTH_JWKS_URL: where the issuer publishes its public keys; default none, and HS256 only.
# Tokens signed with those must have an issuer and an audience, by default BETTER_AUTH_URL's origin.
secret, secrets = env.str("BETTER_AUTH_SECRET", ""), env.str("BETTER_AUTH_SECRETS", "")
BETTER_AUTH: dict[str, Any] = {
    "SECRETS": accepted_secrets(secret, secrets),
    # whether BETTER_AUTH_SECRET is one that the list does not have, as after a rotation
    "SECRET_IS_LEFT_OVER": bool(secret and secrets) and secret not in accepted_secrets("", secrets),
    "ISSUER": env.str("BETTER_AUTH_ISSUER", ""),
    "AUDIENCE": env.str("BETTER_AUTH_AUDIENCE", ""),
    "JWKS": jwks_settings(env),
}

# DJANGO_SECRET_KEY: str; by default derived from the first Better Auth secret.
given_secret_key = env.str("DJANGO_SECRET_KEY", "")
SECRET_KEY = given_secret_key or derived_secret_key(BETTER_AUTH["SECRETS"][0])
SECRET_KEY_IS_DERIVED = not given_secret_key

# ALLOWED_HOSTS: host names separated by commas, default any.
ALLOWED_HOSTS = [host.strip() for host in env.list("ALLOWED_HOSTS", ["*"]) if host.strip()]

# TRUST_PROXY: bool, default false. Believe what a proxy in front says of the client's connection.
TRUST_PROXY = env.bool("TRUST_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None

# ROOT_PATH: the prefix under which the proxy in front shows this service, such as /todo; default
# none. The proxy may take it off or leave it on (root_path.py).
ROOT_PATH = root_path(env.str("ROOT_PATH", ""))
FORCE_SCRIPT_NAME = ROOT_PATH or None

INSTALLED_APPS = [
    "todo_project",  # its templates go before those of the admin
    "todo_project.staff.apps.StaffConfig",  # django.contrib.admin
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "rest_framework",
    "authn",
    "tasks",
    *(["drf_spectacular_sidecar"] if API_DOCS else []),  # the scripts of /docs and /redoc
]

# METRICS: bool, default false. Measure, and show the measures at /metrics.
METRICS = env.bool("METRICS", False)

# What the API needs. The pages for people bring what they need beyond it: staff/pages.py.
MIDDLEWARE = ["todo_project.middleware.contract_middleware"]
if METRICS:
    MIDDLEWARE.insert(0, "todo_project.metrics.metrics_middleware")

ROOT_URLCONF = "todo_project.urls"
WSGI_APPLICATION = "todo_project.wsgi.application"
# What a redirect would lose, the body or the token, is worth more than a tidy address.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Served by ourselves, out of the packages: there is no step that collects them.
STATIC_URL = f"{ROOT_PATH}/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

# NEON_DATABASE_URL, else DATABASE_URL: postgresql://… or sqlite:///…; required unless DEBUG is on,
# which falls back to an SQLite file here.
# DATABASE_URL_UNPOOLED: what `migrate` uses instead; a pooler gets in the way of its locks.
DATABASE_VARIABLES = ["NEON_DATABASE_URL", "DATABASE_URL"]
if sys.argv[1:2] == ["migrate"]:
    DATABASE_VARIABLES.insert(0, "DATABASE_URL_UNPOOLED")
database_variable = next((name for name in DATABASE_VARIABLES if env.str(name, "")), None)
if not database_variable and not DEBUG:
    raise ImproperlyConfigured(
        "NEON_DATABASE_URL is not set. Give the URL of a PostgreSQL database, or sqlite:///db.sqlite3"
        " to keep the tasks in a file; only with DEBUG=true is that file the default."
    )
DATABASES = {
    "default": database_settings(
        database_variable or "NEON_DATABASE_URL",
        env.str(database_variable) if database_variable else "sqlite:///db.sqlite3",
        BASE_DIR,
    )
}

# BETTER_AUTH_URL, ALLOWED_ORIGINS: where the pages that may call us come from; default none.
CORS_ORIGINS = [
    origin(name, entry)
    for name in ("BETTER_AUTH_URL", "ALLOWED_ORIGINS")
    for entry in env.str(name, "").split(",")
    if entry.strip()
]
# As expressions, because corsheaders compares a listed origin by its host and lets a path pass.
CORS_ALLOWED_ORIGIN_REGEXES = [rf"{re.escape(allowed)}\Z" for allowed in CORS_ORIGINS]
# All but the admin, which no page of another origin may read with a member of staff's cookies. (The
# default stops at a line break, which an id may have.)
CORS_URLS_REGEX = r"(?!/admin/)"
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "x-request-id",
)
CORS_EXPOSE_HEADERS = ("ETag", "Link", "Retry-After", "X-Request-ID", "Idempotent-Replayed")
CORS_PREFLIGHT_MAX_AGE = 86_400  # seconds

# The largest body of a request, in bytes (docs/contract.md, "Errors", 413).
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# Unknown options of a query are ignored, as many as the server's request line has room for.
DATA_UPLOAD_MAX_NUMBER_FIELDS = None

# THROTTLE_RATE: how often each user may call, such as 100/minute; default no limit.
THROTTLE_RATE = env.str("THROTTLE_RATE", "")
if THROTTLE_RATE and not re.fullmatch(r"[1-9][0-9]*/(second|minute|hour|day)", THROTTLE_RATE):
    raise ImproperlyConfigured(
        "THROTTLE_RATE must be a number of requests for each second, minute, hour or day, such as"
        " 100/minute."
    )
# Each process counts for itself; a cache of another kind would let them count together.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # users; beyond, some would be counted anew
    }
}

API_DATETIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["authn.authentication.BetterAuthAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["authn.permissions.IsPathUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["authn.throttling.PerUserThrottle"] if THROTTLE_RATE else [],
    "DEFAULT_THROTTLE_RATES": {"user": THROTTLE_RATE},
    "DATETIME_FORMAT": API_DATETIME_FORMAT,
    "EXCEPTION_HANDLER": "todo_project.exceptions.exception_handler",
}

# Staff. Without DEBUG their cookies go over https only.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{ROOT_PATH}/admin/"
CSRF_COOKIE_HTTPONLY = True
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # where the log-in was told of no address of ours
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# CSRF_TRUSTED_ORIGINS: URLs separated by commas, default none. The origins of the admin, where the
# proxy in front sends another Host than the browser did.
CSRF_TRUSTED_ORIGINS = [
    origin("CSRF_TRUSTED_ORIGINS", entry)
    for entry in env.str("CSRF_TRUSTED_ORIGINS", "").split(",")
    if entry.strip()
]

# Log-ins that fail are counted by the client's address, in the database that all processes share.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
AXES_CLIENT_IP_CALLABLE = "todo_project.staff.addresses.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
# The log names the address, and not what somebody has typed for a name.
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username"]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

SECURE_CONTENT_TYPE_NOSNIFF = True
SILENCED_SYSTEM_CHECKS = [
    # The contract's middleware runs Django's two where there is a page to protect.
    "security.W001",
    "security.W002",
    # TLS ends at the proxy, which owns the promise of https for its whole domain.
    "security.W004",
    # Nothing under /api or /health ever redirects: it would lose the body or the token.
    "security.W008",
    # The admin protects each of its views against forged requests itself, and staff/pages.py runs
    # sessions, users and messages for its pages alone.
    "security.W003",
    "admin.E408",
    "admin.E409",
    "admin.E410",
    # The admin's log-in asks axes itself, before it looks at a password.
    "axes.W002",
    "axes.W003",
]

# LOG_LEVEL: DEBUG, INFO, WARNING or ERROR; default INFO.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "todo_project.logs.formatters.JSONLine"},
        "text": {"()": "todo_project.logs.formatters.TextLine"},
    },
    "handlers": {
        "stdout": {
            "class": "todo_project.logs.formatters.LineHandler",
            "stream": "ext://sys.stdout",
            "formatter": "text" if DEBUG else "json",
        }
    },
    "root": {"handlers": ["stdout"], "level": env.log_level("LOG_LEVEL", logging.INFO)},
    "loggers": {
        # Django's own handlers would write each line a second time, and so would gunicorn's.
        "django": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
        # It would repeat each 4xx, which the access log has.
        "django.request": {"level": "ERROR"},
    },
}
hide(SECRET_KEY, *BETTER_AUTH["SECRETS"], str(DATABASES["default"].get("PASSWORD", "")))
