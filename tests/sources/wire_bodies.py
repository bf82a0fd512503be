"""What endpoints put on the wire: shapes of content, whole bodies, statuses."""

from __future__ import annotations

import gzip
import json

from tests.sources.wire_endpoint import FLOOD, HOLD, RESET
from tests.sources.wire_rows import (
    CUT,
    DONE,
    EMPTY,
    END,
    HI,
    JSON,
    NO_API,
    OK,
    UTF8,
    Row,
    choice,
    chunk,
    failed,
    head,
    record,
    refusal,
    say,
    whole,
)

CONTENT = [
    Row("role first, content null", [OK, say(role="assistant", content=None), HI, END], "Hi "),
    Row(
        "usage in a last chunk",
        [OK, HI, say(finish="stop"), record({"choices": [], "usage": {}}), DONE],
        "Hi ",
    ),
    Row(
        "filter results in a first chunk",
        [OK, record({"choices": [], "prompt_filter_results": []}), HI, END],
        "Hi ",
    ),
    Row(
        "parts",
        [
            OK,
            say([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]),
            say([{"type": "text", "text": "Hi "}, {"type": "output_text", "text": "you"}]),
            END,
        ],
        "Hi you",
    ),
    Row(
        "parts that are strings, or odd",
        [
            OK,
            say(
                [
                    "Hi ",
                    {"type": "text", "text": None},
                    5,
                    None,
                    {"type": "image"},
                    {"type": "text", "text": {"value": "you"}},
                ]
            ),
            END,
        ],
        "Hi you",
    ),
    Row("one part", [OK, say({"type": "text", "text": "Hi"}), END], "Hi"),
    Row("a number", [OK, say(42), say(" "), say(4.5), END], "42 4.5"),
    Row("content false", [OK, say(False), HI, END], "Hi "),
    Row("a refusal", [OK, say(refusal="I may "), say(refusal="not."), END], "I may not."),
    Row("a refusal as a part", [OK, say([{"type": "refusal", "refusal": "No."}]), END], "No."),
    Row(
        "text instead of delta",
        [OK, choice(text="Hi "), choice(text="you", finish_reason="stop"), DONE],
        "Hi you",
    ),
    Row(
        "message instead of delta",
        [OK, choice(message={"content": "Hi "}), choice(message={"content": "you"}), END],
        "Hi you",
    ),
    Row(
        "message beside delta",
        [
            OK,
            choice(delta={"content": "Hi "}, message={"content": "Hi "}),
            choice(delta={"content": "you"}, message={"content": "Hi you"}),
            choice(message={"content": "Hi you"}, finish_reason="stop"),
        ],
        "Hi you",
    ),
    Row(
        "several choices",
        [
            OK,
            record(
                {
                    "choices": [
                        {"index": 0, "delta": {"content": "Hi"}},
                        {"index": 1, "delta": {"content": "Ho"}},
                    ]
                }
            ),
            record({"choices": [{"index": 1, "delta": {}, "finish_reason": "error"}]}),
            END,
        ],
        "Hi",
    ),
    Row(
        "choices of any shape",
        [
            OK,
            record({"choices": None}),
            record({"choices": {}}),
            record({"choices": [None, 1, {"delta": []}]}),
            HI,
            END,
        ],
        "Hi ",
    ),
    Row(
        "reasoning in front",
        [OK, say(reasoning_content="Hm."), say(reasoning="Hm."), HI, END],
        "Hi ",
    ),
    Row(
        "text and a tool",
        [OK, HI, say(tool_calls=[{"index": 0}]), say(finish="tool_calls"), DONE],
        "Hi ",
    ),
    failed(
        "tools only",
        [OK, say(tool_calls=[{"index": 0}]), say(finish="tool_calls"), DONE],
        "",
        "asks for a tool",
    ),
    failed(
        "a function only",
        [OK, say(function_call={"name": "f"}), say(finish="function_call"), DONE],
        "",
        "asks for a tool",
    ),
    failed("reasoning only", [OK, say(reasoning_content="Hm."), END], "", "reasoned"),
    failed(
        "thinking parts only",
        [OK, say([{"type": "thinking", "thinking": "Hm."}]), END],
        "",
        "reasoned",
    ),
    failed(
        "at its limit without text",
        [OK, say(reasoning="Hm."), say(finish="length"), DONE],
        "",
        "Raise max_tokens",
    ),
    failed("nothing", [OK, say(role="assistant"), END], "", EMPTY),
    failed("[DONE] and nothing else", [OK, DONE], "", EMPTY),
    failed("not a byte", [OK], "", CUT),
]

BODIES = [
    Row("JSON", [JSON, whole(role="assistant", content="Hi you")], "Hi you"),
    Row("JSON as text/event-stream", [OK, whole(content="Hi you")], "Hi you"),
    Row("JSON with a BOM and blank lines", [JSON, b"\xef\xbb\xbf\n \n", whole(content="Hi")], "Hi"),
    Row("JSON byte by byte", [JSON, *(bytes([b]) for b in whole(content=UTF8))], UTF8),
    Row("JSON at its limit", [JSON, whole("length", content="Hi")], "Hi", "length"),
    Row("JSON held open", [JSON, whole(content="Hi"), HOLD], "Hi"),
    Row("JSON with parts", [JSON, whole(content=[{"type": "text", "text": "Hi"}])], "Hi"),
    Row("JSON with a refusal", [JSON, whole(content=None, refusal="No.")], "No."),
    Row(
        "JSON of the older completions",
        [JSON, b'{"choices": [{"text": "Hi", "finish_reason": "stop"}]}'],
        "Hi",
    ),
    Row(
        "JSON lines",
        [
            JSON,
            json.dumps(chunk("Hi ")).encode()
            + b"\n"
            + json.dumps(chunk("you", "stop")).encode()
            + b"\n",
        ],
        "Hi you",
    ),
    Row(
        "a JSON list of chunks",
        [JSON, json.dumps([chunk("Hi "), chunk("you", "stop")]).encode()],
        "Hi you",
    ),
    failed("JSON with nothing", [JSON, whole(content="")], "", EMPTY),
    failed(
        "JSON with tools only", [JSON, whole("tool_calls", tool_calls=[{}])], "", "asks for a tool"
    ),
    failed("JSON filtered", [JSON, whole("content_filter", content="Hi")], "Hi", "filter"),
    failed("JSON cut", [JSON, whole(content="Hi")[:-9]], "", CUT),
    failed("JSON without finish_reason", [JSON, whole(None, content="Hi")], "Hi", CUT),
    failed(
        "JSON error", [JSON, b'{"error": {"code": "insufficient_quota"}}'], "", "insufficient_quota"
    ),
    failed(
        "JSON error as string", [JSON, b'{"error": "insufficient_quota"}'], "", "insufficient_quota"
    ),
    failed("JSON of something else", [JSON, b'{"status": "ok"}'], "", NO_API),
    failed("HTML", [head("text/html"), b"<!doctype html><p>Hello</p>"], "", NO_API),
    failed("HTML as text/event-stream", [OK, b"\n<html>", HOLD], "", NO_API),
    failed("plain text", [head("text/plain"), b"It works!\n"], "", NO_API),
    failed("an empty body", [head("application/json")], "", NO_API),
    Row("events as application/json", [JSON, HI, END], "Hi "),
    Row("no Content-Type", [head(None), HI, END], "Hi "),
    Row("Content-Type in capitals", [head("TEXT/EVENT-STREAM; CHARSET=UTF-8"), HI, END], "Hi "),
    Row(
        "gzip",
        [head("text/event-stream", "Content-Encoding: gzip"), gzip.compress(HI + END)],
        "Hi ",
    ),
    failed(
        "gzip that is none",
        [head("text/event-stream", "Content-Encoding: gzip"), HI],
        "",
        "unpacked",
    ),
    failed("no HTTP", [b"SSH-2.0-OpenSSH_9.2\r\n"], "", "BASE_URL"),
    failed("nothing at all", [], "", "dropped the connection"),
]


NAMED = b'{"error": {"message": "no", "code": "some_code", "param": "messages"}}'
STATUSES = [
    refusal(
        "400 Bad Request", "application/json", NAMED, "400, some_code, messages", "invalid_request"
    ),
    refusal(
        "422 Unprocessable",
        "application/json",
        b'{"detail": [{"loc": ["body"]}]}',
        "HTTP 422",
        "invalid_request",
    ),
    refusal("401 Unauthorized", "application/json", NAMED, "TEXTSTREAM_OPENAI_API_KEY"),
    refusal("403 Forbidden", "text/html", b"<html>", "TEXTSTREAM_OPENAI_API_KEY"),
    refusal("402 Payment Required", "application/json", b"[]", "paid"),
    refusal("404 Not Found", "text/html", b"<html>", "TEXTSTREAM_OPENAI_BASE_URL"),
    refusal("405 Method Not Allowed", "", b"", "TEXTSTREAM_OPENAI_BASE_URL"),
    refusal(
        "429 Too Many Requests",
        "application/json",
        b'{"error": {"code": "insufficient_quota"}}',
        "429, insufficient_quota",
    ),
    refusal("500 Internal Server Error", "", b"", "Try again later"),
    refusal("502 Bad Gateway", "text/html", b"<html>", "HTTP 502"),
    refusal(
        "503 Service Unavailable", "application/json", b'{"error": "overloaded"}', "503, overloaded"
    ),
    failed("an endless refusal", [head("text/plain", status="500 Oh"), FLOOD], "", "HTTP 500"),
    failed(
        "a refusal cut off",
        [head(None, "Content-Length: 99", status="500 Oh"), RESET],
        "",
        "HTTP 500",
    ),
]
