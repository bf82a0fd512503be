"""What a run has found, and whether that is good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.abuse.records import records_wrong
from reliability.fuzz.attack import TRACEBACK, Tally
from reliability.fuzz.bystanders import Bystander
from reliability.fuzz.target import Footprint

MEGABYTE = 1_000_000

MOST_GROWTH = 40 * MEGABYTE
"""Bytes that an interpreter may keep of what it has freed. A leak of 1 kB for each of 100,000
inputs would be 100 MB."""

MOST_AT_ONCE = 80 * MEGABYTE
"""Bytes that it may use more at any moment: of 16 inputs in flight, the largest of 2 MB."""

COUNTED = ("threads", "descriptors", "streams")
"""What of a footprint must be back where it was."""

SHOWN = 20
"""Failures that are printed."""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What a run has found.

    Attributes:
        command: what repeats it.
        tallies: one for each layer.
        before: what the server used when it was warm.
        after: what it used when all was over.
        peak: the most bytes of memory that it used meanwhile.
        log: what it has logged.
        running: whether it was the same process in the end.
        exit_code: that of its end.
        bystanders: the healthy clients.

    """

    command: str
    tallies: Sequence[Tally]
    before: Footprint
    after: Footprint
    log: str
    running: bool
    exit_code: int
    bystanders: Sequence[Bystander]
    peak: int = 0

    @property
    def failures(self) -> list[str]:
        """Everything that is wrong, one line each."""
        found = [failure for tally in self.tallies for failure in tally.failures]
        if tracebacks := self.log.count(TRACEBACK):
            found.append(
                f"{tracebacks} tracebacks in the server's log, the first:\n{self._first()}"
            )
        if not self.running:
            found.append("the server's process has ended")
        elif self.exit_code:
            found.append(f"the server's exit code is {self.exit_code}")
        for name in COUNTED:
            left = getattr(self.after, name) - getattr(self.before, name)
            if left > 0:
                found.append(f"{left} {name} are left")
        if self.after.memory - self.before.memory > MOST_GROWTH:
            found.append(f"memory grew by {_mb(self.after.memory - self.before.memory)} MB")
        if self.peak - self.before.memory > MOST_AT_ONCE:
            found.append(f"memory was {_mb(self.peak - self.before.memory)} MB more at its peak")
        found += records_wrong(self.log)
        return found + [one.failure for one in self.bystanders if one.failure]

    def __str__(self) -> str:
        """Return it in Markdown."""
        lines = [self.command, "", *_table(_tally_rows(self.tallies)), ""]
        lines += [*_table(_footprint_rows(self.before, self.after)), ""]
        lines += [f"Memory at its peak: {_mb(self.peak)} MB.", ""]
        lines += [*_table(_bystander_rows(self.bystanders)), ""]
        lines.append(
            f"Tracebacks in the server's log: {self.log.count(TRACEBACK)}, of "
            f"{self.log.count(chr(10)):,} lines. Its exit code: {self.exit_code}."
        )
        failures = self.failures
        lines += [f"- ✗ {failure}" for failure in failures[:SHOWN]]
        if len(failures) > SHOWN:
            lines.append(f"- … and {len(failures) - SHOWN} more")
        return "\n".join(lines)

    def _first(self) -> str:
        place = self.log.index(TRACEBACK)
        return self.log[max(0, place - 300) : place + 6000]


def _tally_rows(tallies: Sequence[Tally]) -> list[Row]:
    rows: list[Row] = [("layer", "inputs", "inputs/s", "answers")]
    for tally in tallies:
        answers = ", ".join(f"{name} {count:,}" for name, count in tally.answers.most_common())
        speed = tally.inputs / tally.seconds if tally.seconds else 0.0
        rows.append((str(tally.layer), f"{tally.inputs:,}", f"{speed:.0f}", answers))
    return rows


def _footprint_rows(before: Footprint, after: Footprint) -> list[Row]:
    rows: list[Row] = [
        ("server", "before", "after"),
        ("memory, MB", _mb(before.memory), _mb(after.memory)),
    ]
    return rows + [
        (name, str(getattr(before, name)), str(getattr(after, name))) for name in COUNTED
    ]


def _bystander_rows(bystanders: Sequence[Bystander]) -> list[Row]:
    rows: list[Row] = [("healthy client", "streams", "units", "reconnects", "exact")]
    for one in bystanders:
        verdict = "no" if one.failure else "yes"
        rows.append((one.name, f"{one.streams:,}", f"{one.units:,}", str(one.reconnects), verdict))
    return rows


def _table(rows: Sequence[Row]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return lines


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:.1f}"
