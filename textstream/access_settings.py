"""The settings of who may: see `textstream.settings`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

from textstream.access.address import parse_network
from textstream.access.rates import parse_rate
from textstream.access.tokens import check_secret, read_keys, read_keys_file
from textstream.origins import Origin


def split(value: object) -> object:
    """Return the parts of a text with commas; what is no text as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class AccessSettings(BaseSettings):
    """Whose pages and proxies, and what a client has to show."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",), description="Origins of pages that may use this server, comma separated; * is any."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks and addresses of the proxies in front, comma separated, whose "
        "X-Forwarded-For is believed: 10.0.0.0/8,::1. A Unix socket is 127.0.0.1.",
    )
    # Without keys and without a callable, everybody may.
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

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_text(cls, value: object) -> object:
        return split(value)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parts = (origin.strip().rstrip("/") for origin in value)
        named = (part if part == "*" else str(Origin.parse(part)) for part in parts)
        return tuple(dict.fromkeys(named))

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(parse_network(text)) for text in value))

    @field_validator("auth_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_keys(value.get_secret_value())
        return value

    @field_validator("auth_keys_file")
    @classmethod
    def _keys_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None:
            if info.data.get("auth_keys") is not None:
                raise ValueError("give the keys, or a file that has them, not both")
            read_keys_file(value)
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
        return value

    @field_validator("auth_cookie")
    @classmethod
    def _cookie(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value):
            raise ValueError("that is no name of a cookie (RFC 6265, 4.1.1)")
        if not any(info.data.get(name) for name in ("auth_keys", "auth_keys_file", "authorize")):
            raise ValueError("there are no auth-keys, and no authorize, that could check it")
        if "*" in info.data.get("cors_origins", ()):
            raise ValueError(
                "a browser sends a cookie for pages of anybody: name the origins of your own in "
                "--cors-origins (TEXTSTREAM_CORS_ORIGINS) in place of *"
            )
        return value

    @field_validator("wrong_tokens_per_address", "wrong_ids_per_address")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        if value is not None:
            parse_rate(value)
        return value
