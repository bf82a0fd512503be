r"""Splits text that arrives in deltas into units: characters, words or tokens. No I/O.

A *character* is an extended grapheme cluster (Unicode UAX #29), as the ``regex`` module's
``\X`` finds it. Whether a cluster is complete is only known when the next one begins, so the
last one is held back until then, or until the text ends, or until whoever reads the source sees
that it rests: `release` lets go of what need not wait (`textstream.stream.joining`).

The same text cut into any deltas gives the same characters and words, unless something was
released between them. Joining the units gives back the text exactly, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import regex

from textstream.protocol import UnitName
from textstream.stream.joining import UNSPACED, cluster_waits, word_waits

MAX_CLUSTER = 4096
"""Code points held back for one cluster, at most.

UAX #29 sets no limit; without one, endless combining marks would be buffered, and scanned
again with every delta, for ever. UAX #15 calls 30 of them already unusual.
"""

MAX_WORD = 4096
"""Code points held back for one word, at most: a source may never yield white space."""

# Flags first: the regex module looks back over a whole row of them for each (GB12, GB13), and
# eight thousand took it 0.7 s. Here a cluster begins, so two regional indicators are a flag, with
# whatever extends it.
_CLUSTER = regex.compile(r"\p{RI}{2}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*+|\X")


class Splitter(Protocol):
    """Turns deltas into units."""

    def push(self, delta: str) -> Sequence[str]:
        """Take the next piece of text; return the units that are now complete.

        A string if each of its code points is a unit: nothing is made for each of them then.
        """
        ...

    def release(self) -> list[str]:
        """Say that the text rests; return what is held back and need not wait for more.

        What comes later begins a unit of its own.
        """
        ...

    def finish(self) -> list[str]:
        """Say that the text has ended; return the units that were held back."""
        ...


class CharSplitter:
    """Units are extended grapheme clusters.

    Attributes:
        held: the last cluster, which may not be complete; "" if there is none.

    """

    def __init__(self) -> None:
        self.held = ""

    def push(self, delta: str) -> Sequence[str]:
        """Take the next piece of text; return the clusters that are now complete."""
        text = self.held + delta
        if text and text.isascii() and "\r" not in text:
            # Each ASCII character is a cluster, but for CR LF (GB3): a hundred times faster.
            self.held = text[-1]
            return text[:-1]
        units: list[str] = []
        # In blocks, so that an over-long cluster is scanned again only over a bounded length.
        for start in range(0, len(delta), MAX_CLUSTER):
            units += self._split(self.held + delta[start : start + MAX_CLUSTER])
        return units

    def release(self) -> list[str]:
        """Return the last cluster, unless it is of a kind that goes on."""
        return [] if cluster_waits(self.held) else self.finish()

    def finish(self) -> list[str]:
        """Return the last cluster."""
        held, self.held = self.held, ""
        return [held] if held else []

    def _split(self, text: str) -> list[str]:
        """Return the clusters of `text` but for the last one, which is held back."""
        units: list[str] = _CLUSTER.findall(text)
        if len(text) > MAX_CLUSTER and len(longest := max(units, key=len)) > MAX_CLUSTER:
            # Behind the cut all is read anew, as if it had come in a delta of its own: where a
            # cluster is cut must not depend on how the text arrived.
            first = units.index(longest)
            rest = "".join(units[first:])
            return [*units[:first], rest[:MAX_CLUSTER], *self._split(rest[MAX_CLUSTER:])]
        self.held = units.pop()
        return units


class WordSplitter:
    """Units are words, each with the white space that follows it.

    In a script that is written without spaces each cluster is a word. White space at the very
    start is a unit of its own.
    """

    def __init__(self) -> None:
        self._clusters = CharSplitter()
        self._word = ""
        self._open = False  # whether a cluster that is not white space still joins the word

    def push(self, delta: str) -> list[str]:
        """Take the next piece of text; return the words that are now complete."""
        return self._join(self._clusters.push(delta))

    def release(self) -> list[str]:
        """Return the last word, unless it or its last cluster is of a kind that goes on."""
        held = self._clusters.held
        if not held:
            return []
        words = []
        begins = not held.isspace() and (not self._open or UNSPACED.match(held))
        if self._word and begins:  # the next word: however that goes on
            words.append(self._word)
            self._word = ""
        if cluster_waits(held) or word_waits(self._word + held):
            return words
        return [*words, *self.finish()]

    def finish(self) -> list[str]:
        """Return the last word."""
        words = self._join(self._clusters.finish())
        if self._word:
            words.append(self._word)
        self._word, self._open = "", False
        return words

    def _join(self, clusters: Sequence[str]) -> list[str]:
        words = []
        for cluster in clusters:
            unspaced = UNSPACED.match(cluster) is not None
            begins = not cluster.isspace() and (unspaced or not self._open)
            if self._word and (begins or len(self._word) + len(cluster) > MAX_WORD):
                words.append(self._word)
                self._word = ""
            self._word += cluster
            self._open = not unspaced and not cluster.isspace()
        return words


class TokenSplitter:
    """Units are the source's own deltas."""

    def push(self, delta: str) -> list[str]:
        """Return the delta as a unit, unless it is empty."""
        return [delta] if delta else []

    def release(self) -> list[str]:
        """Return nothing: no delta is held back."""
        return []

    def finish(self) -> list[str]:
        """Return nothing: no delta is held back."""
        return []


class SurrogateJoiner:
    """Makes valid Unicode of what a source yields.

    Some sources decode JSON escapes themselves and cut a surrogate pair in two: a first half at
    the end of a delta waits for its second half. A half that stays alone becomes U+FFFD, as
    the Unicode Standard (section 3.9) recommends, since it can be sent to nobody.
    """

    def __init__(self) -> None:
        self.high = ""  # the first half that waits for its second

    def push(self, delta: str) -> str:
        """Take the next piece of text; return it as valid Unicode."""
        if not self.high and delta.isascii():
            return delta
        text = self.high + delta
        self.high = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self.high = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def finish(self) -> str:
        """Return U+FFFD if the text ended in half a pair, else nothing."""
        alone, self.high = self.high, ""
        return "\ufffd" if alone else ""


SPLITTERS: dict[UnitName, type[Splitter]] = {
    "char": CharSplitter,
    "word": WordSplitter,
    "token": TokenSplitter,
}


def new_splitter(unit: UnitName) -> Splitter:
    """Return a new splitter for `unit`."""
    return SPLITTERS[unit]()


def split_whole(text: str, unit: UnitName) -> Sequence[str]:
    """Return the units of a text that is there as a whole: those that it has in any deltas."""
    if text.isascii():
        if unit == "char" and "\r" not in text:
            return text
    else:
        joiner = SurrogateJoiner()
        text = joiner.push(text) + joiner.finish()
    splitter = new_splitter(unit)
    return [*splitter.push(text), *splitter.finish()]
