"""Prints the figures: ``python -m reliability.readers [viewers|throttled] [--seed 1]``."""

from __future__ import annotations

import argparse
import sys
from typing import get_args

from reliability.readers import throttled, viewers
from reliability.readers.crowd import Format
from reliability.readers.measure import Gaps
from reliability.readers.story import SETTING
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer


def main() -> int:
    """Return 0 when everybody read exactly what was streamed, else 1."""
    options = _parser().parse_args()
    wrong: list[str] = []
    for what in [options.what] if options.what else ["viewers", "throttled"]:
        server = RunningServer("--sources", SETTING, leak_guard=LeakGuard())
        try:
            found = _viewers(server, options) if what == "viewers" else _throttled(server, options)
        finally:
            server.stop()
        print("all exact" if not found else "\n".join(["NOT EXACT", *found]))
        wrong += found
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reliability.readers")
    parser.add_argument("what", nargs="?", choices=["viewers", "throttled"], help="both by default")
    parser.add_argument("--viewers", type=int, default=500, help="a fifth of them join late")
    parser.add_argument(
        "--format", choices=get_args(Format), help="of all viewers; both by default"
    )
    parser.add_argument("--healthy", type=int, default=100, help="readers beside the throttled")
    parser.add_argument("--seed", type=int, default=1, help="decides texts, late joins and offsets")
    return parser


def _viewers(server: RunningServer, options: argparse.Namespace) -> list[str]:
    formats: viewers.Formats = (options.format,) if options.format else get_args(Format)
    late = options.viewers // 5
    scene = viewers.Scene(viewers=options.viewers, late=late, formats=formats, seed=options.seed)
    print(
        f"viewers: {scene.viewers} of one stream of {scene.characters} characters, {late} of them "
        f"late, formats {' and '.join(formats)}, seed {scene.seed}"
    )
    shown = viewers.show(server, scene)
    print(f"generations: {shown.generations}")
    print(f"memory: {shown.per_connection:.0f} bytes per idle connection")
    print(f"memory: {shown.per_viewer:.0f} bytes per viewer beyond it")
    for pace in shown.paces:
        print(f"pace {pace.asked}: {pace.median:.2f} units/s, least {pace.least:.2f}")
    return shown.wrong


def _throttled(server: RunningServer, options: argparse.Namespace) -> list[str]:
    scene = throttled.Scene(healthy=options.healthy, seed=options.seed)
    print(
        f"throttled: 3 readers at {scene.throttle:g} bytes/s beside {scene.healthy} healthy ones "
        f"at {scene.rate:g} units/s, seed {scene.seed}"
    )
    shown = throttled.show(server, scene)
    print(f"healthy alone:  {_gaps(shown.alone)}")
    print(f"healthy beside: {_gaps(shown.beside)}")
    print(
        f"memory: {shown.memory / 2**20:.1f} MiB alone, "
        f"{shown.growth / 1024:+.0f} KiB at most beside"
    )
    for slow in shown.slow:
        took = f"exact after {slow.seconds:.1f} s" if slow.seconds else "resumed in the end"
        print(
            f"{slow.asked}: {took}; units in its first events {slow.first_sizes}, "
            f"largest {slow.largest}"
        )
    return shown.wrong


def _gaps(gaps: Gaps) -> str:
    return (
        f"gap p50 {gaps.p50:.1f} ms, p99 {gaps.p99:.1f} ms, longest {gaps.longest:.1f} ms; "
        f"{gaps.units_per_second:.2f} units/s, slowest {gaps.slowest:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
