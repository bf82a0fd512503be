"""The short way: runs, alone or in groups, served when they are due. See `run` and `group`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from textstream.observe.deliveries import Deliveries
from textstream.reading.group import Group, Groups
from textstream.reading.run import Counting, Run
from textstream.reading.schedule import Wheel

ReaderT = TypeVar("ReaderT", bound=Counting)


class ShortWay(Generic[ReaderT]):
    """All runs of a dispatcher, whose thread alone is here."""

    def __init__(
        self,
        tick: float,
        deliveries: Deliveries,
        *,
        left: Callable[[Iterable[Run[ReaderT]], float], None],
        drop: Callable[[ReaderT, Exception], None],
    ) -> None:
        """Have no runs yet.

        Args:
            tick: seconds; runs are served at multiples of it.
            deliveries: where is counted what is sent.
            left: told which runs are over, or were not taken by their clients, and what time it is.
            drop: called for a reader whose target raises.

        """
        self._wheel: Wheel[Run[ReaderT] | Group[ReaderT]] = Wheel(tick)
        self._groups: Groups[ReaderT] = Groups(self._wheel)
        self._deliveries = deliveries
        self._left = left
        self._drop = drop

    def __len__(self) -> int:
        """Return how many runs there are, about. Any thread."""
        return sum(len(e) if isinstance(e, Group) else 1 for e in self._wheel.items())

    def add(self, run: Run[ReaderT], *, alone: bool) -> None:
        """Serve a run whenever it is due; `alone`: no other may be at its place."""
        if alone:
            self._wheel.put(run, run.due)
        else:
            self._groups.add(run)

    def next_due(self) -> float | None:
        """Return when a run is due next; None: there is none."""
        return self._wheel.next_due()

    def step(self, now: float) -> int:
        """Serve the runs that are due; return how many there were."""
        sends = 0
        for late, _, entries in self._wheel.take(now):
            readers = self._step(entries, now)
            self._deliveries.was_late(late, readers)
            sends += readers
        return sends

    def _step(self, entries: list[Run[ReaderT] | Group[ReaderT]], now: float) -> int:
        """Serve what was due together; return how many readers that are."""
        put, deliveries = self._wheel.put, self._deliveries
        tick, same, runs = deliveries.tick, 0, 0  # runs that were last served so many ticks ago
        readers = units = len(entries)  # a run sends one, mostly, and counts what more it sends
        for entry in entries:
            if entry.__class__ is Group:
                readers += len(entry) - 1
                units -= 1
                self._step_group(entry, now)
                continue
            run: Run[ReaderT] = entry  # type: ignore[assignment]  # no group; isinstance costs more
            try:
                due = run.step(now)
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                units -= 1
                self._groups.forget(run)
                self._drop(run.reader, error)
                continue
            if due is not None:
                # Nearly all of a pace have the same gap: to count each in its place is dearer.
                if (gap := tick - run.wrote) != same:
                    deliveries.gap(same, runs)
                    same, runs = gap, 0
                runs += 1
                run.wrote = tick
                put(run, due)
            else:
                units -= 1
                self._groups.forget(run)
                self._left((run,), now)
        deliveries.gap(same, runs)
        deliveries.units += units
        return readers

    def _step_group(self, group: Group[ReaderT], now: float) -> None:
        due, left = group.step(now, self._drop, self._deliveries)
        if due is not None:
            self._wheel.put(group, due)
        else:
            self._groups.forget(group)
        self._left(left, now)
