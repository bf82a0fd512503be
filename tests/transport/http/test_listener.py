"""Sockets that are listened on: of IPv4, IPv6 and Unix."""

from __future__ import annotations

import errno
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.transport.http.serving import App, ServingMaker
from textstream.transport.http.listener import close, listen, name_of, peer_of

HAS_IPV6 = socket.has_ipv6 and Path("/proc/net/if_inet6").exists()


@pytest.fixture
def path() -> Iterator[Path]:
    """Of a socket file; they may have 108 characters."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "server.sock"


def test_a_unix_socket(serve: ServingMaker, app: App, path: Path) -> None:
    one = serve(host=f"unix://{path}")
    assert one.connect().ask()[0] == 200
    (environ,) = app.environs
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("", "0")
    one.front.stop()
    one.settle()
    assert not path.exists()


def test_the_file_of_a_server_that_is_no_more_is_replaced(path: Path) -> None:
    listen(f"unix://{path}", 0).close()
    assert path.is_socket()
    sock = listen(f"unix://{path}", 0)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    close(sock)
    close(sock)
    assert not path.exists()


def test_a_server_that_lives_keeps_its_file(path: Path) -> None:
    with closing(listen(f"unix://{path}", 0)):
        with pytest.raises(OSError, match="in use") as raised:
            listen(f"unix://{path}", 0)
        assert raised.value.errno == errno.EADDRINUSE
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_server_that_has_no_place_for_one_more_lives(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as full, socket.socket(socket.AF_UNIX) as client:
        full.bind(str(path))
        full.listen(0)
        client.setblocking(False)
        client.connect(str(path))
        with pytest.raises(OSError, match="in use"):
            listen(f"unix://{path}", 0)
        assert path.is_socket()


def test_a_file_that_is_no_socket_is_not_deleted(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(OSError, match="in use"):
        listen(f"unix://{path}", 0)
    assert path.read_text() == "precious"


def test_a_link_is_not_followed(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("precious")
    path.symlink_to(target)
    with pytest.raises(OSError, match="in use"):
        listen(f"unix://{path}", 0)
    assert target.read_text() == "precious"


def test_the_file_of_whoever_has_come_instead_stays(path: Path) -> None:
    first = listen(f"unix://{path}", 0)
    path.unlink()
    with closing(listen(f"unix://{path}", 0)):
        close(first)
        assert path.is_socket()


def test_a_name_is_listened_on_where_clients_find_it() -> None:
    with closing(listen("localhost", 0)) as sock:
        assert sock.family == socket.AF_INET


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6(host: str) -> None:
    with closing(listen(host, 0)) as sock:
        port = sock.getsockname()[1]
        assert name_of(sock) == (host, str(port))
        with socket.create_connection(("::1", port)):
            sock.setblocking(True)
            accepted, address = sock.accept()
            accepted.close()
        assert peer_of(address)[0] == "::1"


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
def test_ipv4_comes_to_all_addresses_of_ipv6_as_what_it_is() -> None:
    with closing(listen("::", 0)) as sock:
        sock.setblocking(True)
        with socket.create_connection(("127.0.0.1", sock.getsockname()[1])) as client:
            accepted, address = sock.accept()
            accepted.close()
            assert peer_of(address) == client.getsockname()


def test_a_port_that_is_taken() -> None:
    with closing(listen("127.0.0.1", 0)) as sock, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", sock.getsockname()[1])
