"""From results to tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.markdown import markdown_table
from benchmarks.result import Result
from benchmarks.servers import FASTEST, OF_TREE, REFERENCE, title
from benchmarks.workloads import RATE

FLOOR = "floor"
NOTHING = "–"
BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"

Results = Sequence[Result]


@dataclass(frozen=True)
class Column:
    """A column: its title, and what it says of one result among all."""

    title: str
    cell: Callable[[Result, Results], str]


def _number(value: float | None, form: str = ",.0f", unit: str = "") -> str:
    return NOTHING if value is None else f"{value:{form}}{unit}"


def _joined(values: Sequence[float | None]) -> str:
    if all(value is None for value in values):
        return NOTHING
    return " / ".join(_number(value, ",.1f" if (value or 0) < 10 else ",.0f") for value in values)


def find(results: Results, server: str, workload: str) -> Result | None:
    """Return the result of a server under a workload, if there is one."""
    return next((r for r in results if (r.server, r.workload) == (server, workload)), None)


def ratio(result: Result, results: Results, to: str) -> float | None:
    """Return what a CPU-second does as a multiple of another server's: its cost, divided by ours.

    None where one of the two has failed: that would compare different work.
    """
    other = find(results, to, result.workload)
    if other is None or result.failed or other.failed:
        return None
    own, others = result.done_per_cpu_second, other.done_per_cpu_second
    return own / others if own and others else None


def _of_saturation(result: Result, results: Results) -> str:
    saturated = find(results, result.server, "saturation")
    if result.workload != "overload" or result.failed or saturated is None or saturated.failed:
        return NOTHING
    if not saturated.characters_per_second:
        return NOTHING
    own = result.characters_per_second
    return NOTHING if own is None else f"{own / saturated.characters_per_second:.2f}"


def _answered(share: float | None, milliseconds: float | None) -> str:
    if share is None:
        return NOTHING
    return f"{share:.0%}" + ("" if milliseconds is None else f", {milliseconds:,.0f}")


def _title(result: Result, _results: Results) -> str:
    name = title(result.server)
    return f"{name} ✗" if result.failed else name


def _readers(result: Result, _results: Results) -> str:
    connected = "" if result.connected == result.readers else f"{result.connected:,} of "
    pace = f" at {result.rate:.0f}/s" if result.rate not in {0.0, RATE} else ""
    return f"{connected}{result.readers:,}{pace}"


def _gaps(result: Result, _results: Results) -> str:
    return _joined((result.gap_p50, result.gap_p99, result.gap_p999, result.gap_max))


def _endings(result: Result, _results: Results) -> str:
    ended = result.endings or {}
    return ", ".join(f"{how}: {count:,}" for how, count in ended.items()) or NOTHING


def _turns(result: Result, _results: Results) -> str:
    return _joined(sorted(result.turns)) if result.turns else NOTHING


COLUMNS = (
    Column("server", _title),
    Column("readers", _readers),
    Column("chars/CPU-s", lambda r, _: _number(r.characters_per_cpu_second)),
    Column("µs each", lambda r, _: _number(r.cost)),
    Column("× Node", lambda r, all_: _number(ratio(r, all_, REFERENCE), ",.2f")),
    Column("× Bun", lambda r, all_: _number(ratio(r, all_, FASTEST), ",.2f")),
    Column("× floor", lambda r, all_: _number(ratio(r, all_, FLOOR), ",.2f")),
    Column("chars/s", lambda r, _: _number(r.characters_per_second)),
    Column("delivered", lambda r, _: _number(r.delivered, ".1%")),
    Column("× saturation", _of_saturation),
    Column("slowest/median", lambda r, _: _number(r.slowest_share, ".2f")),
    Column("polls each", lambda r, _: _number(r.polls_each)),
    Column("all in s", lambda r, _: _number(r.done_in, ",.2f")),
    Column("ready p50 / p99 ms", lambda r, _: _joined((r.ready_p50, r.ready_p99))),
    Column("first p50 / p99 ms", lambda r, _: _joined((r.first_p50, r.first_p99))),
    Column("gap p50 / p99 / p99.9 / max ms", _gaps),
    Column("gap p99 before", lambda r, _: _number(r.quiet_gap_p99, ",.0f")),
    Column("in bursts", lambda r, _: _number(r.in_bursts, ".0%")),
    Column("threads", lambda r, _: _number(r.threads)),
    Column("before", lambda r, _: _number(r.quiet_threads)),
    Column("ended", _endings),
    Column("after s", lambda r, _: _number(r.ended_in, ",.1f")),
    Column("kB/connection", lambda r, _: _number(_kilobytes(r), ",.1f")),
    Column("connections/s", lambda r, _: _number(r.connections_per_second)),
    Column("pings, p99 ms", lambda r, _: _answered(r.pings_answered, r.ping_p99)),
    Column("HTTP, p99 ms", lambda r, _: _number(r.http_p99, ",.1f")),
    Column("HTTP, max ms", lambda r, _: _answered(r.http_answered, r.http_max)),
    Column("CPU", lambda r, _: _number(r.server_cpu, ".2f")),
    Column("generator CPU", lambda r, _: _number(r.generator_cpu, ".2f")),
    Column("exact", lambda r, _: NOTHING if r.exact is None else "yes" if r.exact else "no"),
    Column("turns", _turns),
    Column("other CPU", lambda r, _: _number(r.other_cpu, ".2f")),
)


def _compared_with(label: str) -> tuple[Column, Column]:
    """Return what compares ours with the same server of another checkout."""

    def of_tree(result: Result) -> str:
        return f"{result.server.partition(OF_TREE)[0]}{OF_TREE}{label}"

    def memory(result: Result, results: Results) -> str:
        other = find(results, of_tree(result), result.workload)
        own, theirs = result.bytes_per_connection, other.bytes_per_connection if other else None
        return f"{own / theirs:.2f}" if own and theirs else NOTHING

    return (
        Column(f"× {label}", lambda r, all_: _number(ratio(r, all_, of_tree(r)), ",.2f")),
        Column(f"kB × {label}", memory),
    )


def _columns(rows: Results) -> list[Column]:
    """Return all columns, those for the other checkouts that were measured at the end."""
    names = dict.fromkeys(row.server for row in rows)
    labels = dict.fromkeys(name.partition(OF_TREE)[2] for name in names if OF_TREE in name)
    return [*COLUMNS, *(column for label in labels for column in _compared_with(label))]


def _kilobytes(result: Result) -> float | None:
    return None if result.bytes_per_connection is None else result.bytes_per_connection / 1000


def table(results: Results, workload: str) -> str:
    """Return the Markdown table of one workload, with what failed below it."""
    rows = [result for result in results if result.workload == workload]
    columns = _columns(rows)
    cells = [[column.cell(row, results) for row in rows] for column in columns]
    kept = [
        (c, values) for c, values in zip(columns, cells, strict=True) if set(values) != {NOTHING}
    ]
    titles = [column.title for column, _ in kept]
    lines = zip(*(values for _, values in kept), strict=True)
    return "\n".join([markdown_table([titles, *lines]), *_failures(rows)])


def _failures(rows: Results) -> Iterator[str]:
    failed = [row for row in rows if row.failed]
    if failed:
        yield ""
    for row in failed:
        yield f"- ✗ {_title(row, rows).removesuffix(' ✗')}: {row.failed}"


def workload_names(results: Results) -> list[str]:
    """Return the workloads that were run, in their order."""
    return list(dict.fromkeys(result.workload for result in results))


def document(results: Results, setup: dict[str, str]) -> str:
    """Return the set-up and all tables."""
    parts = ["\n".join(f"- {key}: {value}" for key, value in setup.items())]
    for workload in workload_names(results):
        parts += [f"### {workload}", table(results, workload)]
    return "\n\n".join(parts)


def write_between_markers(path: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the lines `begin` and `end` in a file.

    Raises:
        ValueError: the file has no markers.

    """
    before, began, rest = path.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (began and ended):
        raise ValueError(f"{path} has no lines {begin} and {end}")
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
