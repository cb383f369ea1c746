"""What flows to an open page over its one WebSocket: the state of everything, alerts as they come, and pictures.

    to the page     JSON {"type": "status", ...} once a second
                    JSON {"type": "alerts", "alerts": [...]} whatever was written after `?since=SEQ`
                    binary: a byte with the length of the camera's name, the name, a JPEG
                    JSON {"type": "pictures"} after each round of them
    from the page   "pictures" when it can take another round

A page that is slow, or not looked at, asks for no pictures and so gets none late: the newest is sent, or nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from vigil.core.errors import VigilError
from vigil.delivery.alert import utc_text
from vigil.delivery.outbox import Outbox, StoredAlert
from vigil.delivery.page.cameras import Cameras

PICTURES_EVERY_S = 0.25
ALERTS_EVERY_S = 0.25
STATUS_EVERY_S = 1.0
BATCH = 200  # alerts in one message


def stored_json(stored: StoredAlert) -> dict[str, Any]:
    """Returns an alert with its place in the outbox and when it was written, for JSON."""
    written = utc_text(stored.written)
    return {
        "seq": stored.seq,
        "raised": stored.raised,
        "written": written,
        "alert": stored.alert.model_dump(mode="json"),
    }


class Feed:
    """The three flows to one page."""

    def __init__(
        self, socket: WebSocket, outbox: Outbox, cameras: Cameras, status: Callable[[], dict[str, Any]]
    ) -> None:
        self._socket = socket
        self._outbox = outbox
        self._cameras = cameras
        self._status = status
        self._is_asked = asyncio.Event()  # for pictures

    async def run(self, since: int) -> None:
        """Feed the page until it is closed."""
        await self._socket.accept()
        try:
            async with asyncio.TaskGroup() as flows:
                flows.create_task(self._listen())
                flows.create_task(self._send_alerts(since))
                flows.create_task(self._send_status())
                flows.create_task(self._send_pictures())
        except* WebSocketDisconnect:
            pass
        except* RuntimeError:  # starlette's, on sending to a page that has gone
            if self._socket.client_state is not WebSocketState.DISCONNECTED:
                raise
        except* VigilError:  # /healthz says more
            await self._socket.close(1011, "the outbox cannot be read")

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            if message.get("text") == "pictures":
                self._is_asked.set()

    async def _send_alerts(self, since: int) -> None:
        while True:
            stored = await run_in_threadpool(self._outbox.after, since, BATCH)
            if stored:
                since = stored[-1].seq
                await self._socket.send_json({"type": "alerts", "alerts": [stored_json(alert) for alert in stored]})
            if len(stored) < BATCH:
                await asyncio.sleep(ALERTS_EVERY_S)

    async def _send_status(self) -> None:
        while True:
            await self._socket.send_json({"type": "status"} | await run_in_threadpool(self._status))
            await asyncio.sleep(STATUS_EVERY_S)

    async def _send_pictures(self) -> None:
        sent: dict[str, int] = {}
        while True:
            await self._is_asked.wait()
            self._is_asked.clear()
            for camera in await run_in_threadpool(self._cameras):  # which encodes pictures
                if camera.jpeg is not None and sent.get(camera.name) != camera.frame_index:
                    sent[camera.name] = camera.frame_index
                    name = camera.name.encode()
                    await self._socket.send_bytes(bytes([len(name)]) + name + camera.jpeg)
            await self._socket.send_json({"type": "pictures"})
            await asyncio.sleep(PICTURES_EVERY_S)
