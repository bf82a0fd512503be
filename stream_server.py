"""The entry point: flags and environment → settings → app → serve → shut down.

``python stream_server.py`` serves with a front of its own. WSGI servers take `textstream.wsgi` with
settings from the environment alone: ``gunicorn -w 1 --threads 16 textstream.wsgi:app``. Most take
``stream_server:app`` too.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, get_args, get_origin

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

import textstream.lean  # noqa: F401 (first: see there)
from textstream import __version__, log_format
from textstream.access.own_token import make_token
from textstream.errors import TextStreamError
from textstream.settings import BadSettings, Settings, read_settings
from textstream.web.app import create_app
from textstream.web.front_server import UNIX, FrontServer
from textstream.web.links import links
from textstream.web.listening import needs_own_token
from textstream.web.metrics_port import MetricsPort, has_port
from textstream.web.process import tune_process
from textstream.web.server import Server
from textstream.web.signals import drain_on_signals

if TYPE_CHECKING:
    from flask import Flask

    app: Flask

logger = logging.getLogger("textstream.server")

EXIT_BAD_SETTING = 2
EXIT_CANNOT_LISTEN = 3


def __getattr__(name: str) -> Any:
    """Take ``app`` from `textstream.wsgi` when a WSGI server asks for it, and not before."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from textstream.wsgi import app as made  # noqa: PLC0415 (importing it makes the app)

    return globals().setdefault("app", made)


def _options(name: str, field: FieldInfo) -> list[click.Option]:
    """Return the flag of one setting; of one that can be on or off, the flag that turns it off too.

    That one has a name of its own. Of one name, click takes a bare ``--lab`` for either.
    """
    if not {"on", "off"} <= set(get_args(field.annotation)):
        return [_option(name, field)]
    flag = "--" + name.replace("_", "-")
    option = _option(name, field, is_flag=False, flag_value="on")
    return [option, click.Option([f"--no-{flag[2:]}"], is_flag=True, help=f"{flag}=off.")]


def _option(name: str, field: FieldInfo, **more: Any) -> click.Option:
    """Return the flag of one setting."""
    flag = "--" + name.replace("_", "-")
    variable = "TEXTSTREAM_" + name.upper()
    shown = field.default
    if isinstance(shown, tuple):
        shown = ",".join(shown)
    parts = [f"[{variable}]"]
    if shown not in (None, "", False):
        parts.append(f"[default: {shown}]")
    help_text = " ".join([field.description or "", *parts])
    if field.annotation is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}"], default=None, help=help_text)
    choices = get_args(field.annotation) if get_origin(field.annotation) is not None else ()
    if choices and all(isinstance(choice, str) for choice in choices):
        return click.Option([flag], type=click.Choice(choices), help=help_text, **more)
    return click.Option([flag], metavar=_metavar(field), help=help_text)


def _metavar(field: FieldInfo) -> str:
    if field.annotation in {int, float}:
        return "NUMBER"
    return "KEY" if SecretStr in get_args(field.annotation) else "TEXT"


def _listen(settings: Settings, flask_app: Flask, parts: Server) -> FrontServer:
    try:
        return FrontServer(settings, flask_app, parts)
    except OSError as error:
        cure = "Choose another with --port (0 picks a free one)."
        if settings.host.startswith(UNIX):
            cure = "Choose another path, or remove what is there if nobody needs it."
        where = _address(settings.host, settings.port)
        click.echo(f"Cannot listen on {where}: {error.strerror}. {cure}", err=True)
        sys.exit(EXIT_CANNOT_LISTEN)


def _serve_figures(settings: Settings, parts: Server) -> None:
    if not has_port(settings.metrics):
        return
    parts.beside = port = MetricsPort(parts, settings.metrics)
    try:
        port.open()
    except OSError as error:
        cure = "Choose another with --metrics."
        click.echo(f"Cannot listen on {settings.metrics}: {error.strerror}. {cure}", err=True)
        sys.exit(EXIT_CANNOT_LISTEN)


def _address(host: str, port: int) -> str:
    """Return where it is, as people write it."""
    if host.startswith(UNIX):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _show_links(host: str, port: int, token: str) -> None:
    """Show them once, to whoever has started the server: not in the log, which others read."""
    first, *others = links(host, port, token)
    click.echo(f"Open  {first}")
    for link in others:
        click.echo(f"or    {link}")
    click.echo(
        "Nobody comes in without this token. It is another at each start: TEXTSTREAM_TOKEN keeps "
        "one, --open asks nobody."
    )


def _serve(settings: Settings) -> None:
    token = make_token() if needs_own_token(settings, settings.host) else None
    if token:
        settings = settings.model_copy(update={"token": SecretStr(token)})
    flask_app = create_app(settings, host=settings.host)
    parts = flask_app.extensions["textstream"]
    tune_process(parts)
    server = _listen(settings, flask_app, parts)
    if parts.node is not None:
        parts.ensure_running()  # others' streams may want a process to go on with them
    _serve_figures(settings, parts)
    scheme = "" if settings.host.startswith(UNIX) else "http://"
    where = _address(settings.host, server.port)
    if token:
        _show_links(settings.host, server.port, token)
    # Requests are served meanwhile: a polling client fetches its stream_end with one. Before
    # anybody is told that it listens: who has read that may end it.
    drain_on_signals(parts, settings.drain, finish=server.shutdown)
    click.echo(f"textstream is listening on {scheme}{where}", err=True)
    server.serve()
    logger.info("stopped")


def _run(*, no_lab: bool, **flags: Any) -> None:
    if no_lab:
        flags["lab"] = "off"
    try:
        settings = read_settings(**flags)
    except BadSettings as error:
        raise click.UsageError(str(error)) from None
    log_format.configure(settings.log_level, settings.log_format)
    try:
        _serve(settings)
    except TextStreamError as error:
        click.echo(f"textstream: {error.message}", err=True)
        sys.exit(EXIT_BAD_SETTING)


main = click.Command(
    "serve",
    callback=_run,
    params=[
        option for name, field in Settings.model_fields.items() for option in _options(name, field)
    ],
    help="Serve text streams over Socket.IO. Every flag is also an environment variable.",
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
click.version_option(__version__, prog_name="textstream")(main)

if __name__ == "__main__":
    main()
