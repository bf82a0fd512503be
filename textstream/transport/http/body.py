"""The body of a request, collected from pieces of any size (RFC 9112, 6 and 7). No I/O."""

from __future__ import annotations

import re
from http import HTTPStatus

from textstream.transport.http.bad_head import BadHead, echo
from textstream.transport.http.fields import has_controls, parse_fields
from textstream.transport.http.head import Head

MAX_EXTENSIONS = 1_024
"""Bytes of chunk extensions in a body. None is in use (RFC 9112, 7.1.1); they are ignored."""

MAX_TRAILERS = 16
MAX_TRAILER_BYTES = 4_096
"""Fields behind the last chunk, and their bytes, line ends included. They are ignored."""

MAX_SMALL_CHUNKS = 4_096
SMALL = 64
"""Chunks of a body, however small they are, and the bytes that each further one stands for.

A chunk takes 1.4 µs, as much as copying 2.5 kB: 1 MB in chunks of one byte would hold the reactor
for 1.4 s, with this bound 1 MB holds it for 0.03 s. Who sends what is typed, or a model's tokens,
as they come has small chunks, but few.
"""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})(;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_MAX_SIZE_LINE = 8 + MAX_EXTENSIONS + 2
_LINE_END = b"\r\n"
_NO_TRAILERS = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_HOST"}
"""Fields that come too late in a trailer to mean what they say (RFC 9110, 6.5.1)."""

_BAD = HTTPStatus.BAD_REQUEST


_CONTENT, _CHUNK_SIZE, _CHUNK_END, _TRAILER = range(4)  # what comes next; an Enum is slower


class Body:
    """Collects what follows a head. After a `BadHead` it is of no use any more.

    Attributes:
        content: what has come of the body, without the framing of chunks.
        complete: that is all of it. A request without a body is complete at once.

    """

    __slots__ = (
        "_chunked",
        "_chunks",
        "_extensions",
        "_left",
        "_line",
        "_most",
        "_next",
        "_trailer_bytes",
        "_trailers",
        "complete",
        "content",
    )

    def __init__(self, head: Head, most: int) -> None:
        """Collect the body of `head`, of at most `most` bytes.

        Raises:
            BadHead: with 413: more are declared.

        """
        if head.length > most:
            raise _too_large(most)
        self.content: bytes | bytearray = b""
        self.complete = not head.chunked and head.length == 0
        self._most = most
        self._chunked = head.chunked
        self._next = _CHUNK_SIZE if head.chunked else _CONTENT
        self._left = head.length  # bytes of the body, or of the chunk
        self._line = b""  # what has come of a line
        self._chunks = self._extensions = self._trailers = self._trailer_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """Take what has come; return what is behind the body: the next request, mostly nothing.

        Raises:
            BadHead: with 413 (more than `most` bytes) or 400 (chunks that are none, or too many).

        """
        at = 0
        while at < len(data) and not self.complete:
            if self._next == _CONTENT:
                at = self._take_content(data, at)
            elif self._next == _CHUNK_END:
                at = self._take_chunk_end(data, at)
            else:
                at = self._take_line(data, at)
        return data[at:] if at else data

    def _take_content(self, data: bytes, at: int) -> int:
        piece = data[at : at + self._left]
        if self.content:
            if isinstance(self.content, bytes):
                self.content = bytearray(self.content)
            self.content += piece
        else:
            self.content = piece  # mostly all of it, and no copy
        self._left -= len(piece)
        if not self._left:
            self._next = _CHUNK_END
            self.complete = not self._chunked
        return at + len(piece)

    def _take_chunk_end(self, data: bytes, at: int) -> int:
        if not self._line and data.startswith(_LINE_END, at):
            self._next = _CHUNK_SIZE
            return at + 2
        piece = data[at : at + 2 - len(self._line)]
        self._line += piece
        if not _LINE_END.startswith(self._line):
            cure = f"Behind a chunk stands {echo(self._line.decode('latin-1'))}. Send CR LF there."
            raise BadHead(_BAD, cure)
        if self._line == _LINE_END:
            self._line = b""
            self._next = _CHUNK_SIZE
        return at + len(piece)

    def _take_line(self, data: bytes, at: int) -> int:
        """Take a line that is a chunk's size or a trailer, or what has come of it."""
        end = data.find(b"\n", at) + 1 or len(data)
        line = self._line + data[at:end]
        trailer = self._next == _TRAILER
        # The empty line behind the trailers is none of them.
        most = max(2, MAX_TRAILER_BYTES - self._trailer_bytes) if trailer else _MAX_SIZE_LINE
        # Looked at before it ends: a line without end is not kept, whatever its pieces.
        if len(line) > most:
            what = "The trailers are" if trailer else "The size of a chunk is"
            raise BadHead(_BAD, f"{what} too long. Send less of it.")
        if line[-1:] != b"\n":
            self._line = line
        elif trailer:
            self._line = b""
            self._take_trailer(line)
        else:
            self._line = b""
            self._take_size(line)
        return end

    def _take_size(self, line: bytes) -> None:
        found = _SIZE.fullmatch(line)
        if found is None:
            cure = (
                f"{echo(line.decode('latin-1'))} is no chunk size. Send 1 to 8 hex digits, CR LF."
            )
            raise BadHead(_BAD, cure)
        self._left = int(found[1], 16)
        if found[2]:
            self._extensions += len(found[2])
            if self._extensions > MAX_EXTENSIONS:
                cure = f"The chunk extensions have more than {MAX_EXTENSIONS} bytes. Send none."
                raise BadHead(_BAD, cure)
        if not self._left:
            self._next = _TRAILER
            return
        self._next = _CONTENT
        if len(self.content) + self._left > self._most:
            raise _too_large(self._most)
        self._chunks += 1
        if self._chunks > MAX_SMALL_CHUNKS + len(self.content) // SMALL:
            cure = f"There are too many small chunks. Send {SMALL} bytes or more in each."
            raise BadHead(_BAD, cure)

    def _take_trailer(self, line: bytes) -> None:
        if line == _LINE_END:
            self.complete = True
            return
        self._trailer_bytes += len(line)
        self._trailers += 1
        if self._trailers > MAX_TRAILERS:
            raise BadHead(_BAD, f"There are more than {MAX_TRAILERS} trailers. Send fewer.")
        if has_controls(line):  # the LF alone at its end is one
            cure = "A trailer has control characters, or an end other than CR LF. Send it without."
            raise BadHead(_BAD, cure)
        if parse_fields([line[:-2].decode("latin-1")]).keys() & _NO_TRAILERS:
            cure = "Host, Content-Length and Transfer-Encoding are no trailers. Send them before."
            raise BadHead(_BAD, cure)


def _too_large(most: int) -> BadHead:
    cure = f"The body is too large. Send at most {most} bytes."
    return BadHead(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, cure)
