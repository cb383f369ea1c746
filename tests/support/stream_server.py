"""A site with streams on 127.0.0.1, as a process that can be killed: `python stream_server.py PORT FOLDER`.

    /mjpeg                     pictures without end, 20 a second, 160x120, each with its number (see videos.py)
    /resized                   the same; from the 40th on 192x144
    /stalled                   the same; after the 40th nothing comes, and the connection stays
    /secret/mjpeg              wants the user admin and the password p@ss/w:rd
    /live.m3u8                 HLS of the segments live0.ts, live1.ts, ... of the folder, 1 s each, over and over
    /<file>                    of the folder, ranges too
    /broken/<file>             the same, but each answer breaks off after 10,000 bytes
    /page                      an HTML page without a video

Prints a line when it is ready.
"""

import base64
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import cv2
from videos import picture

FPS = 20
PIECE = 10_000
BEGUN = time.monotonic()
TYPES = {".mp4": "video/mp4", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".html": "text/html"}
LOGIN = "Basic " + base64.b64encode(b"admin:p@ss/w:rd").decode()


class Handler(BaseHTTPRequestHandler):
    folder = Path()

    def do_GET(self) -> None:
        path = self.path.lstrip("/").partition("?")[0]
        try:
            if path.startswith("secret/"):
                if self.headers.get("Authorization") != LOGIN:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.end_headers()
                    return
                path = path.removeprefix("secret/")
            if path in {"mjpeg", "resized", "stalled"}:
                self._send_pictures(path)
            elif path == "live.m3u8":
                self._send(self._playlist().encode(), ".m3u8")
            elif path == "page":
                self._send(b"<html><body>nothing to see</body></html>", ".html")
            else:
                self._send_file(path)
        except OSError:
            self.close_connection = True

    def _send_pictures(self, mode: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        begun = time.monotonic()
        for number in count():
            if mode == "stalled" and number == 40:
                time.sleep(3600)
            size = (192, 144) if mode == "resized" and number >= 40 else (160, 120)
            image = cv2.cvtColor(picture(number % 1024, size), cv2.COLOR_RGB2BGR)
            data = cv2.imencode(".jpg", image)[1].tobytes()
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data))
            self.wfile.write(data + b"\r\n")
            time.sleep(max(begun + (number + 1) / FPS - time.monotonic(), 0))

    def _playlist(self) -> str:
        segments = len(list(self.folder.glob("live*.ts")))
        newest = int(time.monotonic() - BEGUN)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{newest}"]
        for number in range(newest, newest + 3):
            discontinuity = ["#EXT-X-DISCONTINUITY"] if number % segments == 0 else []
            lines += [*discontinuity, "#EXTINF:1.0,", f"live{number % segments}.ts"]
        return "\n".join(lines) + "\n"

    def _send_file(self, path: str) -> None:
        breaks, path = path.startswith("broken/"), path.removeprefix("broken/")
        file = self.folder / path
        if not file.is_file():
            self.send_error(404)
            return
        data = file.read_bytes()
        span = self.headers.get("Range", "")
        begin = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
        self._send(data[begin:], file.suffix, (begin, len(data)) if span else None, PIECE if breaks else None)

    def _send(self, data: bytes, suffix: str, part: tuple[int, int] | None = None, limit: int | None = None) -> None:
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {part[0]}-{part[1] - 1}/{part[1]}")
        self.send_header("Content-Type", TYPES.get(suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:limit])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    Handler.folder = Path(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    print("ready", flush=True)
    server.serve_forever()
