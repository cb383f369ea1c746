"""Cameras by number: one that is not there is said to be missing at once, and is not waited for."""

from pathlib import Path

import pytest

from vigil.capture.camera_file import load_cameras
from vigil.capture.network import require_webcams
from vigil.capture.sources import expand_sources, parse_source
from vigil.core.errors import VigilError


def test_a_number_without_a_camera_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    for name in ("video0", "video12", "video12a", "null"):
        (tmp_path / name).touch()
    require_webcams([parse_source("0"), parse_source("12"), parse_source("rtsp://host/1")], tmp_path)
    with pytest.raises(VigilError, match=r"webcam 3: no such camera \(.*/video3\)\. Cameras here: 0, 12\."):
        require_webcams([parse_source("0"), parse_source("3")], tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(VigilError, match="none is connected"):
        require_webcams([parse_source("0")], tmp_path / "none")


def test_one_of_a_file_of_cameras_may_be_plugged_in_later(tmp_path: Path) -> None:
    Path("site.yaml").write_text('door: {source: "7"}\n')
    require_webcams(expand_sources(["door"], load_cameras(Path("site.yaml"))), tmp_path)
