"""What endpoints put on the wire: ends, finish_reasons, framing, reported errors."""

from __future__ import annotations

from tests.sources.wire_endpoint import BLANKS, FLOOD, HOLD, PING, RESET
from tests.sources.wire_rows import (
    BROKEN,
    CUT,
    DONE,
    END,
    HI,
    OK,
    TWO,
    UTF8,
    Row,
    choice,
    chunk,
    chunked,
    failed,
    record,
    say,
)

ENDS = [
    Row("finish_reason and [DONE]", [*TWO, END], "Hi you"),
    Row("[DONE] alone", [*TWO, DONE], "Hi you"),
    Row("finish_reason alone", [*TWO, say(finish="stop")], "Hi you"),
    Row("finish_reason with the last text", [OK, HI, say("you", "stop")], "Hi you"),
    Row("[DONE] without its blank line", [*TWO, b"data: [DONE]"], "Hi you"),
    Row("last record without its blank line", [*TWO, say(finish="stop").rstrip()], "Hi you"),
    failed("an orderly end", TWO, "Hi you", CUT),
    failed("an orderly end, chunked", [*chunked(HI), b"0\r\n\r\n"], "Hi ", CUT),
    failed("no last chunk", chunked(HI), "Hi ", "dropped the connection"),
    failed("an end within a record", [*TWO, b'data: {"choices": [{"del'], "Hi you", CUT),
    failed("a reset", [*chunked(HI), RESET], "Hi ", "dropped the connection"),
    Row("a reset behind finish_reason", [*chunked(HI, say(finish="stop")), RESET], "Hi "),
    Row("held open behind finish_reason", [*TWO, say(finish="stop"), HOLD], "Hi you"),
    Row("pings behind finish_reason", [*TWO, say(finish="stop"), PING], "Hi you"),
    Row("an error behind finish_reason", [OK, say("Hi", "stop"), record({"error": "x"})], "Hi"),
    Row("nonsense behind finish_reason", [OK, say("Hi", "stop"), b"data: {no\n\n"], "Hi"),
    Row("text behind finish_reason", [OK, say("Hi ", "stop"), say("you", "stop"), DONE], "Hi you"),
    Row("held open behind [DONE]", [*TWO, DONE, HOLD], "Hi you"),
    failed("nothing but pings", [OK, HI, PING], "Hi ", "in time", hasty=True),
    failed("nothing but empty deltas", [OK, HI, BLANKS], "Hi ", "in time", hasty=True),
    failed("silence", [OK, HI, HOLD], "Hi ", "in time", hasty=True),
    failed("a head that never ends", [b"HTTP/1.1 200 OK\r\n", HOLD], "", "in time", hasty=True),
    failed("a line without end", [OK, HI, FLOOD], "Hi ", "without an end of the record"),
]

FINISH = [
    *(
        Row(f"finish_reason {good}", [*TWO, say(finish=good), DONE], "Hi you")
        for good in ("eos", "end_turn", "tool_calls", "function_call", "STOP", "eos_token")
    ),
    *(
        Row(f"finish_reason {limit}", [*TWO, say(finish=limit), DONE], "Hi you", "length")
        for limit in ("length", "max_tokens", "MAX_TOKENS", "model_length")
    ),
    *(
        failed(f"finish_reason {bad!r}", [*TWO, say(finish=bad), DONE], "Hi you", str(bad))
        for bad in ("error", "abort", "insufficient_system_resource", "never_heard_of")
    ),
    failed(
        "finish_reason content_filter", [*TWO, say(finish="content_filter")], "Hi you", "filter"
    ),
    failed("finish_reason safety", [*TWO, say(finish="SAFETY"), DONE], "Hi you", "filter"),
    failed("finish_reason true", [*TWO, say(finish=True)], "Hi you", "not whole"),
    failed("finish_reason of a sentence", [*TWO, say(finish="oh no!")], "Hi you", "of its own"),
    failed("finish_reason '' for ever", [OK, say("Hi", "")], "Hi", CUT),
    failed(
        "finish_reason error with its cause",
        [OK, HI, choice(delta={}, finish_reason="error", error={"code": 502})],
        *("Hi ", "error, 502"),
    ),
]

FRAMING = [
    Row("BOM in front", [OK, b"\xef\xbb\xbf", HI, END], "Hi "),
    Row(
        "bare CR",
        [(OK.replace(b"\r\n", b"|") + HI + END).replace(b"\n", b"\r").replace(b"|", b"\r\n")],
        "Hi ",
    ),
    Row("CRLF", [OK, HI.replace(b"\n", b"\r\n"), END.replace(b"\n", b"\r\n")], "Hi "),
    Row("byte by byte", [OK, *(bytes([b]) for b in say(UTF8) + END)], UTF8),
    Row(
        "raw UTF-8, byte by byte",
        [
            OK,
            *(
                bytes([b])
                for b in f'data: {{"choices":[{{"delta":{{"content":"{UTF8}"}}}}]}}\n\n'.encode()
            ),
            END,
        ],
        UTF8,
    ),
    Row("no space behind data:", [OK, HI.replace(b"data: ", b"data:"), b"data:[DONE]\n\n"], "Hi "),
    Row(
        "data of several lines",
        [OK, b'data: {"choices": [\ndata: {"delta": {"content": "Hi "}}\ndata: ]}\n\n', END],
        "Hi ",
    ),
    Row("comments", [OK, b": ping\n\n", b":\n", HI, b": ping\n\n", END], "Hi "),
    Row("a comment within a record", [OK, b": ping\n" + HI, END], "Hi "),
    Row("retry and id", [OK, b"retry: 3000\n\n", b"id: 7\n" + HI, b"id\n\n", END], "Hi "),
    Row("empty data", [OK, b"data:\n\n", HI, b"data\n\n", b"data: \ndata:\n\n", END], "Hi "),
    Row("event: ping without data", [OK, HI, b"event: ping\n\n", END], "Hi "),
    Row("event: ping with data", [OK, HI, b"event: ping\ndata: 12:00\n\n", END], "Hi "),
    Row("event: message", [OK, b"event: message\n" + HI, END], "Hi "),
    Row("blank lines in front", [OK, b"\r\n\n\n \n", HI, END], "Hi "),
    failed("no JSON", [OK, HI, b"data: hello\n\n", END], "Hi ", "makes no sense"),
    failed("a JSON string", [OK, HI, b'data: "hello"\n\n', END], "Hi ", "makes no sense"),
    failed("JSON far too deep", [OK, HI, b"data: " + b"[" * 100_000 + b"\n\n"], "Hi ", "no sense"),
    Row("null as keep-alive", [OK, HI, b"data: null\n\n", b"data: {}\n\n", END], "Hi "),
]

ERRORS = [
    failed(
        "event: error with a sentence",
        [OK, HI, b"event: error\ndata: It broke.\n\n"],
        "Hi ",
        BROKEN,
    ),
    failed(
        "event: error with an object",
        [OK, HI, b'event: error\ndata: {"code": "busy"}\n\n'],
        "Hi ",
        "error, busy",
    ),
    failed(
        "event: error with error",
        [OK, HI, b'event: error\ndata: {"error": {"type": "busy"}}\n\n'],
        "Hi ",
        "error, busy",
    ),
    failed("event: error with a list", [OK, HI, b"event: error\ndata: [1]\n\n"], "Hi ", BROKEN),
    failed("event: error with nothing", [OK, HI, b"event: error\ndata:\n\n"], "Hi ", BROKEN),
    failed(
        "error as object",
        [OK, HI, record({"error": {"code": 503, "message": "no"}}), DONE],
        "Hi ",
        "error, 503",
    ),
    failed(
        "error as string",
        [OK, HI, record({"error": "overloaded"}), DONE],
        "Hi ",
        "error, overloaded",
    ),
    failed(
        "error beside choices",
        [OK, HI, record({"choices": [], "error": {"code": "x"}})],
        "Hi ",
        "error, x",
    ),
    failed(
        "object: error", [OK, HI, record({"object": "error", "code": 40303})], "Hi ", "error, 40303"
    ),
    failed(
        "type: error",
        [OK, HI, record({"type": "error", "error": {"type": "busy"}})],
        "Hi ",
        "error, busy",
    ),
    failed("detail", [OK, HI, record({"detail": "Not for you."})], "Hi ", BROKEN),
    Row("error: null", [OK, record({**chunk("Hi"), "error": None}), END], "Hi"),
]
