"""What the three ways to landmarks share."""

import threading
from pathlib import Path

from vigil.features.landmarks.finders import OpenNetworks


class Opened:
    def __init__(self, folder: Path, confidence: float = 0.0) -> None:
        self.said = folder.joinpath("w.bin").read_text(), confidence


def test_networks_are_opened_once_and_anew_when_they_have_changed(tmp_path: Path) -> None:
    weights, cache = tmp_path / "w.bin", OpenNetworks()
    weights.write_text("one")
    first = cache.open_once(Opened, tmp_path)
    assert cache.open_once(Opened, tmp_path) is first
    assert cache.open_once(Opened, tmp_path, 0.5).said == ("one", 0.5)
    weights.write_text("other")
    assert cache.open_once(Opened, tmp_path, 0.5).said == ("other", 0.5)


def test_threads_do_not_share_networks(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_text("one")
    cache, networks_seen = OpenNetworks(), []
    for _ in range(2):
        thread = threading.Thread(target=lambda: networks_seen.append(cache.open_once(Opened, tmp_path)))
        thread.start()
        thread.join()
    assert networks_seen[0] is not networks_seen[1]
