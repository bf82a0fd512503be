"""An encoder made once says what the standard library's says."""

from __future__ import annotations

import json
from json import encoder
from typing import Any

import pytest

from textstream.json_encoder import new_encoder

VALUES: list[Any] = [
    {"id": "a", "offset": 0, "rate": 50, "nested": {"list": [1, 2.5, None, True], "empty": {}}},
    [],
    'é \u2028 \U0001f600 \x7f \n " \\ \ud83d',
    {1: "a number as a key", None: 1, False: 2},
    1e300,
    float("inf"),
    (1, (2, 3)),
]


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("in_c", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_it_is_the_standard_librarys(
    monkeypatch: pytest.MonkeyPatch, value: Any, *, in_c: bool, ensure_ascii: bool
) -> None:
    if not in_c:
        monkeypatch.setattr(encoder, "c_make_encoder", None)
    encode = new_encoder(ensure_ascii=ensure_ascii)
    told = json.dumps(value, ensure_ascii=ensure_ascii, separators=(",", ":"))
    assert encode(value) == told
    assert encode(value) == told  # it keeps nothing of the first time


@pytest.mark.parametrize(
    "value", [object(), {"key": {1, 2}}, {(1, 2): 3}], ids=["object", "set", "key"]
)
def test_what_it_cannot_encode(value: Any) -> None:
    with pytest.raises(TypeError):
        new_encoder(ensure_ascii=True)(value)


def test_a_value_that_holds_itself() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RecursionError):
        new_encoder(ensure_ascii=True)(value)
