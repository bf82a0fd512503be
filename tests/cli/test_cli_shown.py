"""What a terminal is shown, and that pipes and files get the bytes."""

from __future__ import annotations

import io
import json
import re

import pytest

from tests.cli.conftest import Run
from tests.cli.terminal import Terminal
from tests.support.running_server import RunningServer
from textstream.cli.listing import table
from textstream.cli.terminal import json_for, visible, visible_in_line

EXACT = "a\x1b]0;owned\x07b\x9b2Jc\rd\u202ee\tf\ng\x7f"
SHOWN = "a^[]0;owned^Gb<U+009B>2Jc^Md<U+202E>e\tf\ng^?"

# What a terminal may act on: all of C0 but the tab and line ends, DEL, C1 in UTF-8, ESC within.
COMMANDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\r?\n)")


class Teletype(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (EXACT, SHOWN),
        ("plain 字 é 👨‍👩‍👧‍👦 🇪🇺 שלום\u200f \u200e", "plain 字 é 👨‍👩‍👧‍👦 🇪🇺 שלום\u200f \u200e"),
        ("tab\there\nline\r\nend\n", "tab\there\nline\r\nend\n"),
        ("over\rwritten\r", "over^Mwritten^M"),
        ("\x00\x08\x0b\x0c\x0e\x1f", "^@^H^K^L^N^_"),
        ("\x80\x85\x90\x9d\x9f\xa0", "<U+0080><U+0085><U+0090><U+009D><U+009F>\xa0"),
        ("\u202a\u202d\u2066\u2069", "<U+202A><U+202D><U+2066><U+2069>"),
        ("\udc9b31m", "<U+DC9B>31m"),
    ],
)
def test_what_would_command_a_terminal_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert "".join(map(visible, re.findall(r"\r\n|.", text, re.DOTALL))) == shown, "unit by unit"


def test_every_command_is_made_visible() -> None:
    everything = "".join(chr(code) for code in range(0x3000))
    assert not COMMANDS.search(visible(everything).replace("\r\n", ""))
    assert len(visible(everything)) > len(everything)


def test_a_line_stays_a_line() -> None:
    assert visible_in_line("a\tb\r\nc\x1b") == "a^Ib^M^Jc^["


def test_json_on_a_terminal_is_the_same_json() -> None:
    value = {"text": EXACT, "字": ["\x85\u2069\x00"]}
    for indent in (None, 2):
        shown = json_for(Teletype(), value, indent)
        assert json.loads(shown) == value
        assert not COMMANDS.search(shown)
        assert "字" in shown
        exact = json.dumps(value, ensure_ascii=False, indent=indent)
        assert json_for(io.StringIO(), value, indent) == exact


def test_a_table_of_sources_of_a_hostile_server() -> None:
    hostile = "x\x1b[2J\ny"
    entry = {
        "name": hostile,
        "description": hostile,
        "available": False,
        "error": hostile,
        "params": {"properties": {hostile: {}}},
    }
    shown = table({"sources": [entry, {"name": 3, "params": {"properties": 3}}, 3]}, Teletype())
    assert shown.count("\n") == 4
    assert shown.count("x^[[2J^Jy") == 4
    assert not COMMANDS.search(shown)
    exact = table({"sources": [entry]}, io.StringIO())
    assert exact.count(hostile) == 4


@pytest.mark.live
def test_a_streamed_text_does_not_command_the_terminal(text_server: RunningServer) -> None:
    for unit in ("char", "token"):
        with Terminal(text_server, "--source", "hostile", "--unit", unit) as terminal:
            assert terminal.finish() == 1
        assert terminal.text.startswith(SHOWN.replace("\n", "\r\n"))
        error = "textstream: No key ^[[2J for <U+009B>31m<U+202E>it."
        assert error in terminal.text
        assert not COMMANDS.search(terminal.text)


@pytest.mark.live
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--source", "hostile", "--json"), r'"text": "\u009b"'),
        (("--source", "hostile", "--no-stream", "--stats"), "^[]0;owned^G"),
        (("--url", "\x1b]0;owned\x07\x9b", "x"), "^[]0;owned^G"),
        (("one", "\x1b]0;owned\x07\u202e"), "^[]0;owned^G"),
        (("sources",), "^[]0;owned^G"),
        (("sources", "--json"), r"\u001b]0;owned\u0007 \u009b2J \u202e"),
    ],
    ids=ascii,
)
def test_nothing_commands_the_terminal(
    text_server: RunningServer, arguments: tuple[str, ...], says: str
) -> None:
    with Terminal(text_server, *arguments) as terminal:
        terminal.finish()
    assert says in terminal.text
    assert not COMMANDS.search(terminal.text)


@pytest.mark.live
def test_a_pipe_gets_the_bytes(run_cli: Run) -> None:
    result = run_cli("--source", "hostile")
    assert result.stdout == EXACT.encode()
    assert "\x1b[2J" in result.stderr.decode(), "nor is it changed there"
    events = [
        json.loads(line)
        for line in run_cli("--source", "hostile", "--json").stdout.split(b"\n")
        if line
    ]
    assert "".join(event.get("text", "") for event in events) == EXACT
    assert "\x1b]0;owned\x07" in run_cli("sources").stdout.decode()
