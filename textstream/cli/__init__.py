"""The command line: ``textstream "prompt"``, and ``resume``, ``sources``, ``serve``, ``chaos``.

Nothing that takes long to load is imported before it is needed, and before the signals are
caught.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from textstream import __version__
from textstream.cli import exit_codes
from textstream.cli.chaos import chaos
from textstream.cli.exit_codes import Interrupted, catch_signals
from textstream.cli.input import RateType, parse_params
from textstream.cli.output import complain, prepare, silence
from textstream.errors import TextStreamError

DEFAULT_URL = "http://127.0.0.1:5002"

EPILOG = f"""\
\b
Commands:
  textstream resume ID   read a stream from an offset on
  textstream sources     list the server's sources
  textstream serve       start a server
  textstream chaos       cut, stall and throttle connections on purpose, to see what happens
  Write -- before a prompt that is the name of a command: textstream -- serve

\b
Examples:
  textstream "Tell me a story"
  git diff | textstream "Explain this change"
  textstream --source text --rate 100 < poem.txt
  textstream --param temperature=0 --param max_tokens=50 --stats "Hello"
  textstream --json "Hello" | jq -r 'select(.event == "chunk").text'

{exit_codes.HELP}"""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

Command = TypeVar("Command", bound=Callable[..., Any])

url_option = click.option(
    "--url",
    envvar="TEXTSTREAM_URL",
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="The server's address.",
)


def read_options(command: Command) -> Command:
    """Add the flags that starting and resuming share."""
    for option in (
        click.option("--no-reconnect", is_flag=True, help="Give up when the connection is lost."),
        click.option("--stats", is_flag=True, help="Say on standard error how fast it was."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object per event."),
        click.option("--no-stream", is_flag=True, help="Print all of the text at the end."),
        url_option,
        click.option(
            "--rate",
            type=RateType(),
            help="Units per second; 0: as fast as possible; auto: as the source goes. "
            "By default the source's own; 0 with --no-stream.",
        ),
    ):
        command = option(command)
    return command


@click.command("textstream", epilog=EPILOG, context_settings=SETTINGS)
@click.argument("prompt", required=False)
@click.option("--source", help="Where the text comes from; by default what the server prefers.")
@click.option(
    "--unit",
    type=click.Choice(["char", "word", "token"]),
    default="char",
    show_default=True,
    help="What is counted and paced.",
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the source; VALUE may be JSON. Repeatable.",
)
@read_options
@click.version_option(__version__, prog_name="textstream")
def stream(
    *,
    prompt: str | None,
    source: str | None,
    unit: str,
    params: tuple[str, ...],
    rate: float | str | None,
    url: str,
    no_stream: bool,
    as_json: bool,
    stats: bool,
    no_reconnect: bool,
) -> int:
    """Stream text for PROMPT from a textstream server, and print it as it arrives.

    What is piped into standard input joins the prompt after a blank line. Only the text goes to
    standard output. Ctrl-C stops the stream on the server.
    """
    from textstream.cli.show import ReadOptions, opener, run

    _refuse_misplaced_command(prompt)
    start = opener(
        prompt,
        source=source,
        unit=unit,
        rate=0.0 if rate is None and no_stream else rate,
        params=parse_params(params),
    )
    return run(start, ReadOptions(url, not no_reconnect, no_stream, as_json, stats))


@click.command("resume", epilog=exit_codes.HELP, context_settings=SETTINGS)
@click.argument("id")
@click.option(
    "--offset",
    type=click.IntRange(0, 2**53 - 1),
    default=0,
    show_default=True,
    help="The first unit to print, counted from 0.",
)
@read_options
def resume(
    *,
    id: str,  # noqa: A002
    offset: int,
    rate: float | str | None,
    url: str,
    no_stream: bool,
    as_json: bool,
    stats: bool,
    no_reconnect: bool,
) -> int:
    """Read the stream ID, running or ended, from an offset on.

    It may be read by others too: Ctrl-C leaves it running.
    """
    from textstream.cli.show import ReadOptions, run

    pace: Any = 0.0 if rate is None and no_stream else rate
    return run(
        lambda client: client.resume(id, offset, pace),
        ReadOptions(url, not no_reconnect, no_stream, as_json, stats),
    )


@click.command("sources", epilog=exit_codes.HELP, context_settings=SETTINGS)
@url_option
@click.option("--json", "as_json", is_flag=True, help="Print what the server says, as JSON.")
def sources(url: str, as_json: bool) -> int:
    """List the sources of the server; * marks the preferred one."""
    from textstream.client import StreamClient

    with StreamClient(url) as client:
        described = client.sources()
    out = prepare(sys.stdout)
    if as_json:
        out.write(json.dumps(described, ensure_ascii=False, indent=2) + "\n")
    else:
        out.write(_table(described))
    out.flush()
    return exit_codes.COMPLETED


@click.command(
    "serve",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> int:
    """Start a server, as stream_server.py does."""
    import stream_server

    stream_server.main.main(list(arguments), prog_name="textstream serve")
    return exit_codes.COMPLETED


COMMANDS = {"resume": resume, "sources": sources, "serve": serve, "chaos": chaos}


def main() -> None:
    """Run the command line and exit."""
    catch_signals()
    code = _run(sys.argv[1:])
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        silence(sys.stdout)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    # Not a click group: its options would have to stand before the prompt's, or a prompt
    # would have to be the name of a command.
    name = arguments[0] if arguments else ""
    command = COMMANDS.get(name, stream)
    rest = arguments[1:] if name in COMMANDS else arguments
    path = f"textstream {name}" if name in COMMANDS else "textstream"
    try:
        code = command.main(rest, prog_name=path, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return exit_codes.INVALID
    except TextStreamError as error:
        complain(error.message)
        return exit_codes.code_of(error)
    except Interrupted as signal:
        return signal.code
    except BrokenPipeError:
        silence(sys.stdout)
        return exit_codes.COMPLETED
    return code if isinstance(code, int) else exit_codes.COMPLETED


def _refuse_misplaced_command(prompt: str | None) -> None:
    if prompt in COMMANDS and "--" not in sys.argv:
        raise click.UsageError(
            f"Put {prompt} first, before any flag; or write -- before it if it is the prompt."
        )


def _table(described: dict[str, Any]) -> str:
    lines = []
    entries = [source for source in described["sources"] if isinstance(source, dict)]
    width = max((len(str(source.get("name"))) for source in entries), default=0)
    for source in entries:
        name = str(source.get("name"))
        mark = "*" if name == described.get("preferred") else " "
        lines.append(f"{mark} {name:<{width}}  {source.get('description', '')}".rstrip())
        if source.get("available") is False:
            lines.append(f"  {'':<{width}}    not available: {source.get('error', '')}")
        schema = source.get("params")
        keys = schema.get("properties", {}) if isinstance(schema, dict) else {}
        lines.extend(f"  {'':<{width}}    --param {key}=…" for key in keys)
    return "\n".join([*lines, ""])
