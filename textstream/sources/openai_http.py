"""HTTP for the source ``openai``: the only module that imports ``httpx2``.

Not the package ``openai``: of what the environment has, it sends OPENAI_ORG_ID, OPENAI_PROJECT_ID,
and OPENAI_CUSTOM_HEADERS to whatever address it asks, it keeps no bound on the body of a refusal,
and its stream hides whether an answer was declared whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx2

import textstream
from textstream.errors import SourceFailed, SourceUnavailable
from textstream.sources.openai_errors import PROXIES, PROXY_REFUSED, TIMED_OUT, Refused
from textstream.sources.openai_network import (
    ADDRESS,
    causes,
    explain_tls,
    is_loopback,
    why_unreachable,
)

CONNECT_SECONDS = 10.0
"""How long connecting may take, at most."""

MAX_REFUSAL_BYTES = 65_536
"""What is read of the body of a refusal, at most."""

MAX_REDIRECTS = 3


class ApiHttp:
    """Asks one API; to be made and used in one event loop."""

    def __init__(self, *, base_url: str, api_key: str | None, timeout: float) -> None:
        """Read the environment: the authorities to trust, and the proxies.

        Args:
            base_url: as the source takes it; its query goes with each request.
            api_key: sent as a bearer token; None sends none.
            timeout: seconds that the API may send nothing at all.

        Raises:
            SourceUnavailable: a certificate file or a proxy that the environment names is no good.

        """
        try:
            base = httpx2.URL(base_url)
        except httpx2.InvalidURL:
            raise SourceUnavailable("TEXTSTREAM_OPENAI_BASE_URL is no address.") from None
        path, mark, query = base.raw_path.partition(b"?")
        path = path.rstrip(b"/") + b"/chat/completions"
        self._url = base.copy_with(raw_path=path + mark + query)
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            "User-Agent": f"textstream/{textstream.__version__}",
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self.connect_seconds = min(timeout, CONNECT_SECONDS)
        # A proxy would see the prompts, and cannot reach an API on this machine.
        self._direct = is_loopback(base.host)
        try:
            self._client = httpx2.AsyncClient(
                verify=_tls_context(with_environment=base.scheme == "https"),
                trust_env=not self._direct,
                timeout=httpx2.Timeout(timeout, connect=self.connect_seconds, pool=None),
                # How many streams run is limited elsewhere.
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100),
            )
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            # Not quoted: a proxy's address has its password.
            raise SourceUnavailable(
                f"A proxy that the environment names cannot be used ({type(error).__name__}). "
                f"Check {PROXIES}: http:// and https:// can, socks5:// with the package socksio."
            ) from None

    @contextlib.asynccontextmanager
    async def ask(self, body: dict[str, Any]) -> AsyncIterator[httpx2.Response]:
        """Send a request; give the response with its body still to be read, and close it after.

        Raises:
            Refused: the status is no success.
            SourceFailed: anything went wrong below.

        """
        # In ASCII: a prompt may hold what UTF-8 cannot, half of a surrogate pair.
        content = json.dumps(body).encode()
        request = self._client.build_request(
            "POST", self._url, content=content, headers=self._headers
        )
        response = await self._send(request)
        try:
            for _ in range(MAX_REDIRECTS):
                following = response.next_request
                if following is None or not _may_follow(response, following.url):
                    break
                await response.aclose()
                response = await self._send(following)
            if not response.is_success:
                raise Refused(response.status_code, await _beginning(response))
            yield response
        finally:
            await response.aclose()

    async def read(self, response: httpx2.Response) -> AsyncGenerator[bytes]:
        """Yield the body, unpacked, as it comes.

        Raises:
            SourceFailed: it broke off.

        """
        try:
            async with contextlib.aclosing(response.aiter_bytes()) as pieces:
                async for data in pieces:
                    yield data
        except httpx2.HTTPError as error:
            raise self._explain(error) from None

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._client.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise self._explain(error) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _explain(self, error: httpx2.HTTPError) -> SourceFailed:
        """Say what went wrong below HTTP; its note is for the log."""
        chain = causes(error)
        root = chain[-1]
        failure = SourceFailed(self._sentence(error, chain))
        failure.add_note(f"{type(error).__name__}, {type(root).__name__}: {str(root)[:200]}")
        return failure

    def _sentence(self, error: httpx2.HTTPError, chain: list[BaseException]) -> str:
        if isinstance(error, (httpx2.ReadTimeout, httpx2.WriteTimeout)):
            return TIMED_OUT
        if isinstance(error, httpx2.ProxyError):
            return " ".join(PROXY_REFUSED)
        if isinstance(error, httpx2.DecodingError):
            return "The API's answer is damaged: it cannot be unpacked. Try again."
        for cause in chain:
            if isinstance(cause, ssl.SSLError) and not isinstance(
                cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)
            ):
                return explain_tls(cause)
        if not isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
            return f"The API dropped the connection. Try again; if it stays: {self._cure()}"
        return f"The API cannot be reached: {why_unreachable(chain)}. {self._cure()}"

    def _cure(self) -> str:
        proxies = urllib.request.getproxies()
        if self._direct or not proxies.keys() & {self._url.scheme, "all"}:
            return f"{ADDRESS}."
        return f"{ADDRESS}, and the proxy in {PROXIES}."


def _may_follow(response: httpx2.Response, target: httpx2.URL) -> bool:
    """Whether a response leads on with the same request to the same host, and not in the clear.

    Nothing else is followed: a prompt is not for whomever some server names, and what answers
    a POST that became a GET is no answer.
    """
    known = response.request.url
    return (
        response.status_code in {307, 308}
        and target.host == known.host
        and target.scheme in {known.scheme, "https"}
    )


def _tls_context(*, with_environment: bool) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those that the environment adds.

    By themselves, both OpenSSL and httpx2 take SSL_CERT_FILE and SSL_CERT_DIR instead of the
    system's. Then whoever names a company's authority loses all others.
    """
    context = httpx2.create_ssl_context(trust_env=False)
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if with_environment and (file or folder):
        try:
            context.load_verify_locations(cafile=file or None, capath=folder or None)
        except OSError as error:  # ssl.SSLError is one
            raise SourceUnavailable(
                f"SSL_CERT_FILE or SSL_CERT_DIR names no certificates "
                f"({error.strerror or type(error).__name__}). Correct it, or leave it out."
            ) from None
    return context


async def _beginning(response: httpx2.Response) -> bytes:
    body = bytearray()
    with contextlib.suppress(httpx2.HTTPError):  # the status says enough
        async for data in response.aiter_bytes():
            body += data
            if len(body) >= MAX_REFUSAL_BYTES:
                break
    return bytes(body[:MAX_REFUSAL_BYTES])
