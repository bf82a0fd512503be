"""From a seed, a layer and a number to an input: always the same."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from reliability.fuzz import (
    engineio_rules,
    excess_rules,
    http_rules,
    socketio_rules,
    websocket_rules,
)
from reliability.fuzz.inputs import Input, Layer, Rule

RULES: dict[Layer, Sequence[Rule]] = {
    Layer.HTTP: (*http_rules.RULES, *excess_rules.HTTP),
    Layer.WEBSOCKET: (*websocket_rules.RULES, *excess_rules.WEBSOCKET),
    Layer.ENGINEIO: (*engineio_rules.RULES, *excess_rules.ENGINEIO),
    Layer.SOCKETIO: (*socketio_rules.RULES, *excess_rules.SOCKETIO),
}


def make(seed: int, layer: Layer, number: int) -> Input:
    """Return the input. It depends on no other, so that each can be made again alone."""
    chance = Random(f"{seed} {layer} {number}")
    rule = chance.choice(RULES[layer])
    made = rule(chance)
    return Input(layer, number, rule.__name__, made.start, made.writes, made.end)
