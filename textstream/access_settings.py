"""The settings of who may: see `textstream.settings`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

from textstream.access.address import parse_network
from textstream.access.nearby import ANY
from textstream.access.own_token import check_token
from textstream.access.rates import parse_rate
from textstream.access.tokens import check_secret, read_keys, read_keys_file
from textstream.origins import AUTO, Origin, host_and_port


def split(value: object) -> object:
    """Return the parts of a text with commas; what is no text as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


_CHECKED_BY = ("token", "auth_keys", "auth_keys_file", "authorize")
"""Of these each tells who somebody is."""


class AccessSettings(BaseSettings):
    """Whose pages and proxies, and what a client has to show."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (AUTO,),
        description="Origins of pages that may use this server, comma separated; * is any. auto is "
        "any too, but for browsers on this machine, where no token is needed: their pages have to "
        "be of this machine.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks and addresses of the proxies in front, comma separated, whose "
        "X-Forwarded-For is believed: 10.0.0.0/8,::1. A Unix socket is 127.0.0.1.",
    )
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names that this server is asked for by, comma separated, beside localhost and "
        "the addresses of loopback; * is any.",
    )
    open: bool = Field(
        False, description="Ask nobody for a token, wherever they come from. It is said at start."
    )
    # Without any of these, who comes from elsewhere is asked for a token that is made at start.
    token: SecretStr | None = Field(
        None,
        description="One token that everybody has to show, in place of keys: 16 characters or "
        "more. Without it, where others than this machine can connect, one is made at start.",
    )
    auth_keys: SecretStr | None = Field(
        None,
        description="What tokens are signed with: a set of keys (JWKS), a public key in PEM, or a "
        "secret of 32 bytes or more. With it nobody comes in without one.",
    )
    auth_keys_file: Path | None = Field(None, description="A file that has that.")
    audience: str = Field(
        "textstream", min_length=1, description="What a token must be made for: its aud."
    )
    authorize: str | None = Field(
        None,
        description="Your own callable in place of keys, module:callable: it is given what a "
        "client shows, and says who that is.",
    )
    auth_cookie: str | None = Field(
        None,
        description="Name of a cookie that may hold the token, too. Only with cors-origins that "
        "are named.",
    )
    grant_secret: SecretStr | None = Field(
        None,
        description="What links to shared streams are signed with, 32 bytes or more; by default "
        "one that is made up at start.",
    )
    wrong_tokens_per_address: str | None = Field(
        None,
        description='How many wrong tokens an address may show, as "10/minute"; 0 is no limit. By '
        "default that, and on loopback 600/minute.",
    )

    wrong_ids_per_address: str = Field(
        "600/minute",
        description="How many ids of no stream an address may ask for, in the same form.",
    )

    # Quotas of a user, on whatever connections; a token's own claim comes before them. What is not
    # set is generous on loopback.
    connections_per_principal: int | None = Field(
        None,
        ge=0,
        description="Connections of one user; 0 is no limit. By default 16, and on loopback half "
        "of all.",
    )
    starts_per_principal: str | None = Field(
        None,
        description='How often a user may start a stream, as "60/minute; 1000/day"; 0 is no limit. '
        "By default that, and on loopback no limit.",
    )
    streams_per_principal: int | None = Field(
        None,
        ge=0,
        description="Streams of one user that run at a time, those in their time of grace "
        "included; 0 is no limit. By default 32, and on loopback half of all.",
    )
    source_running_per_principal: int | None = Field(
        None,
        ge=0,
        description="Answers of llm, and of openai, for one user at a time; 0: any number. By "
        "default 2; on loopback all slots but one, and at least one.",
    )
    source_waiting_per_principal: int | None = Field(
        None,
        ge=0,
        description="Starts of one user that wait for such a source; 0: any number. By default 4; "
        "on loopback 64.",
    )
    bytes_per_principal: int | None = Field(
        None,
        ge=0,
        description="Bytes kept for one user; its own oldest texts are forgotten first. 0 is no "
        "limit. By default an eighth of max-total-bytes, and on loopback half.",
    )

    @property
    def knows_somebody(self) -> bool:
        """Whether there is something by which to tell who somebody is: then everybody is asked."""
        return any(getattr(self, name) for name in _CHECKED_BY)

    @field_validator("cors_origins", "trusted_proxies", "hosts", mode="before")
    @classmethod
    def _split_text(cls, value: object) -> object:
        return split(value)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parts = (origin.strip().rstrip("/") for origin in value)
        named = (part if part in {ANY, AUTO} else str(Origin.parse(part)) for part in parts)
        return tuple(dict.fromkeys(named))

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(parse_network(text)) for text in value))

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text if text == ANY else _name(text) for text in value))

    @field_validator("token")
    @classmethod
    def _token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            check_token(value.get_secret_value())
            _refuse_beside(info, "open", "a token")
        return value

    @field_validator("auth_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            read_keys(value.get_secret_value())
            _refuse_beside(info, "open", "keys")
            _refuse_beside(info, "token", "keys")
        return value

    @field_validator("auth_keys_file")
    @classmethod
    def _keys_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None:
            if info.data.get("auth_keys") is not None:
                raise ValueError("give the keys, or a file that has them, not both")
            read_keys_file(value)
            _refuse_beside(info, "open", "keys")
            _refuse_beside(info, "token", "keys")
        return value

    @field_validator("grant_secret")
    @classmethod
    def _grants(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_secret(value.get_secret_value().encode())
        return value

    @field_validator("authorize")
    @classmethod
    def _callable(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            module, _, name = value.partition(":")
            if not (module.strip() and name.strip()):
                raise ValueError(f'it is given as "module:callable", not "{value}"')
            if info.data.get("auth_keys") or info.data.get("auth_keys_file"):
                raise ValueError("give keys, or a callable, not both: it can check tokens itself")
            _refuse_beside(info, "open", "a callable")
            _refuse_beside(info, "token", "a callable")
        return value

    @field_validator("auth_cookie")
    @classmethod
    def _cookie(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value):
            raise ValueError("that is no name of a cookie (RFC 6265, 4.1.1)")
        if not any(info.data.get(name) for name in _CHECKED_BY):
            raise ValueError("there are no auth-keys, and no authorize, that could check it")
        if {ANY, AUTO} & set(info.data.get("cors_origins", ())):
            raise ValueError(
                "a browser sends a cookie for pages of anybody: name the origins of your own in "
                "--cors-origins (TEXTSTREAM_CORS_ORIGINS) in place of * and auto"
            )
        return value

    @field_validator("wrong_tokens_per_address", "wrong_ids_per_address", "starts_per_principal")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        if value is not None:
            parse_rate(value)
        return value


def _name(text: str) -> str:
    """Return a host in its one spelling.

    Raises:
        ValueError: it is none, or has more than that.

    """
    try:
        name, port = host_and_port(text)
    except ValueError as error:
        raise ValueError(f"{error}: name hosts only, without a scheme and a path") from None
    if port is not None:
        raise ValueError(f'name the host without its port: "{name}", not "{text}"')
    return name


def _refuse_beside(info: ValidationInfo, other: str, what: str) -> None:
    """Refuse a setting that says the opposite of another.

    Raises:
        ValueError: the other is there.

    """
    if info.data.get(other):
        raise ValueError(
            f"give {what}, or --{other} (TEXTSTREAM_{other.upper()}), not both: they ask different "
            "things of who connects"
        )
