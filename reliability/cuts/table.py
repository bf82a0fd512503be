"""The figures as a table, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from reliability.cuts.run import Tally

_HEAD = (
    "client | transport | source | cuts | connections | streams | characters | lost | doubled "
    "| hash as in `stream_end` | … as in the server's log | … as the truth's"
)


def table(tallies: Sequence[Tally]) -> str:
    """Return a row for each case. Where a stream failed, it says how to repeat it above."""
    columns = _HEAD.count("|") + 1
    rows = [f"| {_HEAD} |", "|" + "---|" * 3 + "--:|" * (columns - 3)]
    rows += [_row(tally) for tally in tallies]
    return "\n".join(rows)


def _row(tally: Tally) -> str:
    numbers = [tally.cuts, tally.connections, tally.streams, tally.characters]
    cells = [
        *(tally.case.client, tally.case.transport, tally.case.source),
        *(f"{number:,}" for number in numbers),
        *(f"{tally.lost}", f"{tally.doubled}"),
        *(
            f"{equal} of {tally.streams}"
            for equal in (tally.equal_end, tally.equal_log, tally.equal_truth)
        ),
    ]
    return f"| {' | '.join(cells)} |"
