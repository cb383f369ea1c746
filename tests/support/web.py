"""A site on 127.0.0.1 that serves a folder, and misbehaves on demand."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self


class Site:
    """`with Site(folder) as site`: `site.url("a/clip.mp4")` is served from the folder, ranges too.

    cut    paths whose answer stops half-way      busy   paths that answer 429
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cut: set[str] = set()
        self.busy: set[str] = set()
        self.asked: list[tuple[str, str]] = []  # path and range of every request
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                path = self.path.lstrip("/").partition("?")[0]
                span = self.headers.get("Range", "")
                site.asked.append((path, span))
                file = site.folder / path
                if path in site.busy:
                    self.send_error(429)
                elif not file.is_file():
                    self.send_error(404)
                else:
                    self._send(file, span, path in site.cut)

            def _send(self, file: Path, span: str, cut: bool) -> None:
                data = file.read_bytes()
                begin = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
                self.send_response(206 if span else 200)
                if span:
                    self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
                kind = {".mp4": "video/mp4", ".html": "text/html", ".rss": "application/rss+xml"}
                self.send_header("Content-Type", kind.get(file.suffix, "application/octet-stream"))
                self.send_header("Content-Length", str(len(data) - begin))
                self.end_headers()
                rest = data[begin:]
                if self.command == "GET":
                    try:
                        self.wfile.write(rest[: len(rest) // 2] if cut else rest)
                    except OSError:
                        self.close_connection = True  # the reader has seen enough

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{path}"

    def page(self, name: str, paths: list[str]) -> str:
        """A page that lists videos: for yt-dlp a playlist."""
        videos = "".join(f'<video src="/{path}"></video>' for path in paths)
        (self.folder / name).write_text(f"<html><title>Clips</title><body>{videos}</body></html>")
        return self.url(name)

    def fetched(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
