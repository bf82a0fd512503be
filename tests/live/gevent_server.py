"""The app on gevent's own WSGI server, as docs/deployment.md has it."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402 (gevent first)
import sys  # noqa: E402

from gevent.pywsgi import WSGIServer  # noqa: E402

from textstream.web.signals import drain_on_signals  # noqa: E402
from textstream.wsgi import app  # noqa: E402

server = WSGIServer(("127.0.0.1", 0), app, log=None)
drain = float(os.environ["TEXTSTREAM_DRAIN"])
drain_on_signals(app.extensions["textstream"], drain, finish=server.stop)
server.start()
print(f"listening on http://127.0.0.1:{server.server_port}", file=sys.stderr, flush=True)
server.serve_forever()
