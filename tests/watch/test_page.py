"""The page beside the cameras: where it dies, that is said and they are watched on."""

import time

import pytest
from fastapi import FastAPI

from vigil.delivery.page.server import PageServer
from vigil.watch.cameras import say_if_dead


def test_a_page_that_has_died_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with PageServer(FastAPI(), "127.0.0.1", 0) as page:
        assert say_if_dead(page) is page
        page._server.should_exit = True  # as an error in its thread ends it
        until = time.monotonic() + 30
        while page.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        left = say_if_dead(page)
        assert left is None and say_if_dead(left) is None
    assert capsys.readouterr().err.splitlines() == [
        f"{page.url}: the page has ended. Cameras are watched on and alerts are sent; start vigil anew to see them."
    ]
