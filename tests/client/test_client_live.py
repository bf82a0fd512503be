"""The client against a real server, over real sockets."""

from __future__ import annotations

import hashlib
import itertools
import threading

import pytest

from tests.client.reading import until_it_fails
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream import errors
from textstream.client import StreamClient, TextStream
from textstream.client.reader import HIGH_WATER, Reader
from textstream.loggable import fingerprint

pytestmark = pytest.mark.live

TEXT = "Hello, 这是一段要逐步返回的文字 👨‍👩‍👧‍👦 🇪🇺 नि e\u0301 שלום\r\nend"
PATIENCE = patient(20.0)


def ended(server: RunningServer, stream_id: str, reason: str) -> None:
    """Wait until the server has logged that the stream ended for this reason."""

    def logged(log: str) -> bool:
        shown = f"stream={fingerprint(stream_id)}"
        lines = [line for line in log.splitlines() if shown in line]
        return any(f"reason={reason}" in line for line in lines)

    server.wait_for_log(logged, PATIENCE)


def reader_of(stream: TextStream) -> Reader:
    return stream._reader


@pytest.mark.parametrize("transports", [None, ["websocket"], ["polling"], ["polling", "websocket"]])
def test_the_text_arrives_exactly(text_server: RunningServer, transports: list[str] | None) -> None:
    with StreamClient(text_server.url, transports=transports) as client:
        stream = client.stream(text=TEXT, source="text", rate=500)
        assert "".join(stream) == TEXT
    assert stream.result
    assert stream.result.reason == "completed"
    assert stream.result.verified
    assert stream.result.text_sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert stream.offset == stream.result.offset
    assert (stream.info.source, stream.info.unit, stream.info.rate) == ("text", "char", 500)


def test_text_without_a_source_goes_to_the_server_s_default(client: StreamClient) -> None:
    assert "".join(client.stream("hi", rate=0, source=None, text=None, unit="word")) == "hi"


def test_half_a_megabyte_at_once(client: StreamClient) -> None:
    text = "".join(chr(0x4E00 + n % 20_000) for n in range(500_000))
    stream = client.stream(text=text, rate=0)
    assert "".join(stream) == text
    assert stream.result
    assert stream.result.verified


def test_many_streams_over_one_connection_do_not_mix(client: StreamClient) -> None:
    texts = [f"<{n}>" * 60 for n in range(12)]
    got: dict[int, str] = {}

    def read(number: int) -> None:
        got[number] = "".join(client.stream(text=texts[number], rate=1000))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [got.get(n) for n in range(len(texts))] == texts


def test_states_are_reported_in_their_order(text_server: RunningServer) -> None:
    states: list[str] = []
    with StreamClient(text_server.url, on_state=states.append) as client:
        "".join(client.stream(text="abc", rate=0))
    assert states == ["connecting", "streaming", "ended"]


def test_leaving_the_loop_stops_the_stream_on_the_server(
    text_server: RunningServer, client: StreamClient
) -> None:
    stream = client.stream("x", source="endless", rate=1000)
    for piece in stream:
        assert piece
        break
    ended(text_server, stream.id, "stopped")


def test_closing_the_client_stops_its_streams_on_the_server(text_server: RunningServer) -> None:
    with StreamClient(text_server.url) as client:
        stream = client.stream("x", source="endless", rate=10)
        next(stream)
    ended(text_server, stream.id, "stopped")


def test_stop_keeps_what_has_arrived(client: StreamClient) -> None:
    stream = client.stream("x", source="endless", rate=1000)
    text = "".join(itertools.islice((next(stream) for _ in itertools.count()), 30))
    assert stream.stop()
    text += "".join(stream)
    assert stream.result
    assert stream.result.reason == "stopped"
    expected = "".join(f"{n} " for n in range(len(text)))
    assert expected.startswith(text)
    assert stream.stop(), "stopping again does nothing"


def test_resuming_a_stream_reads_its_rest_and_leaves_it_running(
    text_server: RunningServer, client: StreamClient
) -> None:
    running = client.stream(text="0123456789" * 100, rate=50)
    while running.offset < 10:
        next(running)
    with StreamClient(text_server.url) as other:
        second = other.resume(running.id, 5, rate=0)
        assert next(second)[0] == "5"
        second.close()
    assert not reader_of(running).over
    assert running.stop()


def test_a_finished_stream_is_replayed(text_server: RunningServer, client: StreamClient) -> None:
    first = client.stream(text=TEXT, rate=0)
    "".join(first)
    with StreamClient(text_server.url) as other:
        again = other.resume(first.id)
        assert "".join(again) == TEXT
        tail = other.resume(first.id, 7)
        assert "".join(tail) == TEXT[7:]
    assert again.result
    assert again.result.verified
    assert tail.result
    assert not tail.result.verified, "its hash is of the whole text"


def test_a_client_reads_a_stream_once_at_a_time(client: StreamClient) -> None:
    stream = client.stream(text="abc", rate=1)
    with pytest.raises(errors.InvalidRequest, match="already"):
        client.resume(stream.id)


def test_pause_stands_still_and_continue_goes_on(client: StreamClient) -> None:
    stream = client.stream(text="ab" * 500, rate=1000)
    text = next(stream)
    stream.pause()
    changed, reader = stream._session.changed, reader_of(stream)
    with changed:
        assert changed.wait_for(lambda: reader.server_paused, PATIENCE)
        held = reader.assembler.offset
    assert held < 1000
    stream.continue_()
    assert text + "".join(stream) == "ab" * 500


def test_a_new_rate_holds_at_once(client: StreamClient) -> None:
    stream = client.stream(text="x" * 5000, rate=1)
    next(stream)
    stream.set_rate(0)
    assert sum(len(piece) for piece in stream) == 4999
    with pytest.raises(errors.InvalidRequest):
        stream.set_rate(-1)


def test_a_rate_over_the_server_s_limit_is_refused_and_forgotten(client: StreamClient) -> None:
    stream = client.stream(text="x" * 500, rate=10)
    with pytest.raises(errors.InvalidRequest, match="at most"):
        stream.set_rate(10_000_000)
    assert reader_of(stream).rate == 10


def test_a_consumer_that_does_not_read_pauses_the_server(client: StreamClient) -> None:
    stream = client.stream("x", source="endless", rate=0, unit="token")
    changed, reader = stream._session.changed, reader_of(stream)
    with changed:
        assert changed.wait_for(lambda: reader.server_paused, PATIENCE)
    text = ""
    while len(text) < 8 * HIGH_WATER:
        text += next(stream)
    expected = itertools.accumulate((f"{n} " for n in itertools.count()), initial="")
    assert text.startswith(next(t for t in expected if len(t) > 10_000))
    assert text.endswith(f"{text.split()[-1]} ")


def test_a_source_that_fails_raises_after_its_text(client: StreamClient) -> None:
    stream = client.stream("before the end", source="broken", rate=0)
    got, error = until_it_fails(stream)
    assert isinstance(error, errors.SourceFailed)
    assert got == "before the end"
    assert stream.result
    assert stream.result.reason == "error"


def test_a_source_that_reached_its_limit_ends_as_length(client: StreamClient) -> None:
    stream = client.stream("cut", source="limited", rate=0)
    assert "".join(stream) == "cut"
    assert stream.result
    assert stream.result.reason == "length"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"source": "no such"}, errors.UnknownSource),
        ({"rate": -1}, errors.InvalidRequest),
        ({"rate": float("nan")}, errors.InvalidRequest),
        ({"unit": "page"}, errors.InvalidRequest),
        ({"text": "x\0"}, errors.InvalidRequest),
        ({"text": "\ud800"}, errors.InvalidRequest),
        ({"text": "x" * 500_001}, errors.InvalidRequest),
        ({"text": "x" * 3_000_000}, errors.InvalidRequest),
        ({"source": "text", "params": {"no": 1}}, errors.InvalidRequest),
        ({"request_id": "x" * 129}, errors.InvalidRequest),
    ],
    ids=str,
)
def test_a_refused_start_raises_the_server_s_error(
    client: StreamClient, options: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.stream(**options)  # type: ignore[arg-type]
    assert "".join(client.stream(text="still fine", rate=0)) == "still fine"


def test_resuming_what_is_not_there_raises(client: StreamClient) -> None:
    with pytest.raises(errors.UnknownStream):
        client.resume("no such stream")
    stream = client.stream(text="abc", rate=0)
    "".join(stream)
    with pytest.raises(errors.InvalidRequest):
        client.resume(stream.id, 4)


def test_sources_are_described(client: StreamClient) -> None:
    described = client.sources()
    names = {source["name"] for source in described["sources"]}
    assert {"text", "endless"} <= names
    assert described["preferred"] in names


def test_a_closed_client_says_so(text_server: RunningServer) -> None:
    client = StreamClient(text_server.url)
    stream = client.stream(text="x" * 100, rate=1)
    client.close()
    client.close()
    assert list(stream) == []
    with pytest.raises(errors.StreamFailed, match="closed"):
        client.stream("x")
