"""Verdicts as Markdown: for the terminal, and for ``docs/reliability.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.abuse.run import Verdict
from benchmarks.markdown import markdown_table
from benchmarks.report import write_between_markers
from benchmarks.servers import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- abuse: begin -->", "<!-- abuse: end -->"

TITLES = (
    *("attack", "sent MB", "growth MB", "kept MB", "CPU s", "threads"),
    *("gap p99 / max ms", "calm", "newcomers s", "offenders", "verdict"),
)
SHOWN = 4
"""Kinds of endings that have a place in the table, the most frequent."""


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the table, with what failed and what else was seen below it."""
    lines = [markdown_table([TITLES, *map(_cells, verdicts)]), ""]
    for verdict in verdicts:
        lines += remarks(verdict)
    return "\n".join(lines)


def remarks(verdict: Verdict) -> list[str]:
    """Return what was seen of an attack beside the figures, and what was wrong."""
    lines = [f"- {verdict.attack}: {note}" for note in ("; ".join(verdict.notes),) if note]
    return lines + [f"- ✗ {verdict.attack}: {failure}" for failure in verdict.failures]


def publish(
    verdicts: Sequence[Verdict], what: Mapping[str, str], day: str, document: Path = DOCUMENT
) -> None:
    """Write `verdicts` into the documentation's table.

    The rows of attacks that were not made stay: a run of a few must not throw away the others.

    Args:
        verdicts: what has come of those that were made.
        what: what each attack that there is does, by name, in the order of the table.
        day: of the run, in ISO 8601.
        document: has the table.

    Raises:
        ValueError: it has no place for one.

    """
    rows = _published(document)
    for verdict in verdicts:
        name, *cells, _ = _cells(verdict)
        shown = f"`{name}`" + (" ✗" if verdict.failures else "")
        rows[name] = (shown, what[name], day, *cells)
    titles = ("attack", "what it does", "day", *TITLES[1:-1])
    made = [rows[name] for name in what if name in rows]
    write_between_markers(document, markdown_table([titles, *made]), BEGIN, END)


def _published(document: Path) -> dict[str, tuple[str, ...]]:
    """Return the rows of the table that is there, by the names of their attacks."""
    table = document.read_text().partition(BEGIN)[2].partition(END)[0]
    rows = (line for line in table.splitlines() if line.startswith("| `"))
    return {
        row.split("`")[1]: tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows
    }


def _cells(verdict: Verdict) -> tuple[str, ...]:
    served, calm, welcomed = verdict.served, verdict.calm, verdict.welcomed
    return (
        verdict.attack,
        f"{verdict.sent:.1f}",
        f"{verdict.growth:.1f}",
        f"{verdict.kept:.1f}",
        f"{verdict.cpu:.1f}",
        str(verdict.threads),
        f"{served.gap_p99:.0f} / {served.gap_max:.0f}" if served else "–",
        f"{calm.gap_p99:.0f} / {calm.gap_max:.0f}" if calm else "–",
        f"{welcomed.worst:.2f}" if welcomed else "–",
        _endings(verdict),
        "✗" if verdict.failures else "passed" if served else "not tried",
    )


def _endings(verdict: Verdict) -> str:
    counted = verdict.endings.most_common()
    shown = [f"{ending}: {count:,}" for ending, count in counted[:SHOWN]]
    return ", ".join(shown + ["…"] * (len(counted) > SHOWN)) or "–"
