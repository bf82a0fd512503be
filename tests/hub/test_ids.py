"""Names that nobody guesses."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from textstream.hub.ids import DRAWN, ID_BYTES, Ids, new_id


def test_a_name_has_128_bits_and_no_two_are_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        names = [name for part in pool.map(lambda _: [new_id() for _ in range(500)], range(8))
                 for name in part]  # fmt: skip
    assert len(set(names)) == 4000
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", name) for name in names)


def test_a_name_is_no_flag_on_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    dashes = bytes([0xF8]) + bytes(ID_BYTES - 1)  # 62 in base64 is "-"
    drawn = (dashes * 2 + bytes(ID_BYTES)).ljust(DRAWN * ID_BYTES, b"\xf8")
    monkeypatch.setattr(os, "urandom", lambda _count: drawn)
    assert Ids().new() == "A" * 22


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_gives_other_names() -> None:
    ids = Ids()
    ids.new()
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, ids.new().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() != ids.new()
    os.waitpid(child, 0)
