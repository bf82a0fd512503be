"""Workers: each goes from episode to episode until it is told to end."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections.abc import Callable, Sequence

from reliability.soak import bare_episodes, episodes
from reliability.soak.tally import Tally, Wrong
from reliability.soak.visit import Visit
from textstream.errors import TextStreamError

Episode = Callable[[Visit], None]

MIX: tuple[tuple[Episode, int], ...] = (
    (episodes.whole, 24),
    (episodes.several, 6),
    (episodes.stopped, 14),
    (episodes.viewers, 8),
    (episodes.answer, 4),
    (episodes.forgotten, 6),
    (bare_episodes.characters, 16),
    (bare_episodes.same_request, 4),
    (bare_episodes.mistakes, 6),
    (bare_episodes.replaced, 4),
    (bare_episodes.left, 8),
)
"""What happens, and how often among the others."""

EPISODE_SECONDS = 90.0
"""Longer than any episode may take, on a busy machine and over many connections."""


def run_episode(episode: Episode, visit: Visit, name: str) -> None:
    """Run one episode; what goes wrong is noted under `name`."""
    try:
        episode(visit)
    except Wrong as error:
        visit.tally.fail(f"{name}: {error}")
    except TextStreamError as error:
        visit.tally.fail(f"{name}: {error.code}: {error.message}")
    except Exception as error:  # noqa: BLE001 (whatever it is, it belongs into the report)
        at = traceback.extract_tb(error.__traceback__)[-1]
        visit.tally.fail(f"{name}: {type(error).__name__}: {error} ({at.filename}:{at.lineno})")
    visit.tally.count("episodes")


def episodes_there_are(model: bool) -> tuple[Sequence[Episode], Sequence[int]]:
    """Return the episodes and their weights; those of the model only where there is one."""
    mix = [(episode, weight) for episode, weight in MIX if model or episode is not episodes.answer]
    return [episode for episode, _ in mix], [weight for _, weight in mix]


class Workers:
    """So many threads, at work from the making until `keep` or `stop`."""

    def __init__(self, url: str, count: int, seed: int, *, model: bool, tally: Tally) -> None:
        self._tally = tally
        self._over = [threading.Event() for _ in range(count)]
        self._doing: dict[str, str] = {}
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(number, url, seed, model, over),
                name=f"worker {number}",
                daemon=True,  # one that hangs must not keep the process
            )
            for number, over in enumerate(self._over, 1)
        ]
        for thread in self._threads:
            thread.start()

    def keep(self, count: int) -> None:
        """Let all but the first `count` end with the episode that they are in."""
        for over in self._over[count:]:
            over.set()

    def stop(self) -> None:
        """Let each end its episode, and wait for that, but not for ever."""
        self.keep(0)
        deadline = time.monotonic() + EPISODE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self._tally.fail(f"{self._doing[thread.name]}: hangs")

    def _work(self, worker: int, url: str, seed: int, model: bool, over: threading.Event) -> None:
        choose = random.Random(f"{seed}/{worker}")
        visit = Visit(url, choose, self._tally, model)
        kinds, weights = episodes_there_are(model)
        number = 0
        while not over.is_set():
            number += 1
            # An episode's choices are its own: what timing decides in one moves no other.
            visit.choose = random.Random(f"{seed}/{worker}/{number}")
            episode = choose.choices(kinds, weights)[0]
            name = f"{episode.__name__}, worker {worker}, episode {number}"
            self._doing[threading.current_thread().name] = name
            run_episode(episode, visit, name)
