"""What a terminal is shown: characters that would command it are made visible. No I/O.

A text may come from a model, or from another server: an escape sequence in it could write to the
clipboard, rename the window or overwrite what stands above. What is no terminal, a pipe or a file,
gets the text exactly.
"""

from __future__ import annotations

import json
import re
from typing import Any, TextIO

# C0 and DEL, and C1 (ECMA-48, 5 and 5.3): an escape sequence begins with ESC or a C1. Behind \r
# the line is written over, unless it ends there. Embeddings, overrides and isolates of the
# bidirectional algorithm (UAX #9, 2.1 to 2.4) show text in another order than it has; its marks
# (U+061C, U+200E, U+200F) do not, and scripts need them. A lone surrogate is a byte of an
# argument that could not be decoded (PEP 383).
_COMMANDS = re.compile(
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_BREAKS = re.compile(r"[\t\r\n]")


def visible(text: str) -> str:
    r"""Return `text` with ``^[`` for ESC, ``^M`` for \\r, ``<U+202E>`` for what is not ASCII.

    Line ends and tabs are kept.
    """
    return _COMMANDS.sub(_shown, text)


def visible_in_line(text: str) -> str:
    """Return what `visible` does, with line ends and tabs shown as well."""
    return visible(_BREAKS.sub(_shown, text))


def shown_on(out: TextIO, text: str) -> str:
    """Return `text` as `out` is to get it: visible on a terminal, exact elsewhere."""
    return visible(text) if out.isatty() else text


def json_for(out: TextIO, value: Any, indent: int | None = None) -> str:
    r"""Return `value` as JSON for `out`; for a terminal, what would command it is ``\u009b``."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if not out.isatty():
        return text
    # JSON itself has escaped what is below U+0020; the rest can only be within strings.
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    # As cat -v and less have them.
    return f"^{chr(code ^ 0x40)}" if code < 0x80 else f"<U+{code:04X}>"  # noqa: PLR2004
