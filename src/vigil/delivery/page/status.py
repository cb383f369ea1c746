"""How everything stands: cameras, alerts that go on, targets, and what is wrong."""

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from vigil.core.errors import VigilError
from vigil.delivery.alert import utc_text
from vigil.delivery.outbox import Outbox
from vigil.delivery.page.cameras import Cameras, camera_json


class LiveStatus:
    """Reads everything anew whenever it is asked."""

    def __init__(self, outbox: Outbox, cameras: Cameras, problems: Callable[[], Sequence[str]]) -> None:
        self._outbox = outbox
        self._cameras = cameras
        self._problems = problems
        self._started = utc_text(time.time())

    def describe(self) -> dict[str, Any]:
        """Returns all of it, for JSON."""
        return {
            "vigil": version("vigil"),
            "started": self._started,
            "now": utc_text(time.time()),
            "cameras": [camera_json(camera) for camera in self._cameras()],
            "open_alerts": [
                {"id": stored.alert.id, "camera": stored.alert.camera, "label": stored.alert.label}
                for stored in self._outbox.open_alerts()
            ],
            "targets": [vars(target) for target in self._outbox.deliveries.states()],
            "last_seq": self._outbox.last_seq(),
            "problems": self.find_problems(),
        }

    def find_problems(self) -> list[str]:
        """Returns what is wrong with this vigil, a line each; empty when all is well."""
        try:
            self._outbox.last_seq()
        except VigilError as error:
            return [str(error), *self._problems()]
        return list(self._problems())
