"""Serves the page from a thread, beside whatever else the process does."""

import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from vigil.core.errors import VigilError
from vigil.delivery.page.address import bind_socket

START_S = 60.0  # s, of a machine that has much else to do
STOP_S = 1.0  # s for open pages to be told, at the end


class PageServer:
    """`with PageServer(app, host, port) as server`: listens from then on; `server.url` is where."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        """VigilError where it cannot listen there. Port 0 is any that is free."""
        self._socket = bind_socket(host, port)
        address, bound_port = self._socket.getsockname()[:2]
        self.url = f"http://[{address}]:{bound_port}" if ":" in address else f"http://{address}:{bound_port}"
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(STOP_S),
            ws_per_message_deflate=False,  # pictures are compressed already
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="page", daemon=True)

    def is_alive(self) -> bool:
        """Whether the page is still served."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        until = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                raise VigilError(f"--serve {self.url}: the page did not start.")
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(2 * STOP_S)
        self._socket.close()
