"""Over https: whom the client trusts, for all of its requests alike."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.asking import ASKS, Ask
from tests.support.requirement import require
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer
from textstream import errors
from textstream.client import StreamClient


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout key.pem"
    extras = ["-out", "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run([*command.split(), *extras], cwd=folder, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        require("openssl makes a certificate for TLS")
    made.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return made


@pytest.fixture
def tls_proxy(text_server: RunningServer, certificate: Path) -> Iterator[ReverseProxy]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ReverseProxy(text_server.address, prefix="/stream", tls=context) as proxy:
        yield proxy


@pytest.mark.live
@pytest.mark.parametrize("transports", [None, ["polling"]], ids=str)
def test_a_certificate_that_nobody_knows_is_said(
    tls_proxy: ReverseProxy, ask: Ask, transports: list[str] | None
) -> None:
    with (
        StreamClient(tls_proxy.url, transports=transports) as client,
        pytest.raises(errors.ServerUnreachable, match=r"TLS certificate: self.signed") as no,
    ):
        ask(client)
    assert "SSL_CERT_FILE" in no.value.message
    assert not no.value.retryable


@pytest.mark.live
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("transports", [["websocket"], ["polling"]], ids=str)
def test_a_certificate_that_is_trusted_holds_for_every_request(
    tls_proxy: ReverseProxy,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    transports: list[str],
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    with StreamClient(tls_proxy.url, transports=transports) as client:
        for each in ASKS:
            assert each(client)


@pytest.mark.live
def test_https_where_there_is_none_is_said(text_server: RunningServer, ask: Ask) -> None:
    with (
        StreamClient(text_server.url.replace("http:", "https:")) as client,
        pytest.raises(errors.ServerUnreachable, match=r"\(TLS: .*Is it http://"),
    ):
        ask(client)
