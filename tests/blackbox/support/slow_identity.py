"""slow_identity - a proxy before identity that delays answers and counts look-ups."""

import http.client
import http.server
import threading
import time
from collections import Counter

from support.wait import HANG_S


class SlowIdentity:
    """A context manager; it listens on a port of its own."""

    def __init__(self, identity_port: int, takes_s: float):
        self.lookups: Counter[str] = Counter()  # look-ups by Authorization header
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      handler(self, identity_port, takes_s))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "SlowIdentity":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def handler(slow: SlowIdentity, identity_port: int, takes_s: float):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.behind = http.client.HTTPConnection("127.0.0.1", identity_port, timeout=HANG_S)

        def finish(self) -> None:
            self.behind.close()
            super().finish()

        def do_GET(self) -> None:
            bearer = self.headers["Authorization"]
            headers = {"Authorization": bearer} if bearer else {}
            if bearer:  # a probe has none
                slow.lookups[bearer] += 1
            time.sleep(takes_s)
            self.behind.request("GET", self.path, headers=headers)
            answer = self.behind.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    return Handler
