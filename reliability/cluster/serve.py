"""The command: ``python -m reliability.cluster.serve``, which serves until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import tempfile
import webbrowser
from pathlib import Path

import click

from reliability.cluster.cluster import Cluster
from reliability.cluster.stores import running
from tests.support.leaks import LeakGuard


@click.command()
@click.option("--no-browser", is_flag=True, help="Open no page.")
def main(*, no_browser: bool) -> None:
    """Start Valkey, three servers and nginx on this machine, and open the page."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as folder, running("one", Path(folder)) as store:
        cluster = Cluster(Path(folder), LeakGuard(), store.env)
        try:
            click.echo(f"nginx    {cluster.url}")
            for name, server in zip("abc", cluster.servers, strict=True):
                click.echo(f"server {name} {server.url}, pid {server.pid}")
            click.echo(f"store    {store.servers[0].url}, pid {store.servers[0].pid}")
            click.echo("Kill one of them, and see what a reader notices. Ctrl-C ends all.")
            if not no_browser:
                webbrowser.open(cluster.url)
            signal.pause()
        except (KeyboardInterrupt, SystemExit):
            click.echo("stopping")
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
