"""Which certificates the source ``openai`` accepts, and what it says of the others."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.asking import ANSWER, Ask
from tests.sources.wire_endpoint import WireEndpoint
from tests.sources.wire_rows import head
from tests.support.requirement import require
from textstream.errors import SourceFailed, SourceUnavailable
from textstream.sources.openai_network import explain_tls

pytestmark = pytest.mark.usefixtures("no_environment")


def certify(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Return a certificate for `name`, signed by itself, and a server's context with it."""
    if shutil.which("openssl") is None:
        require("the program openssl makes the certificates")
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        f"-subj /CN=test -addext subjectAltName={name} -keyout {key} -out {cert}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certify(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


@pytest.fixture
def tls(certificate: tuple[Path, ssl.SSLContext]) -> Iterator[WireEndpoint]:
    endpoint = WireEndpoint(tls=certificate[1])
    endpoint.script = ANSWER
    yield endpoint
    endpoint.close()


def test_an_authority_in_a_file(
    tls: WireEndpoint, certificate: tuple[Path, Any], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert ask(tls.base_url) == ["Hi"]


def test_an_authority_in_a_folder(
    tls: WireEndpoint,
    certificate: tuple[Path, Any],
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate[0])]
    digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (tmp_path / f"{digest}.0").symlink_to(certificate[0])
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert ask(tls.base_url) == ["Hi"]


def test_the_systems_authorities_are_kept(
    certificate: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from textstream.sources.openai_http import _tls_context  # noqa: PLC0415 (optional)

    before = len(_tls_context(with_environment=True).get_ca_certs())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert len(_tls_context(with_environment=True).get_ca_certs()) == before + 1


def test_an_unknown_authority(
    tls: WireEndpoint, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SourceFailed, match=r"not accepted: self.signed.*SSL_CERT_FILE"):
        ask(tls.base_url)
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert not any(record.exc_info for record in caplog.records)
    assert tls.requests == []


def test_a_certificate_for_another_name(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cert, context = certify(tmp_path, "DNS:api.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    endpoint = WireEndpoint(tls=context)
    try:
        with pytest.raises(
            SourceFailed, match=r"It is for another name. Check TEXTSTREAM_OPENAI_B"
        ):
            ask(endpoint.base_url)
    finally:
        endpoint.close()


def test_a_certificate_that_is_too_old() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = 10, "certificate has expired"
    assert "certificate has expired. It must be renewed" in explain_tls(error)


def test_no_tls_where_https_is_asked_for(ask: Ask) -> None:
    def answer_in_the_clear() -> None:
        peer, _ = server.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(head(None, status="400 Bad Request"))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_in_the_clear)
        thread.start()
        with pytest.raises(SourceFailed, match=r"No TLS connection .*does the API speak https"):
            ask(f"https://127.0.0.1:{server.getsockname()[1]}/v1")
        thread.join()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_file_that_is_none(
    wire: WireEndpoint,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    content: str | None,
) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(SourceUnavailable, match="SSL_CERT_FILE"):
        ask("https://127.0.0.1:1/v1")
    assert ask(wire.base_url) == ["Hi"]
