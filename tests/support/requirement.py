"""What a test needs and a machine may lack: skip for a person, fail in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def require(reason: str) -> NoReturn:
    """Skip this test, or fail it when the environment has CI set: CI must have everything."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have what this test needs: {reason}", pytrace=False)
    pytest.skip(reason)
