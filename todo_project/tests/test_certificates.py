"""``sslrootcert=system`` with a real TLS handshake (PostgreSQL's documentation, "SSL Support")."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from todo_project.configuration.database_url import database_settings, refuse_unusable_paths

SSL_REQUEST_BYTES = 8
SECONDS = 20.0  # more than a handshake takes on a busy machine


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Write a key and a certificate for localhost, signed by itself, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener


def accept_tls(listener: socket.socket, certificate: Path) -> bool:
    """Agree to TLS as PostgreSQL does; return whether the client accepts the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    wire, _ = listener.accept()
    wire.settimeout(SECONDS)
    with wire:
        wire.recv(SSL_REQUEST_BYTES)
        wire.sendall(b"S")
        try:
            with context.wrap_socket(wire, server_side=True) as encrypted:
                return bool(encrypted.recv(1))  # a startup message, or an alert
        except ssl.SSLError:
            return False


@pytest.mark.parametrize("is_known", [False, True])
def test_the_certificate_of_the_server_is_verified(
    is_known: bool,
    certificate: Path,
    listener: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A certificate that the system knows must be accepted, and no other."""
    other = tmp_path / "other.pem"
    other.touch()
    paths = Mock(cafile=str(certificate if is_known else other), capath=None)
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: paths)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "")  # so that it is restored
        monkeypatch.delenv(name)
    port = listener.getsockname()[1]
    url = "postgresql://localhost/todo?hostaddr=127.0.0.1&sslmode=verify-full"
    database = database_settings("DATABASE_URL", f"{url}&sslrootcert=system", tmp_path)
    refuse_unusable_paths("DATABASE_URL", database)

    with ThreadPoolExecutor() as pool:
        accepted = pool.submit(accept_tls, listener, certificate)
        with pytest.raises(psycopg.OperationalError) as error:
            psycopg.connect(host="localhost", port=port, user="todo", **database["OPTIONS"])
        assert accepted.result() == is_known

    assert ("certificate verify failed" in str(error.value)) != is_known
