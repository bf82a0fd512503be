"""A Redis of the system that speaks TLS alone, to a user who may touch one prefix alone.

Not Valkey: the one that pip installs has no TLS. Debian's package is ``redis-server``.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from tests.support.ports import free_ports
from tests.support.timing import patient

START_SECONDS = patient(20.0)

USER, PASSWORD = "textstream", "a-secret-of-the-store"

PREFIX = "shared"

RIGHTS = f"on >{PASSWORD} ~{PREFIX}:* &{PREFIX}:* +@all -@admin -@dangerous"
"""As docs/scaling.md has it."""


def redis_server() -> str | None:
    """Return the system's Redis, if there is one."""
    return shutil.which("redis-server")


@contextmanager
def running_tls(folder: Path) -> Iterator[str]:
    """Yield the URL of one."""
    program = redis_server()
    assert program, "redis-server is not installed"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    port = free_ports()
    file = folder / "redis.conf"
    file.write_text(
        f"port 0\ntls-port {port}\nbind 127.0.0.1\ndir {folder}\nsave ''\n"
        f"tls-cert-file {folder}/cert.pem\ntls-key-file {folder}/key.pem\n"
        f"tls-ca-cert-file {folder}/ca.pem\ntls-auth-clients no\n"
        f"user default off\nuser {USER} {RIGHTS}\n",
        encoding="utf-8",
    )
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            assert process.poll() is None, (folder / "redis.log").read_text(errors="replace")
            assert time.monotonic() < deadline, "the store does not start"
            time.sleep(0.02)
        yield f"rediss://{USER}:{PASSWORD}@127.0.0.1:{port}?ssl_ca_certs={folder}/ca.pem"
    finally:
        process.kill()
        process.wait(START_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return not sock.connect_ex(("127.0.0.1", port))
