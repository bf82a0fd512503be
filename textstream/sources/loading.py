"""Loads what operators have written: ``module:callable``, as settings name it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Complain = Callable[[str], Exception]
"""Makes an exception of what is wrong: names the setting too."""


def load_object(complain: Complain, module_name: str, attribute: str) -> Any:
    """Import a module, and return what `attribute`, a dotted name, is in it.

    Modules are looked for in the current directory first.

    Raises:
        Exception: that of `complain`, naming the cure.

    """
    found = _import(complain, module_name)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise complain(f"{module_name} has no {attribute}. Check the spelling") from None
    return found


def check_callable(
    complain: Complain, attribute: str, found: Any, argument: object, *, cure: str, takes: str
) -> None:
    """Refuse what cannot be called with `argument`, or not without an event loop.

    Args:
        complain: makes the exception that is raised.
        attribute: what it is called.
        found: it.
        argument: what it will be called with.
        cure: what to write in its place.
        takes: what that argument is, in words.

    Raises:
        Exception: that of `complain`.

    """
    if not callable(found):
        raise complain(f"{attribute} is {type(found).__name__}, not a function. {cure}")
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        raise complain(f'{attribute} is asynchronous. Write "def", not "async def"')
    try:
        inspect.signature(found).bind(argument)
    except TypeError:
        raise complain(f"{attribute} must take one argument, {takes}") from None
    except ValueError:
        pass  # no signature to be had, as for some callables written in C


def _import(complain: Complain, module_name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        # For good: the module may import its neighbours later on.
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise complain(
                f"there is no module {module_name}. Put it into the directory that the server "
                "starts in, or into PYTHONPATH",
            ) from None
        raise complain(f"{module_name} needs the missing module {error.name}") from error
    except Exception as error:
        raise complain(f"importing {module_name} raised {type(error).__name__}: {error}") from error
