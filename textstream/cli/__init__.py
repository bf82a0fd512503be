"""The command line: ``textstream "prompt"``, and ``resume``, ``sources``, ``serve``, ``chaos``.

Nothing that takes long to load is imported before it is needed, and before the signals are
caught.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from textstream import __version__
from textstream.cli import exit_codes
from textstream.cli.advice import about_token
from textstream.cli.chaos import chaos
from textstream.cli.exit_codes import Interrupted, catch_signals
from textstream.cli.input import STDIN, URL_VARIABLE, RateType, parse_params, read_stdin
from textstream.cli.output import complain, complain_of_use, prepare, silence
from textstream.cli.terminal import json_for
from textstream.cli.token import auth_of, token_options
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
  textstream --url https://example.org/stream/ --no-stdin "Hello"
  textstream --source text --rate 100 < poem.txt
  textstream --param temperature=0 --param max_tokens=50 --stats "Hello"
  textstream --json "Hello" | jq -r 'select(.event == "chunk").text'

{exit_codes.HELP}"""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

Command = TypeVar("Command", bound=Callable[..., Any])

url_option = click.option(
    "--url",
    envvar=URL_VARIABLE,
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="The server's address, with the path where a proxy has it.",
)

wait_option = click.option(
    "--wait",
    type=click.FloatRange(0, 86_400),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to try while no server is there yet, as when it restarts; 0: once.",
)


def read_options(command: Command) -> Command:
    """Add the flags that starting and resuming share."""
    for option in (
        click.option(
            "--no-reconnect",
            is_flag=True,
            help="Try once, and give up when the connection is lost.",
        ),
        wait_option,
        click.option(
            "--transport",
            type=click.Choice(["auto", "websocket", "polling"]),
            default="auto",
            show_default=True,
            help="auto: WebSocket, and polling where that does not get through.",
        ),
        click.option("--stats", is_flag=True, help="Say on standard error how fast it was."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object per event."),
        click.option("--no-stream", is_flag=True, help="Print all of the text at the end."),
        token_options,
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
@click.option(
    "--stdin/--no-stdin",
    "stdin",
    default=None,
    help="Wait for standard input, however long it takes; or leave it alone.",
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
    stdin: bool | None,
    **read: Any,
) -> int:
    """Stream text for PROMPT from a textstream server, and print it as it arrives.

    What is piped into standard input joins the prompt after a blank line. As PROMPT, - is standard
    input, from a terminal too. Only the text goes to standard output, as it is; on a terminal,
    control characters are shown as ^[ and not sent. Ctrl-C stops the stream on the server.
    """
    _refuse_misplaced_command(prompt)
    if stdin is False and prompt == STDIN:
        raise click.UsageError("- is standard input, and --no-stdin leaves it alone.")
    options = parse_params(params)
    piped = None if stdin is False else read_stdin(prompt, patient=stdin is True)
    # Not before: a person who waits for it is to be told within a second, and it takes half.
    from textstream.cli.show import ReadOptions, opener, run

    start = opener(
        None if prompt == STDIN else prompt,
        piped,
        source=source,
        unit=unit,
        rate=_pace(rate, **read),
        params=options,
    )
    return run(start, ReadOptions(**read))


@click.command("resume", epilog=exit_codes.HELP, context_settings=SETTINGS)
@click.argument("id")
@click.option(
    "--offset",
    type=click.IntRange(0, 2**53 - 1),
    default=0,
    show_default=True,
    help="The first unit to print, counted from 0.",
)
@click.option("--key", help="The stream's, from its start (--json): with it you own the stream.")
@click.option("--grant", help="From its owner, where the id alone does not open it.")
@read_options
def resume(
    *,
    id: str,  # noqa: A002
    offset: int,
    key: str | None,
    grant: str | None,
    rate: float | str | None,
    **read: Any,
) -> int:
    """Read the stream ID, running or ended, from an offset on.

    ID may be a link to watch it, as the app's Share gives it: that has the server and the grant.
    It may be read by others too: Ctrl-C leaves it running.
    """
    from textstream.cli.link import follow, read_link
    from textstream.cli.show import ReadOptions, run

    stream_id, url, given = read_link(id)
    if url is not None:
        follow(url, read)
    pace: Any = _pace(rate, **read)
    shown = {"key": key, "grant": grant or given}
    return run(
        lambda client: client.resume(stream_id, offset, pace, **shown),
        ReadOptions(**read, grant=shown["grant"]),
    )


@click.command("sources", epilog=exit_codes.HELP, context_settings=SETTINGS)
@url_option
@wait_option
@token_options
@click.option("--json", "as_json", is_flag=True, help="Print what the server says, as JSON.")
def sources(
    *, url: str, wait: float, as_json: bool, token: str | None, token_file: Path | None
) -> int:
    """List the sources of the server; * marks the preferred one."""
    from textstream.cli.listing import table
    from textstream.client import ReconnectPolicy, StreamClient

    policy, auth = ReconnectPolicy(first_give_up_after=wait), auth_of(token, token_file)
    with StreamClient(url, reconnect=policy, auth=auth) as client:
        described = client.sources()
    out = prepare(sys.stdout)
    out.write(f"{json_for(out, described, indent=2)}\n" if as_json else table(described, out))
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
        complain_of_use(error)
        return exit_codes.INVALID
    except TextStreamError as error:
        complain(error.message + about_token(error))
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


def _pace(rate: float | str | None, *, no_stream: bool, **_read: Any) -> float | str | None:
    return 0.0 if rate is None and no_stream else rate
