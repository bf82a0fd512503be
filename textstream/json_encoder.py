"""JSON for the wire, by an encoder that is made once.

`json.dumps` with separators makes an encoder for each call, and `json.JSONEncoder.encode` the part
of it that is in C: as much work as encoding an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any


def new_encoder(*, ensure_ascii: bool) -> Callable[[Any], str]:
    """Return what encodes a value without white space, as `json.JSONEncoder.encode` does.

    The same errors are raised, but for a value that holds itself: `RecursionError` in place of
    `ValueError`.
    """
    plain = json.JSONEncoder(ensure_ascii=ensure_ascii, separators=(",", ":"))
    make = getattr(encoder, "c_make_encoder", None)  # None: this Python has no part in C
    if make is None:
        return plain.encode
    text = encoder.encode_basestring_ascii if ensure_ascii else encoder.encode_basestring
    in_c = make(None, plain.default, text, None, ":", ",", False, False, True)
    return lambda value: "".join(in_c(value, 0))
