"""Servers for the tests: one of files that misbehaves on demand, and rclone's S3."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.patience import PATIENCE

KEYS = ("AKIDCHAINBEASTS", "an-s3-secret-of-the-tests")
BUCKET = "beasts"


class Web:
    """A web server over a folder.

    Attributes:
        mood: how it answers; "well", or what it does instead.
        asked: paths that were asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mood = "well"
        self.asked: list[str] = []
        self.release = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/states"

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits for the reader's acknowledgement

        def do_GET(self) -> None:
            web.asked.append(self.path)
            path = web.folder / Path(self.path).name
            if web.mood == "mute":
                web.release.wait(PATIENCE)
            elif web.mood == "error":
                self._answer(500, b"")
            elif web.mood == "forbidden":
                self._answer(403, b"")
            elif web.mood == "endless":
                self._answer(200, b"", 10**12)
                while self._pour(b"\0" * 65_536):
                    pass
            elif not path.exists():
                self._answer(404, b"")
            elif web.mood == "stalling":
                data = path.read_bytes()
                self._answer(200, data[:100], len(data))
                web.release.wait(PATIENCE)
            elif web.mood == "breaking":
                data = path.read_bytes()
                self._answer(200, data[:100], len(data))
                self.close_connection = True
            else:
                self._answer(200, path.read_bytes())

        def _answer(self, code: int, body: bytes, length: int | None = None) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self._pour(body)

        def _pour(self, data: bytes) -> bool:
            try:
                self.wfile.write(data)
                self.wfile.flush()
            except OSError:
                self.close_connection = True
                return False
            return True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def s3_server(root: Path, port: int = 0) -> Iterator[int]:
    """rclone's S3 server over a folder of buckets; its port."""
    program = Path(sys.executable).with_name("rclone")
    (root / BUCKET).mkdir(parents=True, exist_ok=True)
    command = [str(program), "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    command += ["--dir-cache-time", "0s", str(root)]  # tests write behind its back
    environment = {
        **os.environ,
        "RCLONE_AUTH_KEY": '"{},{}"'.format(*KEYS),
        "RCLONE_CONFIG": str(root / "none.conf"),
    }
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
                if found:
                    break
            else:
                raise AssertionError("rclone does not serve")
            yield int(found[1])
        finally:
            process.kill()
