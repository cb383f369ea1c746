"""The one WebSocket of a page: alerts, status, and pictures only when they are asked for."""

import json
import time
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
import pytest
from alert_feed import drawn_alert, ended_alert
from page_site import Site, snapshot
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect


def messages(socket: ClientConnection, seconds: float) -> list[dict[str, Any] | bytes]:
    until, received = time.monotonic() + seconds, []
    while (left := until - time.monotonic()) > 0:
        try:
            message = socket.recv(timeout=left)
        except TimeoutError:
            break
        received.append(message if isinstance(message, bytes) else json.loads(message))
    return received


def of_kind(received: list[dict[str, Any] | bytes], kind: str) -> list[dict[str, Any]]:
    return [message for message in received if isinstance(message, dict) and message["type"] == kind]


def test_alerts_come_as_they_are_written_and_after_what_the_page_has(site: Site) -> None:
    site.outbox.put(drawn_alert(0))
    site.outbox.put(drawn_alert(1))
    with connect(f"{site.live}?since=1") as socket:
        first = of_kind(messages(socket, 1.0), "alerts")
        assert [entry["seq"] for message in first for entry in message["alerts"]] == [2]
        site.outbox.put(ended_alert(drawn_alert(1)))
        second = of_kind(messages(socket, 1.0), "alerts")
        assert [entry["alert"]["revision"] for message in second for entry in message["alerts"]] == [2]


def test_the_status_comes_by_itself(site: Site) -> None:
    with connect(site.live) as socket:
        received = of_kind(messages(socket, 2.5), "status")
        assert 2 <= len(received) <= 4
        assert [camera["state"] for camera in received[0]["cameras"]] == ["live", "live"]


def test_no_picture_comes_unasked_and_none_twice(site: Site) -> None:
    def pictures(received: list[dict[str, Any] | bytes]) -> list[tuple[str, int]]:
        shown = []
        for message in received:
            if isinstance(message, bytes):
                name, data = message[1 : 1 + message[0]].decode(), message[1 + message[0] :]
                image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
                shown.append((name, round(float(image.mean()))))
        return shown

    site.cameras = [snapshot("Straße", 10), snapshot("yard", 10)]
    with connect(site.live) as socket:
        assert pictures(messages(socket, 0.7)) == []
        socket.send("pictures")
        assert pictures(messages(socket, 0.7)) == [("Straße", 10), ("yard", 10)]
        for frame in range(20, 200):  # while the page is busy
            site.cameras = [snapshot("Straße", frame), snapshot("yard", 10)]
        socket.send("pictures")
        assert pictures(messages(socket, 0.7)) == [("Straße", 199)], "the newest, and not what has not changed"


def test_a_page_that_always_asks_gets_two_to_five_pictures_a_second(site: Site) -> None:
    with connect(site.live) as socket:
        count, until, frame = 0, time.monotonic() + 3.0, 0
        socket.send("pictures")
        while time.monotonic() < until:
            frame += 1
            site.cameras = [snapshot("gate", frame)]
            message = socket.recv(timeout=5)
            count += isinstance(message, bytes)
            if not isinstance(message, bytes) and json.loads(message)["type"] == "pictures":
                socket.send("pictures")
        assert 2 * 3 - 1 <= count <= 5 * 3


def test_many_pages_may_be_open_and_closed(site: Site) -> None:
    with ExitStack() as stay:
        with ExitStack() as leave:
            for stack in (leave, stay) * 5:
                stack.enter_context(connect(site.live))
            pages = [stay.enter_context(connect(site.live)) for _ in range(5)]
        site.outbox.put(drawn_alert(0))
        assert all(of_kind(messages(page, 0.6), "alerts") for page in pages)


def test_the_end_does_not_wait_for_open_pages(site: Site) -> None:
    with connect(site.live) as socket:
        socket.recv(timeout=5)
        began = time.monotonic()
        site.server.__exit__(None, None, None)
        assert time.monotonic() - began < 2.0
        assert not site.server.is_alive()


def test_an_outbox_that_cannot_be_read_closes_the_page_with_the_reason(site: Site) -> None:
    with connect(site.live) as socket:
        messages(socket, 0.3)
        site.outbox.close()
        with pytest.raises(ConnectionClosedError, match=r"1011.*the outbox cannot be read"):
            messages(socket, 5.0)
