"""The thousand cuts in small: each client over each transport."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reliability.cuts import recipe
from reliability.cuts.case import CLIENTS, TRANSPORTS, Case, ClientName
from reliability.cuts.run import Tally, run
from tests.conftest import StartServer
from tests.sources.conftest import new_model
from tests.support.requirement import require
from tests.support.running_server import RunningServer
from tests.support.timing import patient

CUTS = 40
MODEL_CUTS = 12
SEED = 4
LIMIT = patient(90.0)


def run_all(cases: list[Case], server: RunningServer, cuts: int) -> list[Tally]:
    """Run the cases side by side: each spends its time waiting."""
    if any(case.client == "recipe" for case in cases) and (lacking := recipe.missing()):
        require(lacking)
    until = time.monotonic() + LIMIT
    with ThreadPoolExecutor(len(cases)) as threads:
        futures = [
            threads.submit(run, case, server, cuts=cuts, seed=SEED, until=until, say=print)
            for case in cases
        ]
        return [future.result() for future in futures]


@pytest.mark.live
@pytest.mark.parametrize("client", CLIENTS)
def test_cuts_lose_and_double_nothing(server: RunningServer, client: ClientName) -> None:
    cases = [Case(client, transport, "text") for transport in TRANSPORTS]
    for tally in run_all(cases, server, CUTS):
        assert not tally.failures
        assert tally.cuts == CUTS
        assert tally.streams >= 3
        assert tally.equal_end == tally.equal_log == tally.equal_truth == tally.streams


@pytest.mark.live
@pytest.mark.model
def test_cuts_change_nothing_of_what_the_model_says(start_server: StartServer) -> None:
    new_model()
    server = start_server("--log-format", "json")
    try:
        cases = [Case("python", "websocket", "llm"), Case("recipe", "upgrade", "llm")]
        for tally in run_all(cases, server, MODEL_CUTS):
            assert not tally.failures
            assert tally.cuts == MODEL_CUTS
            assert tally.characters > 100
    finally:
        server.stop()
