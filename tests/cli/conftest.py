from __future__ import annotations

from tests.client.conftest import text_server

__all__ = ["text_server"]
