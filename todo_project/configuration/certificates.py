"""The files of a PostgreSQL URL: certificates, keys and passwords.

libpq ignores some of them if they are missing, so that a connection would be less secure than the
URL says, and fails because of the others at every connection.

Source: PostgreSQL's documentation, "SSL Support", "The Password File".
"""

import os
import ssl
import stat
from collections.abc import Mapping
from pathlib import Path

from todo_project.configuration.url_mistakes import MistakeError

SYSTEM = "system"
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
# The bits that libpq accepts in the mode of a file that only its owner may read
PRIVATE = {"sslkey": 0o077, "passfile": 0o077}
ROOT_KEY = 0o037  # a key of root's may be readable for a group


def has_default_root() -> bool:
    """Return whether libpq finds certificates of authorities in the user's home directory."""
    return (Path.home() / ".postgresql" / "root.crt").exists()


def refuse_unusable_files(options: Mapping[str, str]) -> None:
    """Refuse options that name missing or unreadable files, and find the system's certificates.

    Raises:
        MistakeError: a connection could not be as secure as the options say.
    """
    for name in FILES:
        value = options.get(name, "")
        # of a key, engine:name
        if value and not (name == "sslrootcert" and value == SYSTEM) and ":" not in value:
            _refuse_unusable_file(name, Path(value))
    folder = options.get("sslcrldir")
    if folder and not Path(folder).is_dir():
        raise MistakeError("sslcrldir must be the path of a folder; it does not exist")
    root = options.get("sslrootcert")
    if root == SYSTEM:
        use_system_certificates()
    elif root:
        _refuse_other_contents(root)
    elif options.get("sslmode") == "verify-ca" and not (
        os.environ.get("PGSSLROOTCERT") or has_default_root()
    ):
        raise MistakeError("sslmode=verify-ca needs sslrootcert, the path of certificates")


def use_system_certificates() -> None:
    """Tell OpenSSL where the system's certificates are.

    The wheel of psycopg brings its own OpenSSL, which looks for them where no system has them.

    Raises:
        MistakeError: the system has no certificates.
    """
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or paths.capath):
        raise MistakeError(
            "sslrootcert=system needs the system's certificates (the package ca-certificates)"
        )
    for name, path in (("SSL_CERT_FILE", paths.cafile), ("SSL_CERT_DIR", paths.capath)):
        if path:
            os.environ.setdefault(name, path)


def _refuse_unusable_file(name: str, path: Path) -> None:
    if not path.is_file():
        raise MistakeError(f"{name} must be the path of a file; it does not exist")
    if not os.access(path, os.R_OK):
        raise MistakeError(f"{name} must be a file that this user can read")
    status = path.stat()
    forbidden = PRIVATE.get(name, 0)
    if name == "sslkey" and status.st_uid == 0:
        forbidden = ROOT_KEY
    if stat.S_IMODE(status.st_mode) & forbidden:
        raise MistakeError(f"{name} must be a file that only its owner can read (chmod 600)")


def _refuse_other_contents(root: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(root)
    except ssl.SSLError:
        raise MistakeError("sslrootcert must be a file of certificates (PEM)") from None
