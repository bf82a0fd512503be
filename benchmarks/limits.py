"""Open files: every connection takes one in the server and one in the generator."""

from __future__ import annotations

import resource

SPARE = 500
"""Descriptors beside the connections."""


def raise_open_files(connections: int) -> None:
    """Raise this process's limit, which the servers and generators inherit.

    Raises:
        RuntimeError: the system does not allow so many; says what to do.

    """
    needed = connections + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        wanted_hard = hard if hard == resource.RLIM_INFINITY else max(hard, needed)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, wanted_hard))
        except (ValueError, OSError) as error:
            raise RuntimeError(
                f"{connections} connections need {needed} open files, {hard} are allowed; raise "
                f"the hard limit (ulimit -Hn {needed}), or ask for fewer readers"
            ) from error
