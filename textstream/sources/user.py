"""Loads the sources that users write: ``name=module:callable``."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from textstream.errors import SourceUnavailable
from textstream.sources.base import NoParams, Source, SourceRequest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def load_user_source(spec: str) -> Source:
    """Import the source that `spec` names, ``name=module:callable``.

    The callable takes a `SourceRequest` and returns an iterator of ``str``; a generator function
    is one. Its attributes, all optional: ``Params`` (a pydantic model), ``description`` (by
    default the first line of its docstring), ``live`` (True), ``needs_prompt`` (False). A
    ready-made `Source` serves as well, and takes the name of `spec`.

    Modules are looked for in the current directory first.

    Raises:
        SourceUnavailable: naming the setting and the cure.

    """
    name, _, target = (part.strip() for part in spec.partition("="))
    module_name, _, attribute = (part.strip() for part in target.partition(":"))
    if not (_NAME.fullmatch(name) and module_name and attribute):
        raise _complaint(
            spec, 'give it as "name=module:callable"; a name has letters, digits, "-", "_", "."'
        )
    found = _find(spec, _import(spec, module_name), attribute)
    if isinstance(found, Source):
        closed = _refusing_unknown_keys(found.params_model)
        return dataclasses.replace(found, name=name, params_model=closed, quick=False)
    return _wrap(spec, name, found)


def _complaint(spec: str, problem: str) -> SourceUnavailable:
    return SourceUnavailable(f'TEXTSTREAM_SOURCES, "{spec}": {problem}.')


def _import(spec: str, module_name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        # For good: the module may import its neighbours later on.
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise _complaint(
                spec,
                f"there is no module {module_name}. Put it into the directory that the server "
                "starts in, or into PYTHONPATH",
            ) from None
        raise _complaint(spec, f"{module_name} needs the missing module {error.name}") from error
    except Exception as error:
        raise _complaint(
            spec, f"importing {module_name} raised {type(error).__name__}: {error}"
        ) from error


def _find(spec: str, module: Any, attribute: str) -> Any:
    found = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise _complaint(
                spec, f"{module.__name__} has no {attribute}. Check the spelling"
            ) from None
    if isinstance(found, Source):
        return found
    if not callable(found):
        raise _complaint(
            spec, f"{attribute} is {type(found).__name__}, not a function. Write a generator"
        )
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        raise _complaint(spec, f'{attribute} is asynchronous. Write "def", not "async def"')
    try:
        inspect.signature(found).bind(SourceRequest())
    except TypeError:
        raise _complaint(spec, f"{attribute} must take one argument, the request") from None
    except ValueError:
        pass  # no signature to be had, as for some callables written in C
    return found


def _wrap(spec: str, name: str, function: Callable[[SourceRequest], Iterator[str]]) -> Source:
    params = getattr(function, "Params", NoParams)
    if not (isinstance(params, type) and issubclass(params, BaseModel)):
        raise _complaint(spec, "its Params must be a pydantic model class")
    return Source(
        name=name,
        generate=function,
        description=getattr(function, "description", None) or _first_line(function),
        params_model=_refusing_unknown_keys(params),
        live=bool(getattr(function, "live", True)),
        needs_prompt=bool(getattr(function, "needs_prompt", False)),
    )


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0].strip()


def _refusing_unknown_keys(params: type[BaseModel]) -> type[BaseModel]:
    if params.model_config.get("extra") == "forbid":
        return params
    closed = type(
        params.__name__,
        (params,),
        {
            "__module__": params.__module__,
            "__doc__": params.__doc__,
            "model_config": ConfigDict(extra="forbid"),
        },
    )
    return cast("type[BaseModel]", closed)
