"""A whole server in this process, as the lab's tests have it."""

from tests.lab.conftest import lab, start_lab

__all__ = ["lab", "start_lab"]
