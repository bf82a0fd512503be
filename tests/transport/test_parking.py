"""What a server asks that lets requests wait itself, and answers them without their threads."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from tests.transport.conftest import DialPolling, LocalServer, StartLocal
from tests.transport.poll_client import PATIENCE, PollClient, until
from textstream.transport.bounds import LARGE, Bounds
from textstream.transport.parking import Parking, Response
from textstream.transport.waits import PARKED

pytestmark = pytest.mark.live


class Request:
    """A request as such a server has it."""

    def __init__(self, client: PollClient, **more: Any) -> None:
        self.environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": client.query,
            "SERVER_PROTOCOL": "HTTP/1.1",
            **more,
        }
        self.woken = 0
        self._woken = threading.Event()

    def wake(self) -> None:
        self.woken += 1
        self._woken.set()

    def wait(self) -> None:
        assert self._woken.wait(PATIENCE)


def get(client: PollClient, **more: Any) -> Request:
    return Request(client, **more)


def post(client: PollClient, *packets: str, **more: Any) -> Request:
    body = "\x1e".join(packets).encode()
    stream = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    return Request(client, REQUEST_METHOD="POST", **stream, **more)


def park(local: LocalServer, request: Request) -> bool:
    return local.transport.parking.park(request.environ, request.wake)


def answer(local: LocalServer, request: Request) -> Response:
    answered = local.transport.parking.answer(request.environ)
    assert PARKED not in request.environ, "or they would hold each other, and a POST its body"
    assert answered
    return answered


def serve(local: LocalServer, request: Request) -> tuple[str, str]:
    """Have the application answer; return status and body."""
    begun: list[Any] = []
    served = local.socketio.server.eio.handle_request(
        dict(request.environ), lambda *answer: begun.append(answer)
    )
    return begun[0][0], b"".join(served).decode()


def wait_in(local: LocalServer, request: Request) -> Any:
    """Have the application serve it in a thread that must not wait."""
    app = local.socketio.server.eio.handle_request
    return local.transport.parking.serve(app, request.environ, lambda *_: None, request.wake)


NO_POLLS: list[dict[str, Any]] = [
    {"REQUEST_METHOD": "HEAD"},
    {"REQUEST_METHOD": "POST"},
    {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "-1"},
    {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "100000000"},
    {"QUERY_STRING": ""},
    {"QUERY_STRING": "EIO=4&transport=polling"},
    {"QUERY_STRING": "EIO=4&transport=polling&sid=nobody"},
    {"HTTP_ORIGIN": "https://elsewhere.example"},
    {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"},
    {"HTTP_UPGRADE": "websocket"},
    {"QUERY_STRING": None},
]


def test_a_request_is_parked_only_if_it_has_to_wait(
    local: LocalServer, dial_polling: DialPolling, subtests: pytest.Subtests
) -> None:
    client = dial_polling(local)
    for more in NO_POLLS:
        with subtests.test(f"{more}"):
            request = get(client, **more)
            assert not park(local, request)
            assert PARKED not in request.environ
    assert not park(local, get(client, QUERY_STRING=client.query + "&j=x"))
    client.send("there is something")
    assert not park(local, get(client))
    assert client.poll().text == "4there is something"
    assert not client.session._polling


def test_a_patient_poll_is_parked_where_there_is_something_and_woken_at_once(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    client.send("there is something")
    request = get(client)
    assert local.transport.parking.park(request.environ, request.wake, patient=True)
    assert request.woken == 1
    assert answer(local, request).body == b"4there is something"


def test_a_parked_poll_is_woken_once_and_answered_by_the_application(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client, request = dial_polling(local), None
    request = get(client)
    assert park(local, request)
    assert not park(local, get(client)), "a second one is refused"
    client.send("a")
    client.send("b")
    request.wait()
    assert serve(local, request) == ("200 OK", "4a\x1e4b")
    assert request.woken == 1
    local.transport.parking.leave(request.environ)
    assert not client.session.closed, "it was answered before"


def test_what_waits_for_a_poll_that_is_given_back_is_for_the_next(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    request = get(client)
    assert park(local, request)
    local.transport.parking.give_back(request.environ)
    assert PARKED not in request.environ
    client.send("kept")
    assert request.woken == 0
    assert not park(local, request), "it has just come, and there is something for it"
    assert serve(local, request) == ("200 OK", "4kept")


def test_while_many_polls_are_answered_one_waits_for_its_turn(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client, pace = dial_polling(local), local.transport.parking._pace
    while not pace.busy:
        pace.count()
    for _ in range(100):
        pace.count()
    client.send("there is something")
    request = get(client)
    assert park(local, request)
    assert request.woken == 0
    client.send("and more")
    request.wait()
    assert answer(local, request).body == b"4there is something\x1e4and more"


def test_a_thread_that_must_not_wait_leaves_what_could_not_be_known(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    """Of a page whose origin has not been looked at, say: a user's code tells who may."""
    page = {"HTTP_ORIGIN": "https://page.example"}
    client = dial_polling(local)
    request = get(client, **page)
    assert not park(local, request)
    assert wait_in(local, request) is None
    client.send("x")
    request.wait()
    answered = answer(local, request)
    assert answered.body == b"4x"
    assert ("Access-Control-Allow-Origin", "https://page.example") in answered.headers
    assert park(local, get(client, **page)), "it has been let in"


def test_what_fails_is_for_the_application_to_tell(
    local: LocalServer, dial_polling: DialPolling, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Parking):
        def _session_of(self, environ: dict[str, Any]) -> Any:
            raise RuntimeError("broken")

    request = get(dial_polling(local))
    parking = Broken(local.socketio.server.eio, local.transport.parking._pace)
    assert not parking.park(request.environ, request.wake)
    assert "a request could not be parked" in caplog.text


# POSTs


def test_packets_are_handled_by_workers_in_order(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    local = start_local(async_handlers=False)
    client = dial_polling(local)
    request = post(client, *(f'42["echo_text","{n}"]' for n in range(20)))
    assert park(local, request)
    request.wait()
    answered = answer(local, request)
    assert (answered.status, answered.body) == ("200 OK", b"ok")
    assert [what[1] for what in local.record._seen if what[0] == "echoed"] == list(range(1, 21))


def test_a_mistake_is_told_and_ends_the_session(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    request = post(client, "40")
    assert park(local, request)
    request.wait()
    answered = answer(local, request)
    assert answered.status.startswith("400")
    assert b"a second CONNECT" in answered.body
    assert client.session.closed


def test_two_at_a_time_end_the_session(local: LocalServer, dial_polling: DialPolling) -> None:
    client = dial_polling(local)
    with client.session._alone("_posting"):
        request = post(client, '42["sum"]')
        assert park(local, request)
        request.wait()
    assert answer(local, request).status.startswith("400")
    assert client.session.closed


def workers(local: LocalServer) -> int:
    return local.transport.pool.counts()["busy"]


@pytest.mark.parametrize("by", ["reactor", "application"])
def test_who_sends_too_fast_waits_without_a_thread(
    start_local: StartLocal, dial_polling: DialPolling, by: str
) -> None:
    local = start_local(Bounds(events_per_second=5), async_handlers=False)
    client = dial_polling(local)
    request = post(client, *(f'42["echo_text","{n}"]' for n in range(8)))
    if by == "reactor":
        assert park(local, request)
    else:
        assert wait_in(local, request) is None
    until(lambda: client.session.queue.watchers._waiting)
    until(lambda: workers(local) == 0)
    assert client.session._posting, "another one now is one too many"
    request.wait()
    assert answer(local, request).body == b"ok"
    local.record.wait_for("echoed", 8)
    assert not client.session._posting


def test_who_does_not_fetch_its_answers_waits_without_a_thread(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    local = start_local(Bounds(max_buffered=40_000), async_handlers=False)
    client = dial_polling(local)
    request = post(client, *(f'42{n}["echo_text","{"x" * 1000}"]' for n in range(60)))
    assert park(local, request)
    until(lambda: client.session.queue.watchers._waiting)
    until(lambda: workers(local) == 0)
    got: list[str] = []
    while len(got) < 60:
        got += client.poll().text.split("\x1e")
    request.wait()
    assert answer(local, request).body == b"ok"
    assert len(got) == 60


def test_a_large_one_waits_for_its_turn_without_a_thread(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    local = start_local(Bounds(large_in_all=1), async_handlers=False)
    client, turns = dial_polling(local), local.transport.turns
    ticket = turns.enter(client.session.caller, lambda: None)
    request = post(client, '42["echo_text","' + "x" * LARGE + '"]')
    assert park(local, request)
    until(lambda: client.session._posting)
    until(lambda: workers(local) == 0)
    ticket.leave()
    request.wait()
    assert answer(local, request).body == b"ok"
    assert turns.taken == 0


def test_a_large_one_that_has_no_turn_in_time_is_refused(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    local = start_local(Bounds(large_in_all=1, stall=0.05), async_handlers=False)
    client, turns = dial_polling(local), local.transport.turns
    ticket = turns.enter(client.session.caller, lambda: None)
    request = post(client, '42["echo_text","' + "x" * LARGE + '"]')
    assert park(local, request)
    request.wait()
    assert b"too many large messages" in answer(local, request).body
    ticket.leave()
    assert turns.taken == 0
