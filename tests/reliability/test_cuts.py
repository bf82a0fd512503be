"""What the thousand cuts are judged by."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import pytest
import regex

from reliability.cuts import python_client, recipe
from reliability.cuts.case import Case, TransportName, Trial, trial
from reliability.cuts.run import READ, Tally, run
from reliability.cuts.table import table
from reliability.cuts.verdict import Difference, Logged, Reading, difference, judge
from tests.support.running_server import RunningServer
from tests.support.scripts import SCRIPTS, clusters
from tests.support.timing import patient

SEED = 4
LIMIT = patient(90.0)

UNITS = ["क्ष", "👨‍👩‍👧‍👦", "\u1112\u1161\u11ab", "ع", "字"]


def sha256(units: list[str]) -> str:
    return hashlib.sha256("".join(units).encode()).hexdigest()


def reading(units: list[str], sent: list[str] = UNITS) -> Reading:
    return Reading(id="s", units=units, sha256=sha256(sent), reason="completed")


def test_the_recipe_has_about_ten_lines() -> None:
    assert len(recipe.printed().splitlines()) <= 13


def test_the_same_text_is_nothing_to_complain_of() -> None:
    assert difference(UNITS, UNITS) is None
    verdict = judge(UNITS, reading(UNITS), Logged(5, sha256(UNITS), 1))
    assert verdict.problems == ()
    assert verdict.as_end
    assert verdict.as_log
    assert verdict.as_truth


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (UNITS[:2] + UNITS[3:], Difference(first=2, lost=1, doubled=0)),
        (UNITS[:4], Difference(first=4, lost=1, doubled=0)),
        ([], Difference(first=0, lost=5, doubled=0)),
        (UNITS[:3] + UNITS[2:], Difference(first=3, lost=0, doubled=1)),
        (UNITS + UNITS[3:], Difference(first=5, lost=0, doubled=2)),
        ([*UNITS[:1], "x", *UNITS[2:]], Difference(first=1, lost=1, doubled=1)),
        ([*UNITS[:1], UNITS[1][:2], UNITS[1][2:], *UNITS[2:]], Difference(1, lost=1, doubled=2)),
    ],
    ids=["lost", "end lost", "all lost", "doubled", "end doubled", "another", "cut in two"],
)
def test_what_was_lost_or_doubled_is_told_with_its_offset(
    got: list[str], expected: Difference
) -> None:
    assert difference(UNITS, got) == expected
    verdict = judge(UNITS, reading(got), Logged(5, sha256(UNITS), 1))
    assert (verdict.lost, verdict.doubled) == (expected.lost, expected.doubled)
    assert verdict.problems[0].startswith(f"from offset {expected.first} on: ")


@pytest.mark.parametrize(
    ("verdict", "problem"),
    [
        (judge(UNITS, reading(UNITS, UNITS[1:]), Logged(5, sha256(UNITS), 1)), "stream_end has"),
        (judge(UNITS, reading(UNITS), Logged(5, sha256(UNITS[1:]), 1)), "logged the hash"),
        (judge(UNITS, reading(UNITS), Logged(4, sha256(UNITS), 1)), "logged 4 units, not 5"),
        (judge(UNITS, reading(UNITS), Logged(5, sha256(UNITS), 2)), "started 2 times"),
        (judge(UNITS, reading(UNITS), None), "logged no end"),
        (judge([], Reading(error="gone"), None), "gone"),
        (judge([], Reading(), None), "ended with no stream_end"),
    ],
    ids=["stream_end", "log", "units", "twice", "no log", "error", "no end"],
)
def test_whatever_else_is_wrong_is_told(verdict: object, problem: str) -> None:
    assert problem in str(verdict)


@pytest.mark.live
def test_a_client_that_loses_a_character_fails_the_case(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(url: str, transport: TransportName, of_this: Trial) -> Reading:
        whole = python_client.read(url, transport, of_this)
        return replace(whole, units=[*whole.units[:7], *whole.units[8:]])

    monkeypatch.setitem(READ, "python", careless)
    case, until = Case("python", "websocket", "text"), time.monotonic() + LIMIT
    tally = run(case, server, cuts=1, seed=SEED, until=until, say=print)
    assert (tally.lost, tally.equal_end, tally.equal_log, tally.equal_truth) == (1, 0, 0, 0)
    (failure,) = tally.failures
    assert "from offset 7 on: 1 lost, 0 doubled" in failure
    assert f"stream 0 of seed {SEED}" in failure
    assert "connection 1, byte" in failure


@pytest.mark.live
def test_what_takes_too_long_is_a_failure(server: RunningServer) -> None:
    case = Case("python", "websocket", "text")
    tally = run(case, server, cuts=1, seed=SEED, until=time.monotonic() - 1, say=print)
    assert tally.failures == ("python, websocket, text: out of time after 0 of 1 cuts",)


def test_the_texts_are_made_of_clusters_in_every_script() -> None:
    pool = [cluster for script in SCRIPTS.values() for cluster in script]
    assert set(clusters("any", 2000)) == set(pool)
    for left in pool:
        for right in pool:
            assert regex.findall(r"\X", left + right) == [left, right]


def test_a_seed_decides_text_and_cuts() -> None:
    case = Case("python", "polling", "text")
    assert trial(case, 1, 0) == trial(case, 1, 0)
    assert len({trial(case, seed, number).seed for seed in (1, 2) for number in range(3)}) == 6


def test_the_table_has_a_row_for_each_case() -> None:
    tally = Tally(Case("recipe", "polling", "text"), cuts=1000, streams=2, lost=3, equal_end=1)
    row = table([tally]).splitlines()[-1]
    assert row.startswith("| recipe | polling | text | 1,000 | 0 | 2 | 0 | 3 | 0 | 1 of 2 |")
