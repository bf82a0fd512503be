"""Loads the sources that users write: ``name=module:callable``."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from textstream.errors import SourceUnavailable
from textstream.sources.base import NoParams, Source, SourceRequest
from textstream.sources.loading import check_callable, load_object

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def load_user_source(spec: str) -> Source:
    """Import the source that `spec` names, ``name=module:callable``.

    The callable takes a `SourceRequest` and returns an iterator of ``str``; a generator function
    is one. Its attributes, all optional: ``Params`` (a pydantic model), ``description`` (by
    default the first line of its docstring), ``live`` (True), ``needs_prompt`` (False),
    ``deterministic`` (False: see `Source`). A
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
    found = load_object(partial(_complaint, spec), module_name, attribute)
    if isinstance(found, Source):
        closed = _refusing_unknown_keys(found.params_model)
        return dataclasses.replace(found, name=name, params_model=closed, quick=False)
    check_callable(
        partial(_complaint, spec),
        attribute,
        found,
        SourceRequest(),
        cure="Write a generator",
        takes="the request",
    )
    return _wrap(spec, name, found)


def _complaint(spec: str, problem: str) -> SourceUnavailable:
    return SourceUnavailable(f'TEXTSTREAM_SOURCES, "{spec}": {problem}.')


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
        deterministic=bool(getattr(function, "deterministic", False)),
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
