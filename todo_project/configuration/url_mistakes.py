"""Recognises what is often given instead of a database URL.

The sentences never quote the URL, which may contain a password.
"""

import re
from urllib.parse import unquote

# What no URL contains: white space, and the invisible characters that copying may add
INVISIBLE = re.compile(r"[\x00-\x20\x7f\s\u200b-\u200f\u2060\ufeff]")
QUOTES = "\"'`\u2018\u2019\u201c\u201d"
ONLY_URL = "give only the URL itself, which starts with postgresql://, without quotes"
SQLITE_FORM = "the form for SQLite is sqlite:///path"

# The beginning of the text, in any case, and the sentence. The first match counts.
SENTENCES = {
    re.compile(rf"\A(?:{pattern})", re.IGNORECASE): sentence
    for pattern, sentence in (
        (r"(\$\s*)?psql\b", f"it is a command that starts with psql; {ONLY_URL}"),
        (
            r"(export\s+|set\s+)?\w+\s*=\s*\S?\w+(\+\w+)?:",
            f"it starts with a name and =; {ONLY_URL}",
        ),
        (rf"[{QUOTES}]", "it is in quotes; remove them"),
        (r"jdbc:", "it is a URL of JDBC; the form is postgresql://user:password@host/database"),
        (
            r"(mysql|mariadb|mssql|sqlserver|oracle|mongodb|rediss?|libsql)\b",
            "it is the URL of another kind of database; this service needs PostgreSQL or SQLite",
        ),
        (
            r"prisma\b",
            "it is a URL of Prisma's own service; give that of the database, postgresql://…",
        ),
        (
            r"(https?|wss?)://",
            "it is the address of a web page; the connection string of the database starts with"
            " postgresql://",
        ),
        (r"(sqlite3|file|sqlite(\+\w+)?:(?!//))", SQLITE_FORM),
        (r"sqlite", ""),
        (r"postgres(ql)?(\+\w+)?://", ""),
        (r"postgres(ql)?(\+\w+)?:", "after postgresql: it must have two slashes"),
        (
            r".*\b(host|hostaddr|dbname|user|service)\s*=",
            "it is a keyword string of libpq; the form is"
            " postgresql://user:password@host:port/database",
        ),
    )
}
BEGINNINGS = list(SENTENCES)
DELIMITER = re.compile(r"[/?#]")
BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
OPTION_SIGN = re.compile(r"[&=]")
PLACEHOLDER = re.compile(
    r"<[^<>]*>"  # <password>
    r"|\[[A-Za-z][A-Za-z _-]*\]"  # [YOUR-PASSWORD], Supabase
    r"|\$?\{[^{}]*\}|\{\{.*\}\}|\$\(\w+\)|\$[A-Z][A-Z_]+|%[A-Z][A-Z_]+%"  # ${PGHOST}, $(PGHOST)
    r"|\*{3,}|\u2022+|\u2026|\.{3}"  # a password that the page has masked
    r"|(?i:your[-_](db[-_])?(password|user|username|host|hostname|database))"
)
# The components of the examples in documentation, which occur together
EXAMPLE_HOSTS = ("host", "hostname")
EXAMPLE_PASSWORDS = ("password", "pass", "pw")
# Authorities without a user that cannot be a user and the beginning of a password: none, and those
# of the same machine
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])?(:[0-9]*)?")
USER_OPTION = re.compile(r"[?&]user=")


class MistakeError(ValueError):
    """A database URL that cannot work. The message is the end of a sentence, without the URL."""


def refuse_other_texts(text: str) -> None:
    """Refuse a text that is not a URL, or one of something else.

    Raises:
        MistakeError: this service cannot use the URL.
    """
    sentences = (SENTENCES[pattern] for pattern in BEGINNINGS if pattern.match(text))
    if sentence := next(sentences, "it must start with postgresql:// or sqlite:///"):
        raise MistakeError(sentence)
    if text[-1] in QUOTES:
        raise MistakeError("it ends with a quote; remove it")


def doubtful_name(url: str) -> str:
    """Return the name of the database if the URL names no user, or else an empty string.

    The name may be a part of a password: of ``user:12/b``, the host is ``user`` and the port 12.
    """
    rest, _, query = url.partition("://")[2].partition("?")
    authority, _, name = rest.partition("/")
    is_sure = "@" in rest or LOCAL.fullmatch(authority) or USER_OPTION.search(f"?{query}")
    return "" if is_sure else name


def refuse_unencoded_characters(url: str) -> None:
    """Refuse a PostgreSQL URL that special characters divide at the wrong place.

    Of ``user:a/b@host/name`` the host would be ``user``, and the name ``b@host/name``, which is a
    part of the password, and would be logged.

    Raises:
        MistakeError: a character must be percent-encoded.
    """
    if INVISIBLE.search(url):
        raise MistakeError("it contains a blank or a line break, which must be written as %20")
    rest = url.partition("://")[2]
    authority = DELIMITER.split(rest, maxsplit=1)[0]
    path, _, query = rest[len(authority) :].partition("?")
    is_query_cut = "@" in query and ("@" not in authority or "/" in query.rpartition("@")[2])
    if is_query_cut or "@" in path or "#" in rest:
        raise MistakeError(
            "special characters in the user or the password must be percent-encoded: / as %2F,"
            " ? as %3F, # as %23, @ as %40"
        )
    if "%40" in doubtful_name(url):
        raise MistakeError(
            "the @ before the host must not be percent-encoded, and a / in the password must be"
            " written as %2F"
        )
    if BAD_PERCENT.search(rest):
        raise MistakeError("a % must be followed by two hexadecimal digits; a % itself is %25")
    try:
        unquote(rest, errors="strict")
    except UnicodeDecodeError:
        raise MistakeError("its percent-encoded characters must be UTF-8") from None
    if OPTION_SIGN.search(path):
        raise MistakeError("its options must begin with ?, and be separated by &")
    if "/" in path[1:]:
        raise MistakeError("after the name of the database it has a further /")
    if path.endswith((",", ";")):
        raise MistakeError("after the name of the database it has a , or ; that must be removed")


def refuse_placeholders(url: str) -> None:
    """Refuse a URL with a component that was to be replaced.

    Raises:
        MistakeError: one of the components is a placeholder.
    """
    authority, _, name = url.partition("://")[2].partition("?")[0].partition("/")
    credentials, _, host = authority.rpartition("@")
    user, _, password = credentials.partition(":")
    components = (user, password, host, host.rpartition(":")[0], host.rpartition(":")[2], name)
    is_example = password.lower() in EXAMPLE_PASSWORDS and (
        host.partition(":")[0].lower() in EXAMPLE_HOSTS
    )
    if is_example or "${" in url or any(PLACEHOLDER.fullmatch(each) for each in components):
        raise MistakeError(
            "it still contains a placeholder, such as <password> or ${HOST}; replace it by the"
            " real value"
        )
