"""The files that a database URL names (FR-020)."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration import url_mistakes
from todo_project.configuration.database_url import database_settings, refuse_unusable_paths

URL = "postgresql://todo:a-password@db.example.com/todo"
# A certificate that was made for this test, with `openssl req -x509`
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUK9rL3vm19YtDD97qs6YYYp1o0uIwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFdGVzdHMwIBcNMjYxMTMwMTczOTEzWhgPMjEyNjExMDYxNzM5
MTNaMBAxDjAMBgNVBAMMBXRlc3RzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
L2UK4lmIv8HhZhWLTvTVd+BU/v0Vdre3iwP3NuEoK69BOalBehE3w0VSaG7aImoq
l6hhXGIw9XwbbXsVswnF1aNTMFEwHQYDVR0OBBYEFGBaEfJZSBCHjlng4jy0gCnp
UrVgMB8GA1UdIwQYMBaAFGBaEfJZSBCHjlng4jy0gCnpUrVgMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgdbECKGpAF8nIrOsqzaeIwTN+wtzQpXxN
0KhIMi05D0gCIQCCcLdcybwaR90OMV3QmO63wOkXPe3eoLlWQ+RAQ+mUNQ==
-----END CERTIFICATE-----
"""


def refusal(url: str, folder: Path) -> str:
    """Return the message with which a URL is refused, or an empty string."""
    try:
        database = database_settings("NEON_DATABASE_URL", url, folder)
        refuse_unusable_paths("NEON_DATABASE_URL", database)
    except ImproperlyConfigured as error:
        return str(error).partition(": ")[2]
    return ""


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file whose name contains "locked" be read or written, as if by an ordinary user."""
    access = os.access
    monkeypatch.setattr(
        "os.access", lambda path, mode: "locked" not in Path(path).name and access(path, mode)
    )


@pytest.mark.usefixtures("user")
def test_an_sqlite_file_must_be_writable(tmp_path: Path) -> None:
    """Otherwise every request would get a 503, or lose its task."""
    for folder in ("folder", "locked"):
        (tmp_path / folder).mkdir()
    for file in ("a.sqlite3", "locked.sqlite3"):
        (tmp_path / file).touch()
    (tmp_path / "script.py").write_text("# not a database")
    with closing(sqlite3.connect(tmp_path / "full.sqlite3")) as full:
        full.execute("CREATE TABLE task (id)")
    expected = {
        "sqlite:///a.sqlite3": "",
        "sqlite:///new.sqlite3": "",
        "sqlite:///full.sqlite3": "",
        "sqlite:///script.py": "its path is that of a file which is no database of SQLite.",
        "sqlite:////dev/null": "its path is that of a file which is no database of SQLite.",
        "sqlite:////proc/new.sqlite3": "its file, or the folder of it, cannot be written by this"
        " user.",
        r"sqlite:///C:\todo\db.sqlite3": "its path has a backslash; separate folders with /.",
        "sqlite:///folder/new.sqlite3": "",
        f"sqlite:////{str(tmp_path)[1:]}/a.sqlite3?mode=rwc": "",
        "sqlite:///missing/a.sqlite3": "the folder of its file does not exist.",
        "sqlite:///a.sqlite3/b.sqlite3": "the folder of its file does not exist.",
        "sqlite:///folder": "its path is a folder; it must name a file, such as db.sqlite3 in it.",
        "sqlite:///locked.sqlite3": "its file, or the folder of it, cannot be written by this"
        " user.",
        "sqlite:///locked/a.sqlite3": "its file, or the folder of it, cannot be written by this"
        " user.",
        "sqlite:///:memory:": "each connection would have its own empty database in memory.",
    }

    assert {url: refusal(url, tmp_path) for url in expected} == expected
    assert not (tmp_path / "new.sqlite3").exists()


def test_an_sqlite_url_has_no_options(tmp_path: Path) -> None:
    """An option that would be ignored must be refused."""
    for query in ("mode=ro", "timeout=5", "cache=shared&mode=rwc"):
        assert "has no options" in refusal(f"sqlite:///db.sqlite3?{query}", tmp_path)
    assert refusal("sqlite:///a%00b", tmp_path) == f"{url_mistakes.SQLITE_FORM}."


@pytest.mark.usefixtures("user")
def test_a_file_of_tls_must_exist_and_be_readable(tmp_path: Path) -> None:
    """Without some of these files libpq connects less securely, without others never."""
    mode = {"private": 0o600, "public": 0o644, "locked": 0o600}
    for name, bits in mode.items():
        (tmp_path / name).write_text(CERTIFICATE)
        (tmp_path / name).chmod(bits)
    missing = "must be the path of a file; it does not exist."
    unreadable = "must be a file that this user can read."
    open_to_all = "must be a file that only its owner can read (chmod 600)."
    names = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
    expected = {
        **{(name, "missing"): f"{name} {missing}" for name in names},
        **{(name, "locked"): f"{name} {unreadable}" for name in names},
        **{(name, "private"): "" for name in names},
        **{(name, "public"): "" for name in ("sslrootcert", "sslcert", "sslcrl")},
        **{(name, "public"): f"{name} {open_to_all}" for name in ("sslkey", "passfile")},
        ("sslcrldir", "missing"): "sslcrldir must be the path of a folder; it does not exist.",
        ("sslcrldir", ""): "",
    }

    assert {
        (name, file): refusal(f"{URL}?{name}={tmp_path}/{file}", tmp_path)
        for name, file in expected
    } == expected
    assert refusal(f"{URL}?sslkey=engine:key", tmp_path) == ""


def test_the_key_of_root_may_be_readable_for_its_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Such a key of root must be accepted, as by libpq, and no other."""
    key = tmp_path / "key"
    key.touch()
    key.chmod(0o640)
    found = {}
    for owner in (0, 1000):
        status = os.stat_result((key.stat().st_mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "stat", lambda path, status=status, **how: status)
            patch.setattr(Path, "is_file", lambda path: True)
            found[owner] = refusal(f"{URL}?sslkey={key}", tmp_path)

    assert (found[0], "chmod 600" in found[1000]) == ("", True)


def test_certificates_must_be_certificates(tmp_path: Path) -> None:
    """A file of something else must be named at the start."""
    (tmp_path / "root.pem").write_text("not a certificate")

    found = refusal(f"{URL}?sslmode=verify-full&sslrootcert={tmp_path}/root.pem", tmp_path)
    assert found == "sslrootcert must be a file of certificates (PEM)."


def test_verify_ca_needs_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file must be named in the URL, in libpq's variable, or be in the home directory."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert "needs sslrootcert" in refusal(f"{URL}?sslmode=verify-ca", tmp_path)

    with monkeypatch.context() as patch:
        patch.setenv("PGSSLROOTCERT", "/ca.pem")
        assert refusal(f"{URL}?sslmode=verify-ca", tmp_path) == ""
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    assert refusal(f"{URL}?sslmode=verify-ca", tmp_path) == ""


def test_the_certificates_of_the_system_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The OpenSSL of psycopg's wheel must find them, after those of the operator."""
    url = f"{URL}?sslrootcert=system"
    found = {}
    for file, folder in (("/certs.pem", "/certs"), ("/certs.pem", None), (None, None)):
        paths = Mock(cafile=file, capath=folder)
        monkeypatch.setattr("ssl.get_default_verify_paths", lambda paths=paths: paths)
        with monkeypatch.context() as patch:
            patch.setattr("os.environ", {"SSL_CERT_DIR": "/mine"} if not folder else {})
            answer = refusal(url, tmp_path)
            found[file, folder] = answer, dict(os.environ)

    assert found == {
        ("/certs.pem", "/certs"): ("", {"SSL_CERT_FILE": "/certs.pem", "SSL_CERT_DIR": "/certs"}),
        ("/certs.pem", None): ("", {"SSL_CERT_FILE": "/certs.pem", "SSL_CERT_DIR": "/mine"}),
        (None, None): (
            "sslrootcert=system needs the system's certificates (the package ca-certificates).",
            {"SSL_CERT_DIR": "/mine"},
        ),
    }
