"""Settings: from the environment, from flags, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

import stream_server
from textstream.errors import SourceUnavailable
from textstream.settings import BadSettings, Settings, read_settings
from textstream.web.app import create_app


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TEXTSTREAM_")]:
        monkeypatch.delenv(name)


def test_the_defaults_that_others_rely_on() -> None:
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 5002)
    assert settings.cors_origins == ("auto",)
    assert settings.source == "text"
    assert (settings.max_streams, settings.max_streams_per_client) == (10_000, 16)
    assert (settings.max_text, settings.max_prompt) == (500_000, 32_768)
    assert (settings.max_rate, settings.max_message_bytes) == (100_000, 2 * 2**20)
    assert settings.lookahead == 65_536
    assert (settings.openai_slots, settings.openai_max_tokens) == (16, None)
    assert settings.openai_params == ("*",)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTSTREAM_PORT", "8080")
    monkeypatch.setenv("TEXTSTREAM_MAX_TEXT", "12")
    monkeypatch.setenv("TEXTSTREAM_PRELOAD", "yes")
    monkeypatch.setenv("TEXTSTREAM_HOST", "")
    monkeypatch.setenv("TEXTSTREAM_SOMETHING_ELSE", "1")
    settings = Settings()
    assert (settings.port, settings.max_text, settings.preload) == (8080, 12, True)
    assert settings.host == "127.0.0.1", "an empty variable is no setting"


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTSTREAM_PORT", "8080")
    assert Settings(port=9090).port == 9090


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTSTREAM_CORS_ORIGINS", " https://a.example/ ,http://b.example:8080,")
    monkeypatch.setenv("TEXTSTREAM_SOURCES", "shout=my_module:shout, echo=pkg.mod:Echo.run")
    monkeypatch.setenv("TEXTSTREAM_OPENAI_PARAMS", "seed, max_tokens,")
    settings = Settings()
    assert settings.openai_params == ("seed", "max_tokens")
    assert settings.cors_origins == ("https://a.example", "http://b.example:8080")
    assert settings.sources == ("shout=my_module:shout", "echo=pkg.mod:Echo.run")


def test_origins_are_kept_in_one_spelling() -> None:
    named = " HTTPS://Partner.Example.org:443/ ,https://partner.example.org,http://bücher.example,*"
    assert Settings(cors_origins=named).cors_origins == (
        "https://partner.example.org",
        "http://xn--bcher-kva.example",
        "*",
    )
    assert Settings(cors_origins=["http://[::1]:80/"]).cors_origins == ("http://[::1]",)


def test_proxies_are_kept_as_networks() -> None:
    named = " 127.0.0.0/8, ::1 ,10.0.0.5,FD00:0::/8,10.0.0.5/32,::ffff:10.1.0.0/112,fe80::1%eth0,"
    assert Settings(trusted_proxies=named).trusted_proxies == (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.5/32",
        "fd00::/8",
        "10.1.0.0/16",
        "fe80::1/128",
    )
    assert Settings().trusted_proxies == ()


@pytest.mark.parametrize(
    ("given", "prefix"),
    [("", ""), ("/", ""), ("/stream/", "/stream"), (" /a/b-1.~_ ", "/a/b-1.~_")],
)
def test_a_prefix_has_no_slash_at_its_end(given: str, prefix: str) -> None:
    assert Settings(prefix=given).prefix == prefix


@pytest.mark.parametrize(
    "prefix", ["stream", "//a", "/a//b", "/a/../b", "/.", "/a b", "/a?b", "/流"]
)
def test_what_is_no_prefix(prefix: str) -> None:
    with pytest.raises(ValidationError, match='"/stream"'):
        Settings(prefix=prefix)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("port", "70000", "less than or equal to 65535"),
        ("port", "http", "valid integer"),
        ("cors_origins", "example.org", "https://example.org"),
        ("cors_origins", "https://example.org/app", "no path"),
        ("cors_origins", "*,https://*.example.org", "wildcard"),
        ("cors_origins", "null", "sandboxed"),
        ("trusted_proxies", "localhost", 'not "localhost"'),
        ("trusted_proxies", "10.0.0.0/8,*", '"10.0.0.0/8" or "::1", not "*"'),
        ("trusted_proxies", "10.0.0.5/8", 'name the network, "10.0.0.0/8"'),
        ("trusted_proxies", "10.0.0.0/33", 'not "10.0.0.0/33"'),
        ("sources", "shout", "name=module:callable"),
        ("sources", "shout=module", "name=module:callable"),
        ("sources", "=module:f", "name=module:callable"),
        ("max_rate", "0", "greater than 0"),
        ("grace", "-1", "greater than or equal to 0"),
        ("lab", "open", "'auto', 'on', 'off' or 'public'"),
        ("log_format", "xml", "'text' or 'json'"),
        ("max_message_bytes", "10", "1024"),
    ],
)
def test_a_bad_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv("TEXTSTREAM_" + name.upper(), value)
    with pytest.raises(ValidationError) as raised:
        Settings()
    (problem,) = raised.value.errors()
    assert problem["loc"] == (name,)
    assert words in problem["msg"]


def test_settings_do_not_change() -> None:
    settings: Any = Settings()
    with pytest.raises(ValidationError):
        settings.port = 1


def test_the_key_is_not_shown() -> None:
    assert "s3cret" not in repr(Settings(openai_api_key="s3cret"))


def test_every_setting_has_a_description() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("auto", "auto"), ("on", "on"), ("off", "off"), ("public", "public"), ("", "auto"),
        ("true", "on"), ("True", "on"), ("1", "on"), ("yes", "on"), ("ON", "on"),
        ("false", "off"), ("False", "off"), ("0", "off"), ("no", "off"),
    ],
)  # fmt: skip
def test_the_lab_is_set_by_a_word(monkeypatch: pytest.MonkeyPatch, value: str, meant: str) -> None:
    monkeypatch.setenv("TEXTSTREAM_LAB", value)
    assert Settings().lab == meant


def test_the_lab_of_a_program_may_be_a_bool() -> None:
    assert (Settings(lab=True).lab, Settings(lab=False).lab) == ("on", "off")


@pytest.mark.parametrize(
    ("flags", "meant"),
    [
        ([], None),
        (["--lab"], "on"),
        (["--lab=public"], "public"),
        (["--lab", "public"], "public"),
        (["--lab=off"], "off"),
        (["--no-lab"], "off"),
        (["--lab", "--port", "0"], "on"),
        (["--lab=on", "--no-lab"], "off"),
    ],
)
def test_the_flags_of_the_lab(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], meant: str | None
) -> None:
    read: list[Any] = []

    def refuse(**given: Any) -> Settings:
        read.append(given["lab"])
        raise BadSettings("read")

    monkeypatch.setattr(stream_server, "read_settings", refuse)
    CliRunner().invoke(stream_server.main, flags)
    assert read == [meant]


SECRET = "a secret of more than thirty-two bytes"


def test_who_may_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEXTSTREAM_AUTH_KEYS", SECRET)
    monkeypatch.setenv("TEXTSTREAM_AUTH_COOKIE", "session")
    monkeypatch.setenv("TEXTSTREAM_CORS_ORIGINS", "https://a.example")
    settings = Settings()
    assert SECRET not in repr(settings)
    assert (settings.audience, settings.auth_cookie) == ("textstream", "session")
    monkeypatch.delenv("TEXTSTREAM_AUTH_KEYS")
    path = tmp_path / "keys"
    path.write_text(SECRET)
    monkeypatch.setenv("TEXTSTREAM_AUTH_KEYS_FILE", str(path))
    assert Settings().auth_keys_file == path


@pytest.mark.parametrize(
    ("flags", "name", "cure"),
    [
        ({"auth_keys": "short"}, "auth-keys", "too short"),
        ({"auth_keys": '{"keys": []}'}, "auth-keys", "no keys"),
        ({"auth_keys_file": "no/such/file"}, "auth-keys-file", "cannot be read"),
        ({"auth_keys_file": "."}, "auth-keys-file", "cannot be read"),
        ({"auth_keys": SECRET, "auth_keys_file": "x"}, "auth-keys-file", "not both"),
        ({"authorize": "module"}, "authorize", "module:callable"),
        ({"authorize": ":f"}, "authorize", "module:callable"),
        ({"auth_keys": SECRET, "authorize": "a:b"}, "authorize", "not both"),
        ({"auth_keys": SECRET, "auth_cookie": "session"}, "auth-cookie", "in place of \\*"),
        ({"auth_keys": SECRET, "auth_cookie": "a b"}, "auth-cookie", "name of a cookie"),
        ({"cors_origins": "https://a.example", "auth_cookie": "s"}, "auth-cookie", "no auth-keys"),
        ({"audience": ""}, "audience", "at least 1"),
        ({"wrong_tokens_per_address": "often"}, "wrong-tokens-per-address", "10/minute|60/minute"),
    ],
)
def test_what_cannot_be_checked_is_refused(flags: dict[str, str], name: str, cure: str) -> None:
    with pytest.raises(BadSettings, match=cure) as refused:
        read_settings(**flags)
    assert f"--{name} (TEXTSTREAM_" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert 'short"' not in str(refused.value)


@pytest.mark.parametrize(
    ("target", "cure"),
    [
        ("no_such_module_here:f", "there is no module no_such_module_here"),
        ("os:no_such_function", "has no no_such_function"),
        ("os:name", "not a function"),
        ("asyncio:sleep", "asynchronous"),
        ("os:getcwd", "one argument"),
    ],
)
def test_a_callable_that_is_none_is_told_at_start(target: str, cure: str) -> None:
    with pytest.raises(SourceUnavailable, match=cure) as refused:
        create_app(Settings(authorize=target))
    assert "TEXTSTREAM_AUTHORIZE" in refused.value.message
