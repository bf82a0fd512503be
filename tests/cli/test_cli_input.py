from __future__ import annotations

import click
import pytest

from textstream import cli, client
from textstream.cli.input import RateType, join_input, parse_params


@pytest.mark.parametrize(
    ("argument", "piped", "verbatim", "joined"),
    [
        (None, None, False, None),
        ("", None, False, None),
        ("say", None, False, "say"),
        (None, "text\n", False, "text"),
        (None, "text\n", True, "text\n"),
        ("say", "text\r\n\n", False, "say\n\ntext"),
        ("say", "text\n", True, "say\n\ntext\n"),
        ("say", "\n", False, "say"),
        (None, "\n", True, "\n"),
    ],
)
def test_argument_and_standard_input_join(
    argument: str | None, piped: str | None, verbatim: bool, joined: str | None
) -> None:
    assert join_input(argument, piped, verbatim=verbatim) == joined


def test_params_are_json_where_they_parse() -> None:
    pairs = ("a=1", "b=0.5", "c=true", 'd={"e": [null]}', "f=plain text", "g=", "h=x=y", "i=NaN")
    assert parse_params(pairs) == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": {"e": [None]},
        "f": "plain text",
        "g": "",
        "h": "x=y",
        "i": "NaN",
    }


@pytest.mark.parametrize("pair", ["", "a", "=1"])
def test_a_param_without_key_or_value_is_refused(pair: str) -> None:
    with pytest.raises(click.UsageError, match="key=value"):
        parse_params((pair,))


@pytest.mark.parametrize(("text", "rate"), [("0", 0.0), ("12.5", 12.5), ("auto", "auto")])
def test_a_rate(text: str, rate: float | str) -> None:
    assert RateType().convert(text, None, None) == rate


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "fast", ""])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        RateType().convert(text, None, None)


def test_client_and_command_line_agree_on_the_address() -> None:
    assert cli.DEFAULT_URL == client.DEFAULT_URL
