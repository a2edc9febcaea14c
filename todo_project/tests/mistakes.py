"""What operators write into variables: values that cannot work, that look wrong, and right ones."""

from conftest import FRONT_END, SECRET
from todo_project.tests.settings_loader import DATABASE_URL

# A stand-in for a secret in a value: no output may show it.
PASSWORD = "Zx81-a-password-of-the-tests"
URL = f"postgresql://todo:{PASSWORD}@db.example.com/todo"
NEON = f"postgresql://todo:{PASSWORD}@ep-cool-1.eu.aws.neon.tech/todo"

# The variable, and values with which nothing could work: each stops the start.
REFUSED: dict[str, list[str]] = {
    "DEBUG": ["maybe", "ture", "2", '"true"', "'false'", "true,", "true # for now"],
    "TRUST_PROXY": ["nginx", "10.0.0.1", '"true"'],
    "METRICS": ["prometheus", "/metrics"],
    "API_DOCS": ["swagger"],
    "DATABASE_PREPARED": ["maybe"],
    "LOG_LEVEL": ["verbose", "10", "INFO,DEBUG", '"INFO"', "critical", "FATAL"],
    "PORT": ["http", "80a", "8000/tcp", ":8000", "-1", "65536", "8000.0", "1e3", '"8000"', "8,000"],
    "HEADER_TIMEOUT": ["10s", "0", "-1", "1.5", "ten", "infinity"],
    "BODY_TIMEOUT": ["30s", "0", "none"],
    "SEND_TIMEOUT": ["30s", "0", "1m"],
    "THROTTLE_RATE": ["100", "100/m1n", "100 per minute", "0/minute", "ten/minute", '"9/day"'],
    "ROOT_PATH": ["todo", "https://app.example.com/todo", "/api", "/to do", '"/todo"', "/todo?x=1"],
    "HOST": [
        *("http://0.0.0.0", "0.0.0.0:8000", "unix:/run/todo.sock", "[::]:8000", "[::", "256.1.1.1"),
        *('"0.0.0.0"', "localhost/", "0.0.0.0, ::", "*", "a host"),
        *("-", "all", "any", "none", "true", "-a", "a-"),
    ],
    "ALLOWED_HOSTS": [
        *("https://api.example.com", "api.example.com/", "api.example.com:8000", "*.example.com"),
        *('"api.example.com"', "a.example b.example", "a.example;b.example", '["a.example"]'),
        *("localhost:8000", "['a.example','b.example']", "user@a.example", "a.example/todo"),
        *("//a.example", "api_example", "http://*", "https://a.example,b.example"),
        *("::1:8000", "all", "any", "true", "none", "-", "256.1.1.1", "a.example,undefined"),
    ],
    "BETTER_AUTH_URL": [
        *("page.example.org", "localhost:3000", "*", "null", "https://", "ftp://app.example.com"),
        *('"https://app.example.com"', "https//app.example.com", "https:/app.example.com"),
        *("https://*.example.com", "https://app example.com", "https://app.example.com:port"),
        *("http://https//app.example.com", "https://undefined", "https://null"),
    ],
    "ALLOWED_ORIGINS": [
        *("*", "null"),
        *("https://*.example.com", "page.example.org", "https://a.example;https://b.example"),
        *('["https://a.example"]', "https://a.example https://b.example", "'https://a.example'"),
        *("https://a.example:99999", "file:///index.html", "//a.example"),
        *("https://a.example,http://https//b.example", "https://undefined:3000"),
    ],
    "CSRF_TRUSTED_ORIGINS": [
        "admin.example.com",
        "*",
        '"https://a.example"',
        "https://*.example.com",
        *("https://undefined", "https://https//a.example"),
    ],
    "BETTER_AUTH_JWKS_URL": [
        *(
            "page.example.org/api/auth/jwks",
            "/.well-known/jwks.json",
            "ftp://app.example.com/jwks",
            "true",
        ),
        *('"https://app.example.com/api/auth/jwks"', "https://app .example.com/jwks"),
        *("https://undefined/api/auth/jwks", "http://https//app.example.com/jwks"),
    ],
    "BETTER_AUTH_SECRET": [
        *("short", "changeme-changeme-changeme-changeme", f'"{SECRET}"', f"'{SECRET}'"),
        *("   ", "12345678901234567890"),
        *(f"BETTER_AUTH_SECRET={SECRET}", f"export BETTER_AUTH_SECRET={SECRET}", "<secret>"),
        *("<generate with openssl rand -base64 32>", "openssl rand -base64 32 | head -c 44"),
        *("$(openssl rand -base64 32)", "${{ secrets.BETTER_AUTH_SECRET }}", "{{ better_auth }}"),
        *("op://vault/todo-service/better-auth-secret", "/run/secrets/better_auth_secret_of_todo"),
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:todo",
        *("REPLACE_ME_REPLACE_ME_REPLACE_ME_REPLACE", "postgresql://todo@db.example.com/todo"),
    ],
    "BETTER_AUTH_SECRETS": [
        *(SECRET, f'"2:{SECRET}"', f"2={SECRET}", f'["{SECRET}"]', f"two:{SECRET}", "2:short"),
        *(f"2:{SECRET};1:{SECRET}-old", f'{{"2":"{SECRET}"}}'),
        *(f"2:'{SECRET}',1:'{SECRET}y'", f'1:"{SECRET}"', f"2:{SECRET},1:<old>"),
        *(f"2:BETTER_AUTH_SECRET={SECRET}", "1:/run/secrets/better_auth_secret_of_todo"),
    ],
    "DJANGO_SECRET_KEY": [f'"{SECRET}"'],
    "NEON_DATABASE_URL": [
        *("db.example.com", "todo", "mysql://todo@db/todo", "http://db.example.com", "postgres"),
        *("postgresql:/todo@db/todo", "postgresql//todo@db/todo"),
        *("postgresql://", "postgresql://db"),
        *("postgresql://todo@/todo?host=", "jdbc:postgresql://db/todo", "prisma://db/todo"),
        *(f'"{URL}"', f"'{URL}'", f"psql '{URL}'", f"psql {URL}", f"DATABASE_URL={URL}"),
        *(f"{URL}?pgbouncer=true", f"{URL}?schema=public", f"{URL}?connection_limit=5"),
        *(f"{URL}?sslmode=required", f"{URL}?sslmode=no-verify", f"{URL}?sslmode="),
        *(f"{URL}?target_session_attrs=readwrite", f"{URL}?gssencmode=no", f"{URL}?ssl=maybe"),
        *(f"{URL}?channel_binding=yes", f"{URL}?sslnegotiation=tls", f"{URL}?ssl_mode=require"),
        *(f"{URL}?load_balance_hosts=yes", f"{URL}?connect_timeout=ten", f"{URL}?keepalives=on"),
        *(f"{URL}?keepalives_idle=1m", f"{URL}?tcp_user_timeout=x", f"{URL}?sslcertmode=maybe"),
        *(f"{URL}?require_auth=token", f"{URL}?ssl_min_protocol_version=1.2", f"{URL}#a"),
        *(f"{URL}?sslrootcert=/no/such/file.pem&sslmode=verify-full", f"{URL}?sslmode=require,"),
        f"postgresql://todo:/{PASSWORD}@db/todo",
        f"postgresql://todo:123/{PASSWORD}@db/todo",
        f"postgresql://todo:a?{PASSWORD}@db/todo",
        f"postgresql://todo:a#{PASSWORD}@db/todo",
        f"postgresql://todo:[{PASSWORD}@db/todo",
        f"postgresql://todo:100%{PASSWORD}@db/todo",
        f"postgresql://todo:{PASSWORD}@db:5432a/todo",
        f"postgresql://todo:{PASSWORD}@db:99999/todo",
        f"postgresql://todo:{PASSWORD}@db:/",
        f"postgresql://todo:{PASSWORD}@/todo",
        f"postgresql://todo:{PASSWORD}@db .example.com/todo",
        f"postgresql://todo:{PASSWORD}@h1:5432,h2:x/todo",
        f"postgresql://todo:{PASSWORD}@h1,,h2/todo",
        f"postgresql+psycopg2://todo:{PASSWORD}@db/",
        f"host=db dbname=todo password={PASSWORD}",
        f"{URL}\n{URL}",
        f"postgresql://todo:123/{PASSWORD}%40db",
        *(f"{URL};", f"{URL},"),
        *(f"postgresql://todo:{PASSWORD}@{host}/todo" for host in ("999.1.1.1", "db..", "-")),
        *(f"{URL}?channel_binding=require&sslmode=disable", f"{URL}?options=search_path%3Dx"),
        *(f"{URL}?sslcertmode=require&sslmode=disable", f"{URL}?options=foo"),
        *(f"{URL}?options=-x", f"{URL}?options=-c%20foo"),
        *(r"sqlite:///C:\x\db.sqlite3", "sqlite:///manage.py", "sqlite:////dev/null"),
        "sqlite:////proc/x.db",
        *("sqlite://db.sqlite3", "sqlite:db.sqlite3", "sqlite:///", "sqlite:////no/such/folder/db"),
        "db.sqlite3",
    ],
    "DATABASE_URL_UNPOOLED": ["garbage", f"{URL}?pgbouncer=true"],
    "PGSSLMODE": ["bad"],
    "WEB_CONCURRENCY": ["two", "0", "-1", "2.5", "auto", '"2"', "2 workers"],
}

# Values that look wrong and can work: `check --deploy` names the variable.
WARNED: list[tuple[str, dict[str, str]]] = [
    *(
        (name, {name: value})
        for name, value in {
            "ALLOWED_ORIGIN": FRONT_END,
            "ALLOWED_HOST": "api.example.com",
            "ALLOWED_ORIGINS_": FRONT_END,
            "CORS_ALLOWED_ORIGINS": FRONT_END,
            "CSRF_TRUSTED_ORIGIN": FRONT_END,
            "BETTER_AUTH_JWK_URL": f"{FRONT_END}/api/auth/jwks",
            "BETTER_AUTH_JWKS": f"{FRONT_END}/api/auth/jwks",
            "BETTERAUTH_SECRET": SECRET,
            "BETTERAUTH_URL": FRONT_END,
            "BETTER_AUTH_SECRET_": SECRET,
            "BETTER_AUTH_SECERT": SECRET,
            "BETTER_AUTH_ISS": FRONT_END,
            "BETTER_AUTH_AUDIANCE": FRONT_END,
            "NEON_DB_URL": DATABASE_URL,
            "NEON_DATABASE_URI": DATABASE_URL,
            "DATABASE_URL_UNPOOL": DATABASE_URL,
            "DATABSE_URL": DATABASE_URL,
            "TRUST_PROXIES": "true",
            "TRUSTED_PROXY": "true",
            "DJANGO_SECRET": SECRET,
            "WEB_CONCURENCY": "4",
            "LOGLEVEL": "DEBUG",
            "LOG_LEVL": "DEBUG",
            "METRIC": "true",
            "THROTTLE_RATES": "9/minute",
            "HEADER_TIME_OUT": "9",
            "better_auth_secret": SECRET,
            "DATABASE_UNPOOLED_URL": DATABASE_URL,
            "DATABASE_URL_DIRECT": DATABASE_URL,
            "NEON_DATABASE_URL_UNPOOLED": DATABASE_URL,
            "TRUST_PROXY_HEADERS": "true",
            "METRICS_ENABLED": "true",
            "DEUBG": "true",
            "TRUSTED_CSRF_ORIGINS": FRONT_END,
            "CORS_ALLOW_ORIGINS": FRONT_END,
            "CORS_ALLOWED_ORIGIN": FRONT_END,
            "ALLOWED_CORS_ORIGINS": FRONT_END,
            "debug": "true",
        }.items()
    ),
    # the names of other programs, if this service's own is not set
    ("DJANGO_DEBUG", {"DJANGO_DEBUG": "true", "DEBUG": ""}),
    ("DEBUG_MODE", {"DEBUG_MODE": "true", "DEBUG": ""}),
    ("DJANGO_ALLOWED_HOST", {"DJANGO_ALLOWED_HOST": "api.example.com", "ALLOWED_HOSTS": ""}),
    ("DJANGO_ALLOWED_HOSTS", {"DJANGO_ALLOWED_HOSTS": "api.example.com", "ALLOWED_HOSTS": ""}),
    ("SECRET_KEY", {"SECRET_KEY": SECRET}),
    (
        "BETTER_AUTH_FRONTEND_URL",
        {
            "BETTER_AUTH_FRONTEND_URL": FRONT_END,
            "BETTER_AUTH_URL": "",
            "ALLOWED_ORIGINS": "https://a.example",
        },
    ),
    ("CORS_ORIGINS", {"CORS_ORIGINS": FRONT_END}),
    ("BETTER_AUTH_SECRET", {"BETTER_AUTH_SECRET": "x" * 40}),
    ("BETTER_AUTH_SECRET", {"BETTER_AUTH_SECRET": f"{SECRET}$HOME"}),
    ("BETTER_AUTH_SECRET", {"BETTER_AUTH_SECRET": f"{SECRET}#1"}),
    ("BETTER_AUTH_SECRET", {"BETTER_AUTH_SECRET": f"{SECRET}`date`"}),
    ("BETTER_AUTH_SECRET", {"BETTER_AUTH_SECRET": f"{SECRET}\\n"}),
    ("BETTER_AUTH_SECRETS", {"BETTER_AUTH_SECRETS": f"2:{SECRET}$x,1:{SECRET}"}),
    ("BETTER_AUTH_URL", {"BETTER_AUTH_URL": ""}),
    (
        "DATABASE_PREPARED",
        {"DATABASE_PREPARED": "true", "NEON_DATABASE_URL": "sqlite:///db.sqlite3"},
    ),
]

# Right values: neither an error nor a warning.
RIGHT: list[dict[str, str]] = [
    {},
    *({"DEBUG": value} for value in ("true", "True", "1", "false", "0", "")),
    *({"TRUST_PROXY": value} for value in ("true", "FALSE", "")),
    *({"METRICS": value} for value in ("true", "0")),
    *({"API_DOCS": value} for value in ("true", "no")),
    *({"LOG_LEVEL": value} for value in ("debug", "WARNING", "error", "Info")),
    *({"PORT": value} for value in ("8000", "80", "65535", "10000", " 8000 ", "")),
    *({"HEADER_TIMEOUT": value} for value in ("1", "120")),
    *({"THROTTLE_RATE": value} for value in ("100/minute", "1/second", "10000/day", "5/hour")),
    *({"ROOT_PATH": value} for value in ("/todo", "/todo/", "/a/b-c", "")),
    *(
        {"HOST": value}
        for value in (
            *("0.0.0.0", "127.0.0.1", "::", "[::]", "::1", "localhost", "fd00::1", ""),  # noqa: S104
            *("todo_api", "all.internal"),
        )
    ),
    *(
        {"ALLOWED_HOSTS": value}
        for value in (
            *("*", "api.example.com"),
            *("a.example, b.example,", ".example.com", "localhost,127.0.0.1"),
            *("::1", "2001:db8::1", "[2001:db8::1:8000]", "all.example.com", "10.0.0.5"),
            *("[::1]", "API.Example.com", "xn--strae-oqa.example"),
            *("todo-api", "todo-api.internal", ""),
        )
    ),
    *(
        {"BETTER_AUTH_URL": value}
        for value in (
            *("https://app.example.com", "https://app.example.com/", "http://localhost:3000"),
            "https://app.example.com/api/auth",
            *("HTTPS://App.Example.com:443", "http://[::1]:3000"),
            *("http://192.168.1.10:3000", "https://straße.example", "https://app.example.com:8443"),
            *("https://https.example.com", "http://http-1:3000", "https://undefined.example"),
        )
    ),
    *(
        {"ALLOWED_ORIGINS": value}
        for value in (
            *("https://a.example", "https://a.example, https://b.example"),
            *("https://a.example,", ""),
            *("https://xn--strae-oqa.example", "http://127.0.0.1:3000", "https://a-b.vercel.app"),
        )
    ),
    {"CSRF_TRUSTED_ORIGINS": "https://admin.example.com"},
    {"BETTER_AUTH_JWKS_URL": f"{FRONT_END}/api/auth/jwks"},
    {"BETTER_AUTH_JWKS_URL": "http://auth:3000/api/auth/jwks"},
    {"BETTER_AUTH_ISSUER": FRONT_END, "BETTER_AUTH_AUDIENCE": "todo"},
    *(
        {"BETTER_AUTH_SECRET": value}
        for value in (
            *("5f1c0a9b" * 8, "nYq3w0lR6/2u+Zk8sXv1cT4bP7eGhJ5mAaBbCcDdEeF=", "k-_.~9" * 8),
            *("x!9%^&*()z" * 4, "älter-als-zweiunddreißig-bytes-und-mehr"),
            *("correct horse battery staple thirty-two", "0123456789abcdef" * 4),
            *(
                "/run+Lm3vQ8xZk1Tn5Wc7Yb9Rd2Hf4Jg6Ks0Pa8Eu=",
                "A_BC_DEFGHIJKLMNOPQRSTUVWXYZ0123456789AB_CD=",
            ),
        )
    ),
    {"BETTER_AUTH_SECRETS": f"2:{SECRET}-new,1:{SECRET}"},
    {"BETTER_AUTH_SECRETS": f" 2:{SECRET}-new , 1:{SECRET} "},
    *({"WEB_CONCURRENCY": value} for value in ("1", "4")),
    *(
        {"NEON_DATABASE_URL": value}
        for value in (
            URL,
            NEON,
            NEON.replace("-1.", "-1-pooler."),
            f"{NEON}?sslmode=require&channel_binding=require",
            f"{NEON}?sslmode=verify-full&sslrootcert=system",
            f"{NEON}?sslrootcert=system",
            f"{NEON}?options=endpoint%3Dep-cool-1",
            f"{URL}?application_name=todo&connect_timeout=10",
            f"{URL}?options=-c%20search_path%3Dtodo",
            f"{URL}?sslmode=disable",
            f"{URL}?keepalives=1&keepalives_idle=30&tcp_user_timeout=10000",
            f"{URL}?target_session_attrs=primary&load_balance_hosts=random",
            f"{URL}?gssencmode=disable&sslnegotiation=postgres",
            f"postgres://todo:{PASSWORD}@db/todo",
            f"postgresql+asyncpg://todo:{PASSWORD}@db/todo?ssl=require",
            f"postgresql+psycopg://todo:{PASSWORD}@db/todo",
            f"postgresql://todo:{PASSWORD}@h1:5432,h2:5432/todo?target_session_attrs=read-write",
            f"postgresql://todo:{PASSWORD}@h1,h2,h3/todo",
            f"postgresql://todo:{PASSWORD}@/todo?host=h1,h2&port=5432,5433",
            f"postgresql://todo:{PASSWORD}@/todo?host=/var/run/postgresql",
            f"postgresql://todo:{PASSWORD}@%2Fvar%2Frun%2Fpostgresql/todo",
            f"postgresql://todo:{PASSWORD}@[::1]:5432/todo",
            f"postgresql://todo:{PASSWORD}@10.0.0.5:6543/todo",
            f"postgresql://todo:a@{PASSWORD}@db/todo",
            "postgresql://todo:%2FZx81%40%23%3F%25@db/todo",
            "postgresql://todo@db/todo",
            "postgresql://postgres:postgres@localhost:5432/postgres",
            "postgresql://todo@db/todo%40home",
            "postgresql://localhost:5432/todo",
            f"postgresql://db/todo?user=todo&password={PASSWORD}",
            f"{URL}?options=--search_path%3Dtodo%20-c%20work_mem%3D4MB",
            f"{NEON}?options=project%3Dep-cool-1",
            f"{URL}?channel_binding=prefer&sslmode=disable",
            f"postgresql://todo:{PASSWORD}@db.example.com./todo",
            "sqlite:///db.sqlite3",
            "sqlite:////tmp/db.sqlite3",
        )
    ),
    {"NEON_DATABASE_URL": "", "DATABASE_URL": URL},
    {"DATABASE_URL": f"{URL}?pgbouncer=true"},
    {"PGSSLMODE": "require"},
    {"DATABASE_URL_UNPOOLED": NEON},
    *(
        {name: "a value"}
        for name in (
            *("NODE_ENV", "PGHOST", "PGPASSWORD", "PGDATABASE", "NEXT_PUBLIC_API_BASE_URL"),
            "NEXT_PUBLIC_BETTER_AUTH_URL",
            *("BETTER_AUTH_TRUSTED_ORIGINS", "BETTER_AUTH_TELEMETRY"),
            *("GUNICORN_CMD_ARGS_", "SENTRY_DSN"),
            *("OTEL_EXPORTER_OTLP_ENDPOINT", "POSTGRES_PASSWORD"),
            *("POSTGRES_URL", "POSTGRES_PRISMA_URL", "NEON_API_KEY", "NEON_PROJECT_ID", "HOSTNAME"),
            *("VERCEL_URL", "RAILWAY_PUBLIC_DOMAIN"),
            *("RENDER_EXTERNAL_URL", "FLY_APP_NAME", "LOGNAME"),
            *("TODO_PORT", "TODO_SERVICE_HOST", "API_PORT_8000_TCP", "HOST_IP", "DEBUGINFOD_URLS"),
            *("REDIS_URL", "SMTP_HOST"),
            *("GOOGLE_CLIENT_SECRET", "GITHUB_CLIENT_SECRET", "TRUST_STORE"),
            *("PYTHONUNBUFFERED", "DOCKER_HOST"),
            *("SUPPORTED_HOSTS", "DJANGO_SETTINGS_MODULE_", "PORTS"),
            *("DEBUGGER", "WORKER", "DIRECT_URL", "DIRECT_DATABASE_URL", "KEY_SECRET"),
        )
    ),
]
