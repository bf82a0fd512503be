"""Links to watch a stream, and grants, on the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.conftest import Connect
from tests.live.streams import start
from tests.support.running_server import RunningServer
from tests.support.tokens import make_token
from textstream.cli.link import Watched, read_link

TEXT = "a text that others may read"


def shared(server: RunningServer, sio: Connect) -> tuple[str, str, str]:
    """Start a stream that is kept, and share it; return its id, the grant, and the link."""
    client = sio(server, auth={"token": make_token()})
    stream_id = start(client, {"text": TEXT, "rate": 0})["id"]
    client.wait_for_event("stream_end")
    grant = client.call("share_stream", {"id": stream_id})["grant"]
    return stream_id, grant, f"{server.url}/app/?watch={stream_id}#grant={grant}"


@pytest.mark.live
def test_a_link_or_a_grant_opens_what_the_id_alone_does_not(
    guarded: RunningServer, sio: Connect, run_cli: Run
) -> None:
    stream_id, grant, link = shared(guarded, sio)
    for given in ((link,), (stream_id, "--grant", grant, "--url", guarded.url)):
        result = run_cli("resume", *given)
        assert (result.returncode, result.stdout, result.stderr) == (0, TEXT.encode(), b"")
    other = ("--url", guarded.url, "--token", make_token("bob"))
    assert run_cli("resume", stream_id, *other).returncode == 1


@pytest.mark.live
def test_a_link_is_not_shown_the_token_of_another_server(
    guarded: RunningServer, sio: Connect, run_cli: Run
) -> None:
    """It may be anybody's: that server would have the token, and whatever it opens."""
    _, _, link = shared(guarded, sio)
    ready = {"TEXTSTREAM_TOKEN": "of my own server"}
    assert run_cli("resume", link, env=ready).returncode == 0, "the grant was shown, not that"
    assert run_cli("resume", link, "--token", "wrong").returncode == 1, "who says so shows it"
    own = {**ready, "TEXTSTREAM_URL": guarded.url}
    assert run_cli("resume", link, env=own).returncode == 1, "it is that server's"


@pytest.mark.live
def test_a_key_makes_one_its_owner(guarded: RunningServer, sio: Connect, run_cli: Run) -> None:
    client = sio(guarded, auth={"token": make_token()})
    answer = client.call("start_stream", {"text": TEXT, "rate": 0})
    given = ("--url", guarded.url, "--token", make_token("bob"), "--key", answer["key"])
    result = run_cli("resume", answer["stream"]["id"], *given)
    assert (result.returncode, result.stdout) == (0, TEXT.encode())


@pytest.mark.parametrize(
    ("text", "watched"),
    [
        ("Ab_-1", Watched("Ab_-1", None, None)),
        ("https://h/app/?watch=x#grant=a.b", Watched("x", "https://h/app/", "a.b")),
        ("https://h/s/app/?watch=x", Watched("x", "https://h/s/app/", None)),
        (
            "https://pages/app/?server=https%3A%2F%2Fh%3A1&watch=x#grant=g",
            Watched("x", "https://h:1", "g"),
        ),
    ],
)
def test_what_a_link_says(text: str, watched: Watched) -> None:
    assert read_link(text) == watched


@pytest.mark.parametrize(
    "given",
    [
        ("https://h/app/",),
        ("https://[h/?watch=x",),
        ("https://h/app/?watch=x", "--url", "http://127.0.0.1:1"),
    ],
)
def test_wrong_use_is_told(run_cli: Run, given: tuple[str, ...]) -> None:
    result = run_cli("resume", *given)
    assert result.returncode == 2
    assert b"link" in result.stderr
