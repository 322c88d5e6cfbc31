"""A server of one page and of how it stands: 127.0.0.1 alone, GET alone, no files.

Other pages in the reader's browser may not ask either: a name of theirs that was made to lead
here (DNS rebinding) is told by the Host header.
"""

import json
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
HTTP = "80"
"""The port that a browser leaves out."""
SECONDS = 20
"""How long a connection may stay silent."""
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, page: Callable[[], str], state: Callable[[], Mapping[str, Any]], port: int
    ) -> None:
        super().__init__((HOST, port), Handler)
        self.contents = {
            "/": ("text/html; charset=utf-8", page),
            "/state": ("application/json", lambda: json.dumps(state())),
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who went away is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = SECONDS
    server_version, sys_version = "kdsearch", ""

    def do_GET(self) -> None:  # the name that the base class looks for
        name, _, port = self.headers.get("Host", "").partition(":")
        if name not in NAMES or (port or HTTP) != str(self.server.server_address[1]):
            self.refuse(HTTPStatus.FORBIDDEN)
        elif self.path not in self.server.contents:
            self.refuse(HTTPStatus.NOT_FOUND)
        else:
            kind, made = self.server.contents[self.path]
            self.answer(kind, made().encode())

    def answer(self, kind: str, content: bytes) -> None:
        tag = f'"{sha256(content).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == tag:
            self.begin(HTTPStatus.NOT_MODIFIED, {"ETag": tag})
            return
        length = {"Content-Length": str(len(content))}
        self.begin(HTTPStatus.OK, {"ETag": tag, "Content-Type": kind, **length})
        self.wfile.write(content)

    def refuse(self, status: HTTPStatus) -> None:
        line = f"{status.value} {status.phrase}\n".encode()
        self.begin(status, {"Content-Type": "text/plain", "Content-Length": str(len(line))})
        self.wfile.write(line)

    def begin(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """The terminal is left in peace."""
