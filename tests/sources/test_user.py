"""Sources that users write, as ``TEXTSTREAM_SOURCES`` names them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.waiting import texts
from textstream.errors import InvalidRequest, SourceUnavailable
from textstream.sources import SourceRegistry
from textstream.sources.base import SourceRequest
from textstream.sources.user import load_user_source

MODULE = '''
from pydantic import BaseModel
from textstream.sources.base import Source

def shout(request):
    """Shouts the prompt.

    More words.
    """
    for word in (request.prompt or "").split():
        yield word.upper() + " "

class Params(BaseModel):
    times: int = 1

def echo(request):
    for _ in range(request.params.times):
        yield request.prompt
    return "length"

echo.Params = Params
echo.description = "Says it again."
echo.live = False
echo.needs_prompt = True

READY = Source("other", shout, "Ready-made.", Params)
number = 5
async def later(request):
    yield "x"
def two(one, other):
    yield "x"
def odd(request):
    yield "x"
odd.Params = dict
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Write the module into the current directory; return its name."""
    name = "a_users_module"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / "a_broken_module.py").write_text("1 / 0")
    (tmp_path / "a_needy_module.py").write_text("import no_such_module_at_all")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    for loaded in (name, "a_broken_module", "a_needy_module"):
        sys.modules.pop(loaded, None)


def test_a_generator_function_is_a_source(module: str) -> None:
    source = load_user_source(f"loud={module}:shout")
    assert (source.name, source.description) == ("loud", "Shouts the prompt.")
    assert (source.live, source.needs_prompt) == (True, False)
    assert "".join(texts(source.generate(SourceRequest("good morning")))) == "GOOD MORNING "


def test_its_attributes_say_more(module: str) -> None:
    source = load_user_source(f" again = {module} : echo ")
    assert (source.name, source.description) == ("again", "Says it again.")
    assert (source.live, source.needs_prompt) == (False, True)
    registry = SourceRegistry([source], preferred="again")
    params = registry.parse_params(source, {"times": 2})
    assert list(source.generate(SourceRequest("hi", params))) == ["hi", "hi"]
    with pytest.raises(InvalidRequest, match="unknown key"):
        registry.parse_params(source, {"tims": 2})
    assert registry.describe()["sources"][0]["params"]["additionalProperties"] is False


def test_a_ready_made_source_takes_the_name_of_the_setting(module: str) -> None:
    source = load_user_source(f"mine={module}:READY")
    assert (source.name, source.description) == ("mine", "Ready-made.")
    assert source.params_model.model_config["extra"] == "forbid"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("x=no_such_module_at_all:f", "no module no_such_module_at_all"),
        ("x=no_such_module_at_all.inner:f", "no module no_such_module_at_all.inner"),
        ("x=a_needy_module:f", "needs the missing module no_such_module_at_all"),
        ("x=a_broken_module:f", "ZeroDivisionError"),
        ("x=a_users_module:nothing", "has no nothing"),
        ("x=a_users_module:number", "is int, not a function"),
        ("x=a_users_module:later", "asynchronous"),
        ("x=a_users_module:two", "one argument"),
        ("x=a_users_module:odd", "pydantic"),
        ("x=a_users_module", "module:callable"),
        ("bad name=a_users_module:shout", "module:callable"),
        ("x=.relative:f", "relative"),
    ],
)
@pytest.mark.usefixtures("module")
def test_what_is_wrong_is_said_with_the_setting(spec: str, says: str) -> None:
    with pytest.raises(SourceUnavailable, match=says) as caught:
        load_user_source(spec)
    assert "TEXTSTREAM_SOURCES" in caught.value.message
    assert spec in caught.value.message
