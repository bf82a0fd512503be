"""Python imports this by itself where this folder is on its path: a server with ranked locks."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3]))

from tests.support import ranked_locks

ranked_locks.install()
