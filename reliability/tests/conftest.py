"""The fixtures of ``tests``, for these as well: nothing may be left behind here either."""

from __future__ import annotations

from tests.conftest import _nothing_left_behind, leak_guard, server, start_server

__all__ = ["_nothing_left_behind", "leak_guard", "server", "start_server"]
