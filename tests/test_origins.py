"""Origins are compared as scheme, host and port, however they are spelled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.origins import Origin


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTPS://Example.ORG", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://example.org:80", "http://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("https://example.org:80", "https://example.org:80"),
        ("https://example.org:", "https://example.org"),
        ("https://example.org:08443", "https://example.org:8443"),
        ("https://example.org.", "https://example.org"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example:443", "https://xn--bcher-kva.example"),
        ("https://XN--bcher-KVA.example", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("http://例え。テスト", "http://xn--r8jz45g.xn--zckzah"),
        ("http://[::1]:5002", "http://[::1]:5002"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("http://[2001:DB8::0:1]:80", "http://[2001:db8::1]"),
        ("http://my_app:5002", "http://my_app:5002"),
        ("http://127.0.0.1:5002", "http://127.0.0.1:5002"),
    ],
)
def test_one_spelling_for_each(text: str, canonical: str) -> None:
    assert str(Origin.parse(text)) == canonical
    assert Origin.parse(canonical) == Origin.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "looks like"),
        ("example.org", "looks like"),
        ("https://", "looks like"),
        ("http://[", "looks like"),
        ("https://a b.example", "looks like"),
        ("https://user@example.org", "looks like"),
        ("https://example.org:http", "looks like"),
        ("ftp://example.org", "begins with http:// or https://"),
        ("chrome-extension://abcdef", "begins with http:// or https://"),
        ("https://example.org/app", 'no path: "https://example.org"'),
        ("https://Example.org:8443?x=1", 'no path: "https://Example.org:8443"'),
        ("https://*.example.org", "no wildcard"),
        ("https://example.org:65536", "out of range"),
        ("https://example.org:9999999999", "out of range"),
        ("http://[1::2::3]", "no IPv6 address"),
        ("http://[fe80::1%25eth0]", "has a zone"),
        ("https://a..example", "no host"),
        ("https://a\\b", "no host"),
        ("https://a\N{ZERO WIDTH JOINER}\N{SNOWMAN}.example", "no host"),
        ("null", "files and sandboxed frames"),
    ],
)
def test_what_is_none_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the next line looks)
        Origin.parse(text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("https://example.org", "example.org", True),
        ("http://example.org", "example.org", True),
        ("https://example.org", "example.org:443", True),
        ("http://example.org", "example.org:80", True),
        ("https://example.org", "example.org:80", True),  # what the proxy in front listens on
        ("https://example.org", "Example.ORG.", True),
        ("https://xn--bcher-kva.example", "XN--BCHER-KVA.example", True),
        ("http://[::1]:5002", "[::1]:5002", True),
        ("http://[::1]", "[0:0:0:0:0:0:0:1]:80", True),
        ("https://example.org:8443", "example.org:8443", True),
        ("http://example.org:443", "example.org:443", True),
        ("https://example.org:8443", "example.org", False),
        ("https://example.org", "example.org:8443", False),
        ("http://example.org:443", "example.org", False),
        ("https://example.org", "example.org.evil.example", False),
        ("https://evil.example", "example.org", False),
        ("https://example.org", "", False),
        ("https://example.org", "[", False),
        ("https://example.org", "example.org:port", False),
        ("https://example.org", "example.org:70000", False),
        ("https://example.org", "example.org/", False),
    ],
)
def test_whether_a_page_has_come_from_here(origin: str, host: str, *, is_own: bool) -> None:
    assert Origin.parse(origin).is_at(host) is is_own


@given(st.text(), st.text())
def test_nothing_that_a_client_sends_does_more_than_be_refused(origin: str, host: str) -> None:
    try:
        page = Origin.parse(origin)
    except ValueError:
        page = Origin.parse("https://example.org")
    assert page.is_at(host) in {True, False}
