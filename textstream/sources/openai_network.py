"""What lies beneath the requests of the source ``openai``: hosts, and why none is reached."""

from __future__ import annotations

import ipaddress
import socket
import ssl

ADDRESS = "Check TEXTSTREAM_OPENAI_BASE_URL"
"""The cure for most of it; further words may follow."""

_OTHER_NAME = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_OTHER_TIME = {9, 10}  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address in any notation, is this machine. Resolves nothing."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(name))  # 127.1, as the resolver does
        except (OSError, UnicodeError):
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def causes(error: BaseException) -> list[BaseException]:
    """Return an error, what caused it, and so on; of several attempts, the first.

    By the context where there is no cause: httpcore2 raises again "from None".
    """
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain:
        chain.append(at)
        at = (
            at.exceptions[0]
            if isinstance(at, BaseExceptionGroup)
            else at.__cause__ or at.__context__
        )
    return chain


def explain_tls(error: ssl.SSLError) -> str:
    """Say why no TLS connection comes about, and the cure."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"No TLS connection to the API comes about ({error.reason or type(error).__name__}). "
            f"{ADDRESS}: does the API speak https?"
        )
    why = f"The API's certificate is not accepted: {error.verify_message.rstrip('.')}. "
    if error.verify_code in _OTHER_NAME:
        return f"{why}It is for another name. {ADDRESS}."
    if error.verify_code in _OTHER_TIME:
        return f"{why}It must be renewed, or this machine's clock is wrong."
    return f"{why}If it is right, put its authority's certificate into SSL_CERT_FILE."


def why_unreachable(chain: list[BaseException]) -> str:
    """Say why nobody was reached, as a part of a sentence. `chain` is that of `causes`."""
    for cause in chain:
        if isinstance(cause, socket.gaierror):
            return "its name is not known"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(cause, TimeoutError):
            return "connecting timed out"
    system = [c.strerror for c in chain if isinstance(c, OSError) and c.strerror]
    return system[-1] if system else "the connection failed"
