"""Ids that nobody guesses."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from textstream.ids import DRAWN, Ids, new_session_id, new_stream_id


@pytest.mark.parametrize(("new", "length"), [(new_stream_id, 22), (new_session_id, 20)])
def test_an_id_is_all_random_and_no_two_are_the_same(new: Callable[[], str], length: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [one for part in pool.map(lambda _: [new() for _ in range(500)], range(8))
                for one in part]  # fmt: skip
    assert len(set(made)) == 4000
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", one) for one in made)
    assert {len(one) for one in made} == {length}
    for place in range(length):
        assert len({one[place] for one in made}) >= 60, "each of the characters comes there"


def test_an_id_is_no_flag_on_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ("-" * 22 + "-" + "B" * 21 + "A-" * 11).ljust(DRAWN * 22, "-")
    monkeypatch.setattr(os, "urandom", lambda count: base64.urlsafe_b64decode(text)[:count])
    assert Ids(22).new() == "A-" * 11


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_gives_other_ids() -> None:
    ids = Ids(22)
    ids.new()
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, ids.new().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() != ids.new()
    os.waitpid(child, 0)
