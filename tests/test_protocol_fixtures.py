"""``tests/fixtures/protocol``: every event as an example, read here and by the client library.

``frontend/tests/fixtures.test.ts`` reads the same files. What one side changes about the wire, the
other side's tests notice.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from textstream import errors, protocol
from textstream.client.wire_errors import error_from_wire
from textstream.errors import InvalidRequest, OffsetGone, StreamFailed, TextStreamError
from textstream.protocol import Payload, parse
from textstream.web.starts import parse_start

FOLDER = Path(__file__).resolve().parent / "fixtures" / "protocol"

CLIENT_MODELS: dict[str, type[Payload]] = {
    protocol.START_STREAM: protocol.StartStream,
    protocol.STOP_STREAM: protocol.OwnStream,
    protocol.PAUSE_STREAM: protocol.StreamRef,
    protocol.CONTINUE_STREAM: protocol.StreamRef,
    protocol.SET_RATE: protocol.SetRate,
    protocol.RESUME_STREAM: protocol.ResumeStream,
    protocol.LEAVE_STREAM: protocol.StreamRef,
    protocol.DESCRIBE_STREAM: protocol.DescribeStream,
    protocol.SHARE_STREAM: protocol.ShareStream,
    protocol.UNSHARE_STREAM: protocol.OwnStream,
    protocol.AUTHENTICATE: protocol.Authenticate,
}
SERVER_MODELS: dict[str, type[BaseModel]] = {
    protocol.STREAM_START: protocol.StreamInfo,
    protocol.STREAM_CHUNK: protocol.StreamChunk,
    protocol.STREAM_END: protocol.StreamEnd,
    protocol.STREAM_WAITING: protocol.StreamWaiting,
    protocol.SERVER_DRAINING: protocol.ServerDraining,
}


def fixture(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


CLIENT, SERVER, ANSWERS = fixture("client"), fixture("server"), fixture("answers")


def cases(of: dict[str, Any], which: str) -> list[tuple[str, Any]]:
    return [(event, case) for event, both in of.items() for case in both[which]]


def understand(event: str, payload: Any) -> Payload:
    if event == protocol.START_STREAM:
        return parse_start(payload, "llm")
    return parse(CLIENT_MODELS[event], payload)


def wire_errors() -> list[type[TextStreamError]]:
    """The errors that a server sends: all but the client's own."""
    client_only = {errors.ServerUnreachable, errors.StreamFailed}
    return [error for error in TextStreamError.__subclasses__() if error not in client_only]


def test_every_event_has_fixtures() -> None:
    names = {v for k, v in vars(protocol).items() if k.isupper() and isinstance(v, str)}
    assert CLIENT.keys() | SERVER.keys() == names
    assert not CLIENT.keys() & SERVER.keys()
    for examples in (*CLIENT.values(), *SERVER.values()):
        assert examples["valid"]
        assert examples["invalid"]


@pytest.mark.parametrize(("event", "payload"), cases(CLIENT, "valid"))
def test_a_payload_of_the_client_is_understood_as_it_is(event: str, payload: Any) -> None:
    if isinstance(payload, dict):
        assert understand(event, payload).model_dump(exclude_unset=True) == payload
    elif event == protocol.START_STREAM:
        assert understand(event, payload).model_dump(exclude_unset=True) == (
            {"prompt": payload} if payload else {}
        )
    else:
        assert (event, payload) == (protocol.STOP_STREAM, None)


@pytest.mark.parametrize(("event", "case"), cases(CLIENT, "invalid"))
def test_a_wrong_payload_is_refused_and_its_key_named(event: str, case: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        understand(event, case["payload"])
    if case["key"]:
        assert raised.value.message.startswith(f"{case['key']}: ")


@pytest.mark.parametrize(("event", "payload"), cases(SERVER, "valid"))
def test_a_payload_of_the_server_is_one_that_it_sends(event: str, payload: Any) -> None:
    if model := SERVER_MODELS.get(event):
        assert model.model_validate(payload).model_dump() == payload
    elif event == protocol.STREAM_ERROR:
        error = error_from_wire(payload)
        assert error.to_wire() == {key: payload[key] for key in payload if key != "id"}
    else:
        assert event == protocol.NEW_CHAR


@pytest.mark.parametrize(
    ("event", "payload"), [c for c in cases(SERVER, "invalid") if c[0] in SERVER_MODELS]
)
def test_a_wrong_payload_of_the_server_is_not_believed(event: str, payload: Any) -> None:
    with pytest.raises(ValidationError):
        SERVER_MODELS[event].model_validate(payload)


@pytest.mark.parametrize("case", ANSWERS["ok"])
def test_an_answer_to_a_start_or_a_resume_has_the_stream(case: Any) -> None:
    answer = case["answer"]
    assert case["event"] in CLIENT_MODELS
    if case["event"] in {protocol.START_STREAM, protocol.RESUME_STREAM}:
        assert protocol.StreamInfo.model_validate(answer["stream"]).model_dump() == answer["stream"]


def test_the_errors_are_all_there_is() -> None:
    known = {error.code: error.retryable for error in wire_errors()}
    known[str(errors.INTERNAL_ERROR["code"])] = bool(errors.INTERNAL_ERROR["retryable"])
    assert {error["code"]: error["retryable"] for error in ANSWERS["errors"]} == known


@pytest.mark.parametrize("payload", ANSWERS["errors"], ids=lambda payload: payload["code"])
def test_an_error_survives_the_wire(payload: dict[str, Any]) -> None:
    error = error_from_wire(payload)
    assert error.to_wire() == payload
    assert isinstance(error, OffsetGone) == (payload["code"] == "offset_gone")
    assert isinstance(error, StreamFailed) == (payload["code"] == "internal_error")
