"""The chart: what a CPU-second does against Node, and the gaps between characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks.report import ratio, workload_names
from benchmarks.result import Result
from benchmarks.servers import REFERENCE, SERVERS

HEIGHT_OF_A_WORK = 0.3
"""Inches."""

# Okabe and Ito's colours, and a shape each: told apart without colours as well.
STYLES = dict(
    zip(
        (server.name for server in SERVERS),
        (
            ("#0072B2", "o"),
            ("#56B4E9", "s"),
            ("#000000", "*"),
            ("#D55E00", "v"),
            ("#E69F00", "^"),
            ("#009E73", "D"),
            ("#CC79A7", "X"),
            ("#999999", "P"),
        ),
        strict=True,
    )
)


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the chart as SVG. The same results give the same file.

    Failed runs are drawn hollow.
    """
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "benchmarks",
        "font.family": "sans-serif",
    }
    with mpl.rc_context(settings):
        height = 1.6 + HEIGHT_OF_A_WORK * len(workload_names(results))
        figure = Figure(figsize=(10, height), layout="constrained")
        left, right = figure.subplots(1, 2)
        _panel(left, results, lambda r: ratio(r, results, REFERENCE))
        left.axvline(1, color=STYLES[REFERENCE][0], linewidth=1, zorder=0)
        left.set_title("What a CPU-second does, Node = 1 (further right is better)", fontsize=9)
        _panel(right, results, lambda r: r.gap_p99)
        right.axvline(50, color="#bbbbbb", linewidth=1, zorder=0)
        right.set_title("Gap p99 in ms, 50 is ideal at 20/s (further left is better)", fontsize=9)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=3, fontsize=9, frameon=False
        )
        figure.savefig(path, format="svg", metadata={"Date": None})


def _panel(axes: Any, results: Sequence[Result], value: Callable[[Result], float | None]) -> None:
    rows = [name for name in workload_names(results) if _has(results, name, value)]
    for server in SERVERS:
        color, marker = STYLES[server.name]
        points = [
            (drawn, rows.index(result.workload), result.failed)
            for result in results
            if result.server == server.name
            and result.workload in rows
            and (drawn := value(result)) is not None
            and drawn > 0
        ]
        if not points:
            continue
        axes.scatter(
            [x for x, _, _ in points],
            [y for _, y, _ in points],
            marker=marker,
            s=60,
            linewidths=1.6,
            edgecolors=color,
            facecolors=["none" if failed else color for _, _, failed in points],
            label=server.title,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.grid(axis="y", color="#eeeeee")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _has(results: Sequence[Result], workload: str, value: Callable[[Result], float | None]) -> bool:
    return any(value(result) is not None for result in results if result.workload == workload)
