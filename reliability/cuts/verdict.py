"""Compares what was assembled with the truth. Pure."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile


@dataclass(frozen=True)
class Reading:
    """What a client says of a stream.

    Attributes:
        id: of the stream; empty: it never learnt one.
        units: what it assembled.
        sha256: what ``stream_end`` says of the whole text; empty: none came.
        reason: why the stream ended, as ``stream_end`` has it; empty: none came.
        error: why the reading failed; empty: it did not.

    """

    id: str = ""
    units: Sequence[str] = ()
    sha256: str = ""
    reason: str = ""
    error: str = ""


@dataclass(frozen=True)
class Logged:
    """What the server's log says of a stream: its units and the hash of its text.

    Attributes:
        times: how many streams with this text have ended. More than one: a start was done twice.

    """

    units: int
    sha256: str
    times: int


@dataclass(frozen=True)
class Difference:
    """How a text differs from the truth, in units; `first` is the offset where it begins to."""

    first: int
    lost: int
    doubled: int


@dataclass(frozen=True)
class Verdict:
    """What came of one stream.

    Attributes:
        characters: of the truth.
        lost: units of the truth that did not arrive.
        doubled: units that arrived and are not in the truth, or not so often.
        as_end: whether the hash of what arrived is that in ``stream_end``.
        as_log: whether it is that in the server's log.
        as_truth: whether it is that of the truth.
        problems: a line for each thing that is wrong.

    """

    characters: int
    lost: int
    doubled: int
    as_end: bool
    as_log: bool
    as_truth: bool
    problems: tuple[str, ...]


def difference(truth: Sequence[str], got: Sequence[str]) -> Difference | None:
    """Return how `got` differs from `truth`; None: not at all."""
    if list(truth) == list(got):
        return None
    same = list(takewhile(lambda pair: pair[0] == pair[1], zip(truth, got, strict=False)))
    first = len(same)
    # What is the same in front is left out: the comparison takes quadratic time.
    matcher = difflib.SequenceMatcher(None, truth[first:], got[first:], autojunk=False)
    changes = [code[1:] for code in matcher.get_opcodes() if code[0] != "equal"]
    lost = sum(end - begin for begin, end, _, _ in changes)
    return Difference(first, lost, sum(end - begin for _, _, begin, end in changes))


def judge(truth: Sequence[str], reading: Reading, logged: Logged | None) -> Verdict:
    """Return what is to be said of a reading; `logged` is None when the server logged no end."""
    digest = _sha256(reading.units)
    differs = difference(truth, reading.units)
    problems = []
    if reading.error:
        problems.append(reading.error)
    if differs:
        problems.append(
            f"from offset {differs.first} on: {differs.lost} lost, {differs.doubled} doubled; "
            f"due {_around(truth, differs.first)}, got {_around(reading.units, differs.first)}"
        )
    if reading.reason not in {"completed", "length"}:
        problems.append(f"ended with {reading.reason or 'no stream_end'}")
    if reading.sha256 != digest:
        problems.append(f"stream_end has the hash {reading.sha256 or '(none)'}, not {digest}")
    problems += _against_log(logged, digest, len(truth))
    return Verdict(
        characters=len(truth),
        lost=differs.lost if differs else 0,
        doubled=differs.doubled if differs else 0,
        as_end=reading.sha256 == digest,
        as_log=logged is not None and logged.sha256 == digest,
        as_truth=_sha256(truth) == digest,
        problems=tuple(problems),
    )


def _against_log(logged: Logged | None, digest: str, units: int) -> list[str]:
    if logged is None:
        return ["the server has logged no end of this stream"]
    problems = []
    if logged.sha256 != digest:
        problems.append(f"the server has logged the hash {logged.sha256}, not {digest}")
    if logged.units != units:
        problems.append(f"the server has logged {logged.units} units, not {units}")
    if logged.times != 1:
        problems.append(f"it was started {logged.times} times")
    return problems


def _sha256(units: Sequence[str]) -> str:
    return hashlib.sha256("".join(units).encode()).hexdigest()


def _around(units: Sequence[str], offset: int) -> str:
    return ascii("".join(units[offset : offset + 4]))
