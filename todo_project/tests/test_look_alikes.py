"""Variables that look like those of the service (FR-020, SC-010)."""

from pathlib import Path

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured

from todo_project import checks
from todo_project.checks import LOOK_ALIKE
from todo_project.configuration.environment import Environment
from todo_project.configuration.look_alikes import VARIABLES, explanation, look_alikes
from todo_project.tests.settings_loader import load

VALUE = "the-value-of-a-variable"
# Reported in any case
MISSPELT = {
    "ALLOWED_HOST": "ALLOWED_HOSTS",
    "ALLOWED_ORGINS": "ALLOWED_ORIGINS",
    "ALLOWED_ORIGIN": "ALLOWED_ORIGINS",
    "ALLOWED ORIGINS": "ALLOWED_ORIGINS",
    "API_DOC": "API_DOCS",
    "BETER_AUTH_SECRET": "BETTER_AUTH_SECRET",
    "BETTER-AUTH-SECRET": "BETTER_AUTH_SECRET",
    "BETTERAUTH_SECRET": "BETTER_AUTH_SECRET",
    "BETTER_AUTH_AUD": "BETTER_AUTH_AUDIENCE",
    "BETTER_AUTH_JKWS_URL": "BETTER_AUTH_JWKS_URL",
    "BETTER_AUTH_JWK_URL": "BETTER_AUTH_JWKS_URL",
    "BETTER_AUTH_JWT_SECRET": "BETTER_AUTH_SECRET",
    "BETTER_AUTH_KEYS_URL": "BETTER_AUTH_JWKS_URL",
    "BETTER_AUTH_SECRET ": "BETTER_AUTH_SECRET",
    "BETTER_AUTH_SECRET_FILES": "BETTER_AUTH_SECRET_FILE",
    "BETTER_AUTH_URI": "BETTER_AUTH_URL",
    "ALLOW_ORIGINS": "ALLOWED_ORIGINS",
    "DATABASE_UNPOOLED_URL": "DATABASE_URL_UNPOOLED",
    "DEUBG": "DEBUG",
    "ORIGINS_ALLOWED": "ALLOWED_ORIGINS",
    "TRUSTED_CSRF_ORIGINS": "CSRF_TRUSTED_ORIGINS",
    "NEON_DATBASE_URL_FILE": "NEON_DATABASE_URL_FILE",
    "NEON_DB_URL": "NEON_DATABASE_URL",
    "HEADERS_TIMEOUT": "HEADER_TIMEOUT",
    "LOGLEVEL": "LOG_LEVEL",
    "METRIC": "METRICS",
    "TRUSTED_PROXY": "TRUST_PROXY",
    "TRUST_PROXIES": "TRUST_PROXY",
    "WEB_CONCURENCY": "WEB_CONCURRENCY",
    "betterAuthSecrets": "BETTER_AUTH_SECRETS",
    "better_auth_secret": "BETTER_AUTH_SECRET",
    "debug": "DEBUG",
}
# Reported unless the variable on the right is set too
OF_OTHER_PROGRAMS = {
    "ALLOWED_CORS_ORIGINS": "ALLOWED_ORIGINS",
    "AUTH_SECRET": "BETTER_AUTH_SECRET",
    "BETTER_AUTH_FRONTEND_URL": "BETTER_AUTH_URL",
    "CORS_ALLOWED_ORIGIN": "ALLOWED_ORIGINS",
    "CORS_ALLOW_ORIGINS": "ALLOWED_ORIGINS",
    "CORS_ALLOWED_ORIGINS": "ALLOWED_ORIGINS",
    "CORS_ORIGINS": "ALLOWED_ORIGINS",
    "DATABASE_URI": "DATABASE_URL",
    "DATABASE_URL_DIRECT": "DATABASE_URL_UNPOOLED",
    "DB_URL": "DATABASE_URL",
    "DEBUG_MODE": "DEBUG",
    "DJANGO_ALLOWED_HOST": "ALLOWED_HOSTS",
    "DJANGO_ALLOWED_HOSTS": "ALLOWED_HOSTS",
    "DJANGO_DEBUG": "DEBUG",
    "DJANGO_SECRET": "DJANGO_SECRET_KEY",
    "ENABLE_METRICS": "METRICS",
    "METRICS_ENABLED": "METRICS",
    "NEON_DATABASE_URL_UNPOOLED": "DATABASE_URL_UNPOOLED",
    "SECRET_KEY": "DJANGO_SECRET_KEY",
    "THROTTLE": "THROTTLE_RATE",
    "TRUST_PROXY_HEADERS": "TRUST_PROXY",
    "WORKERS": "WEB_CONCURRENCY",
}
FOREIGN = """
API_BASE_URL API_PORT_8000_TCP API_TOKEN_LIFETIME AUTH_TRUST_HOST AUTH_URL AWS_SECRET_ACCESS_KEY
BETTER_AUTH_API_KEY BETTER_AUTH_API_URL BETTER_AUTH_COOKIE_DOMAIN BETTER_AUTH_COOKIE_SECRET
BETTER_AUTH_GOOGLE_CLIENT_SECRET BETTER_AUTH_KV_URL BETTER_AUTH_TELEMETRY
BETTER_AUTH_TELEMETRY_DEBUG BETTER_AUTH_TELEMETRY_ENDPOINT BETTER_AUTH_TELEMETRY_ID
BETTER_AUTH_TRUSTED_ORIGINS BETTER_AUTH_USER BOOT_PATH CI COMPOSE_PROJECT_NAME DATABASE_HOST
DATABASE_NAME DATABASE_PASSWORD DATABASE_URL_POOLED DATABASE_URL_TEST DATABASE_USER DB_HOST
DEBUGINFOD_URLS DEBUG_COLORS DEBUG_PORT DIRECT_URL DJANGO_SETTINGS_MODULE
DJANGO_SUPERUSER_PASSWORD DOCKER_BUILDKIT DOCKER_HOST FLY_APP_NAME FLY_REGION FORWARDED_ALLOW_IPS
FRONTEND_URL GITHUB_TOKEN GUNICORN_CMD_ARGS HOME HOSTNAME HOSTS HOST_IP HTTPS_PROXY
KUBERNETES_PORT_443_TCP_ADDR KUBERNETES_SERVICE_HOST LANG LC_ALL LOGNAME LOG_FILE LOG_FORMAT
METRICS_PORT METRICS_SERVICE_HOST NEON_API_KEY NEON_AUTH_BASE_URL NEON_DATABASE_NAME
NEON_DATABASE_USER NEON_PROJECT_ID NEXT_PUBLIC_API_BASE_URL NEXT_PUBLIC_BETTER_AUTH_URL NODE_ENV
NO_PROXY OTEL_EXPORTER_OTLP_ENDPOINT OTEL_LOG_LEVEL PATH PGHOST PGPASSWORD PORT_8000
POSTGRES_PASSWORD POSTGRES_URL POSTGRES_URL_NON_POOLING PROMETHEUS_MULTIPROC_DIR PWD PYTHONPATH
PYTHONUNBUFFERED RAILWAY_PUBLIC_DOMAIN READ_TIMEOUT REDIS_URL RENDER_EXTERNAL_HOSTNAME
RENDER_EXTERNAL_URL REQUEST_TIMEOUT RUST_LOG SECRET_KEY_BASE SENTRY_DEBUG SENTRY_DSN
SHADOW_DATABASE_URL SHELL SSH_AUTH_SOCK TERM TEST_DATABASE_URL TODO_PORT TODO_SERVICE_HOST
TRUST_STORE USER VERCEL_ENV VERCEL_URL VITE_BETTER_AUTH_URL http_proxy npm_config_loglevel
DEBUGGER DIRECT_DATABASE_URL KEY_SECRET WORKER
"""


def found(*names: str) -> dict[str, str]:
    """Return the look-alikes among these variables."""
    return look_alikes(dict.fromkeys(names, VALUE))


def warnings() -> list[CheckMessage]:
    """Run all checks, and return the warnings about look-alikes."""
    return [message for message in run_checks() if message.id == LOOK_ALIKE]


def test_a_misspelt_name_is_found() -> None:
    """A name that differs little must be found, also beside the right one."""
    assert found(*MISSPELT) == MISSPELT
    assert found(*MISSPELT, *VARIABLES) == MISSPELT


def test_a_name_of_another_program_is_found_unless_the_right_one_is_set() -> None:
    """Another program may share the environment: once ours is set, its name is no mistake."""
    assert found(*OF_OTHER_PROGRAMS) == OF_OTHER_PROGRAMS
    assert found(*OF_OTHER_PROGRAMS, *VARIABLES) == {}
    assert found("WORKERS", "WEB_CONCURRENCY_FILE") == {}


def test_variables_of_other_programs_are_not_found() -> None:
    """There must be no false alarm on common platforms, or in a .env file shared with Next.js."""
    own = [*VARIABLES, *(f"{name}_FILE" for name in VARIABLES)]

    assert found(*FOREIGN.split()) == {}
    assert found(*FOREIGN.split(), *own) == {}


def test_an_empty_variable_is_not_found() -> None:
    """An empty variable counts as not set, be it a look-alike or the right one."""
    assert look_alikes({"ALLOWED_ORIGIN": "", "WORKERS": VALUE, "WEB_CONCURRENCY": ""}) == {
        "WORKERS": "WEB_CONCURRENCY"
    }


def test_a_name_that_is_no_identifier_is_quoted() -> None:
    """A blank at the end must be visible, and no name may break a log line."""
    assert explanation("debug", "DEBUG").startswith("debug is not a variable of this service; ")
    assert explanation("DEBUG\n ", "DEBUG").startswith(r"'DEBUG\n ' is not")


def test_a_look_alike_is_reported_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A check must name it, in the environment and in ``.env``, and not show its value (FR-017)."""
    before = warnings()
    (tmp_path / ".env").write_text(f"TRUST_PROXIES={VALUE}\n")
    monkeypatch.setenv("ALLOWED_ORIGIN", VALUE)
    monkeypatch.setattr(checks, "env", Environment(tmp_path / ".env"))

    reported = warnings()

    assert before == []
    assert [(message.msg, message.hint) for message in reported] == [
        (
            "ALLOWED_ORIGIN is not a variable of this service; ALLOWED_ORIGINS is.",
            "Set ALLOWED_ORIGINS, unless the variable is for another program.",
        ),
        (
            "TRUST_PROXIES is not a variable of this service; TRUST_PROXY is.",
            "Set TRUST_PROXY, unless the variable is for another program.",
        ),
    ]


@pytest.mark.parametrize(
    ("missing", "look_alike", "right"),
    [
        ("BETTER_AUTH_SECRET", "BETTERAUTH_SECRET", "BETTER_AUTH_SECRET"),
        ("BETTER_AUTH_SECRET", "BETTER_AUTH_SECRTS_FILE", "BETTER_AUTH_SECRETS_FILE"),
        ("NEON_DATABASE_URL", "NEON_DB_URL", "NEON_DATABASE_URL"),
        ("NEON_DATABASE_URL", "DATABASE_URI", "DATABASE_URL"),
    ],
)
def test_the_message_about_a_missing_variable_names_its_look_alike(
    monkeypatch: pytest.MonkeyPatch, missing: str, look_alike: str, right: str
) -> None:
    """The message must name those of the missing variable, and no others."""
    monkeypatch.setenv("ALLOWED_ORIGIN", VALUE)
    with pytest.raises(ImproperlyConfigured) as raised:
        load(monkeypatch, **{missing: "", look_alike: VALUE})

    message = str(raised.value)
    assert message.startswith(
        f"{missing} is not set. {look_alike} is not a variable of this service; {right} is. "
    )
    assert "ALLOWED_ORIGIN" not in message
    assert VALUE not in message
