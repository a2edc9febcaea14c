"""Django settings, read from environment variables or else from ``.env``.

Each variable may also be read from the file that ``<NAME>_FILE`` names (Docker secrets). An invalid
value stops the process with a message that names the variable but not its value; a questionable one
is reported by a system check (``checks.py``).

Source: docs/configuration.md; FR-020, SC-010.
"""

import os
import re
import sys
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from authn.secrets import accepted_secrets
from todo_project.configuration.database_secrets import secret_parts
from todo_project.configuration.database_url import database_settings, refuse_unusable_paths
from todo_project.configuration.environment import BASE_DIR, env
from todo_project.configuration.hosts import allowed_hosts
from todo_project.configuration.jwks import jwks_settings
from todo_project.configuration.look_alikes import not_set
from todo_project.configuration.origins import origin
from todo_project.configuration.root_path import root_path
from todo_project.configuration.secret_key import derived_secret_key
from todo_project.logs.redaction import hide
from todo_project.server.listening import listen_address

DAY_SECONDS = 86_400  # a longer timeout is a mistake
MAX_WORKERS = 1000  # more processes than a machine can run

# DEBUG: bool, default false.
DEBUG = env.flag("DEBUG", False)

# API_DOCS: bool, default DEBUG. Serves /openapi.json, /docs and /redoc.
API_DOCS = env.flag("API_DOCS", DEBUG)

# BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS: the secrets that sign tokens, each at least 32 bytes;
# one of the two variables is required.
# BETTER_AUTH_ISSUER, BETTER_AUTH_AUDIENCE: the required iss and aud of every token; default any.
# BETTER_AUTH_JWKS_URL: the URL of the issuer's public keys; default none, which allows HS256 only.
# Tokens signed with those keys need an issuer and an audience, by default BETTER_AUTH_URL's origin.
# BETTER_AUTH_SESSIONS: bool, default false. Accepts session tokens too, if Better Auth's tables are
# in the database.
secret, secrets = env.str("BETTER_AUTH_SECRET", ""), env.str("BETTER_AUTH_SECRETS", "")
if_none = not_set(env.variables(), "BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS")
BETTER_AUTH: dict[str, Any] = {
    "SECRETS": accepted_secrets(secret, secrets, if_none),
    # whether the list lacks BETTER_AUTH_SECRET, as after a rotation
    "SECRET_IS_LEFT_OVER": bool(secret and secrets) and secret not in accepted_secrets("", secrets),
    "ISSUER": env.str("BETTER_AUTH_ISSUER", ""),
    "AUDIENCE": env.str("BETTER_AUTH_AUDIENCE", ""),
    "JWKS": jwks_settings(env),
    "SESSIONS": env.flag("BETTER_AUTH_SESSIONS", False),
}

# DJANGO_SECRET_KEY: str, default derived from the first Better Auth secret.
given_secret_key = env.str("DJANGO_SECRET_KEY", "")
SECRET_KEY = given_secret_key or derived_secret_key(BETTER_AUTH["SECRETS"][0])
SECRET_KEY_IS_DERIVED = not given_secret_key

# ALLOWED_HOSTS: host names separated by commas, default any.
ALLOWED_HOSTS = allowed_hosts(env.str("ALLOWED_HOSTS", "*"))

# TRUST_PROXY: bool, default false. Trusts the proxy's X-Forwarded-Proto and X-Forwarded-For.
TRUST_PROXY = env.flag("TRUST_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None

# ROOT_PATH: the path prefix of this service at the proxy, such as /todo; default none. The proxy
# may or may not strip it (configuration/root_path.py).
ROOT_PATH = root_path(env.str("ROOT_PATH", ""))
FORCE_SCRIPT_NAME = ROOT_PATH or None

INSTALLED_APPS = [
    "todo_project",  # before the admin, whose templates it overrides
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

# METRICS: bool, default false. Collects metrics and serves them at /metrics.
METRICS = env.flag("METRICS", False)

# Runs for every request. staff/pages.py wraps the admin's views with the middleware they need.
MIDDLEWARE = ["todo_project.middleware.contract_middleware"]
if METRICS:
    MIDDLEWARE.insert(0, "todo_project.metrics.metrics_middleware")

ROOT_URLCONF = "todo_project.urls"
WSGI_APPLICATION = "todo_project.wsgi.application"
# A redirect would lose the body or the token of a request.
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

# Served from the installed packages, without collectstatic.
STATIC_URL = f"{ROOT_PATH}/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

# NEON_DATABASE_URL, else DATABASE_URL: postgresql://… or sqlite:///…; required unless DEBUG is on,
# in which case the default is an SQLite file in the project's folder.
# DATABASE_URL_UNPOOLED: used instead by `migrate`, which a pooler may interrupt.
unpooled = "DATABASE_URL_UNPOOLED"
urls = {name: env.str(name, "") for name in ("NEON_DATABASE_URL", "DATABASE_URL", unpooled)}
for url in urls.values():
    hide(*secret_parts(url))
served = "NEON_DATABASE_URL"
if not urls[served] and urls["DATABASE_URL"]:
    served = "DATABASE_URL"
elif not urls[served] and DEBUG:
    urls[served] = "sqlite:///db.sqlite3"
# DATABASE_PREPARED: bool, default false. PostgreSQL keeps the statements of the endpoints prepared;
# not for a pooler in transaction mode.
DATABASE_PREPARED = env.flag("DATABASE_PREPARED", False)
# Every process parses the URLs of all, so that a mistake is found before the next `migrate`.
databases = {
    name: database_settings(name, urls[name], BASE_DIR, is_prepared=DATABASE_PREPARED)
    for name in (served, unpooled)
    if urls[name]
}
used = unpooled if urls[unpooled] and sys.argv[1:2] == ["migrate"] else served
if used not in databases:
    raise ImproperlyConfigured(
        not_set(env.variables(), "NEON_DATABASE_URL", "DATABASE_URL")
        + " Set NEON_DATABASE_URL to the URL of a PostgreSQL database, or to sqlite:///db.sqlite3"
        " to use a file, which is the default only with DEBUG=true."
    )
DATABASES = {"default": databases[used]}
refuse_unusable_paths(used, DATABASES["default"])

# BETTER_AUTH_URL, ALLOWED_ORIGINS: origins that may call the API from a browser; default none.
CORS_ORIGINS = [
    origin(name, entry)
    for name in ("BETTER_AUTH_URL", "ALLOWED_ORIGINS")
    for entry in env.str(name, "").split(",")
    if entry.strip()
]
# Regular expressions: corsheaders ignores the path of an origin in CORS_ALLOWED_ORIGINS.
CORS_ALLOWED_ORIGIN_REGEXES = [rf"{re.escape(allowed)}\Z" for allowed in CORS_ORIGINS]
# Excludes the admin: no other origin may read its pages with the cookies of a member of staff. (The
# default expression stops at a line break, which a user id may contain.)
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

# Maximum size of a request body, in bytes (docs/contract.md, "Errors", 413)
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# No form uploads files, and a file that is sent nevertheless is written nowhere.
FILE_UPLOAD_HANDLERS: list[str] = []
# Unknown query parameters are ignored; the server limits the length of the request line.
DATA_UPLOAD_MAX_NUMBER_FIELDS = None

# HOST: IP address or host name to listen on, default 0.0.0.0. PORT: 1 to 65535, default 8000.
HOST, PORT = listen_address(env)
# WEB_CONCURRENCY: worker processes, default 2. gunicorn itself reads it before this code runs, and
# ends with a traceback if it is empty or not a number; every command ends with a line.
if os.environ.get("WEB_CONCURRENCY") == "":
    raise ImproperlyConfigured("WEB_CONCURRENCY must not be empty: gunicorn would not start.")
WORKERS = env.number("WEB_CONCURRENCY", 2, 1, MAX_WORKERS)

# HEADER_TIMEOUT, BODY_TIMEOUT, SEND_TIMEOUT: seconds until a slow client is disconnected: for the
# head of a request, default 10; for its body, default 30; without progress in reading a response,
# default 30.
CLIENT_SECONDS = {
    "head": env.number("HEADER_TIMEOUT", 10, 1, DAY_SECONDS),
    "body": env.number("BODY_TIMEOUT", 30, 1, DAY_SECONDS),
    "send": env.number("SEND_TIMEOUT", 30, 1, DAY_SECONDS),
}

# THROTTLE_RATE: requests per user, such as 100/minute, in each process; default no limit.
THROTTLE_RATE = env.str("THROTTLE_RATE", "")
rate = re.compile(r"[1-9][0-9]*/(second|minute|hour|day)")
if THROTTLE_RATE and not rate.fullmatch(THROTTLE_RATE):
    raise ImproperlyConfigured(
        "THROTTLE_RATE must be a number of requests per second, minute, hour or day, such as"
        " 100/minute."
    )
# Local to each process, and so are the throttle's counters.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {
            "MAX_ENTRIES": 100_000
        },  # users with a throttle counter; above this, some are reset
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

# The admin. Without DEBUG its cookies are sent over https only.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{ROOT_PATH}/admin/"
CSRF_COOKIE_HTTPONLY = True
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # if "next" is missing or leads to another site
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# CSRF_TRUSTED_ORIGINS: origins of the admin, separated by commas, default none. Needed if the proxy
# changes Host.
CSRF_TRUSTED_ORIGINS = [
    origin("CSRF_TRUSTED_ORIGINS", entry)
    for entry in env.str("CSRF_TRUSTED_ORIGINS", "").split(",")
    if entry.strip()
]

# Logins are counted by client address, in the database that all processes share.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
AXES_CLIENT_IP_CALLABLE = "todo_project.staff.addresses.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "todo_project.staff.lockout.LockoutHandler"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
# The log shows the address, but not the user name that was entered.
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username"]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "todo_project.formats"
USE_I18N = False
USE_TZ = True

SECURE_CONTENT_TYPE_NOSNIFF = True
SILENCED_SYSTEM_CHECKS = [
    # contract_middleware runs SecurityMiddleware and XFrameOptionsMiddleware for pages only.
    "security.W001",
    "security.W002",
    # HSTS is up to the proxy, which terminates TLS for the whole domain.
    "security.W004",
    # A redirect to https would lose the body or the token.
    "security.W008",
    # The admin's views apply csrf_protect themselves, and staff/pages.py wraps them with the
    # session, authentication and message middleware.
    "security.W003",
    "admin.E408",
    "admin.E409",
    "admin.E410",
    # StaffSite.login() calls axes itself, before it checks a password.
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
    "root": {"handlers": ["stdout"], "level": env.level("LOG_LEVEL", "INFO")},
    "loggers": {
        # Without their own handlers, which would log each record a second time.
        "django": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
        # Its warnings would repeat each 4xx of the request log.
        "django.request": {"level": "ERROR"},
    },
}
hide(SECRET_KEY, *BETTER_AUTH["SECRETS"])
