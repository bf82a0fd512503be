"""The Grafana dashboard asks for all that the server tells, and for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.streams import finish, start
from tests.support.figures import Figures
from tests.support.local_app import local_app
from tests.support.sio_client import RecordingClient
from textstream.settings import Settings

pytestmark = pytest.mark.live

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
OPERATIONS = DEPLOY.parent / "docs" / "operations.md"

NAME = re.compile(r"\b(?:textstream|process|python)_[a-z_]+\b")
GROUPED = re.compile(r"by \(([a-z, ]+)\)")
SHOWN = re.compile(r"{{([a-z]+)}}")

GIVEN_BY_PROMETHEUS = {"instance"}
ONLY_SOMETIMES = {
    # Nobody is turned away, or makes no sense, in the time of this test.
    "textstream_connections_turned_away_total": {"lack"},
    "textstream_http_refusals_total": {"status"},
}


def queries() -> Iterator[tuple[str, str]]:
    """Yield each query, and the text that shows its result."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"], target["legendFormat"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"], ""


@pytest.fixture(scope="module")
def labels() -> dict[str, set[str]]:
    """The labels of each sample of a server on which something of everything has happened."""
    with local_app(Settings()) as (url, _):
        client = RecordingClient(url)
        start(client, {"text": "abc", "rate": 0})
        finish(client)
        client.call("stop_stream", {"id": "x" * 22})
        client.close()
        found: dict[str, set[str]] = {name: set(names) for name, names in ONLY_SOMETIMES.items()}
        for sample in Figures.of(url).samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_each_figure_of_the_dashboard_is_there(labels: dict[str, set[str]]) -> None:
    asked = {name for query, _ in queries() for name in NAME.findall(query)}
    assert len(asked) > 20
    assert asked - labels.keys() == set()


def test_each_label_of_the_dashboard_is_there(labels: dict[str, set[str]]) -> None:
    for query, legend in queries():
        names = set(SHOWN.findall(legend))
        for group in GROUPED.findall(query):
            names |= set(group.split(", "))
        for name in NAME.findall(query):
            assert names - labels[name] <= GIVEN_BY_PROMETHEUS, query


def test_each_figure_of_the_server_is_in_the_dashboard_and_in_the_documents(
    labels: dict[str, set[str]],
) -> None:
    asked = {name for query, _ in queries() for name in NAME.findall(query)}
    told = set(NAME.findall(OPERATIONS.read_text(encoding="utf-8")))
    for name in labels:
        if name.startswith("textstream_"):
            family = re.sub(r"_(bucket|count|sum)$", "", name)
            assert family in told, name
            if name not in {"textstream_build_info", "textstream_pool_threads"}:
                assert {family, f"{family}_bucket"} & asked, name


def test_it_can_be_imported_into_any_grafana() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    sources: list[dict[str, Any]] = [
        one["datasource"] for one in DASHBOARD["panels"] if "datasource" in one
    ]
    assert {one["uid"] for one in sources} == {"${datasource}"}
    places = [one["gridPos"] for one in DASHBOARD["panels"]]
    squares = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(squares)) == len(squares), "no panel is over another"
    assert max(x for x, _ in squares) < 24
