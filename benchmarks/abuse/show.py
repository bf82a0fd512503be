"""Verdicts as Markdown: for the terminal, and for ``docs/reliability.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def publish(verdicts: Sequence[Verdict], what: Mapping[str, str]) -> None:
    """Write the table of `verdicts` into the documentation, with what each attack does."""
    rows: list[tuple[str, ...]] = [("attack", "what it does", *TITLES[1:-1])]
    for verdict in verdicts:
        name, *cells, _ = _cells(verdict)
        shown = f"`{name}`" + (" ✗" if verdict.failures else "")
        rows.append((shown, what[verdict.attack], *cells))
    write_between_markers(DOCUMENT, markdown_table(rows), BEGIN, END)


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
