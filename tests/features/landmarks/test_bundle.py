"""The pose landmarker bundle: aligned, stored, the same bytes every time, and honest about what it was made from."""

import zipfile
from pathlib import Path

import pytest

from vigil.core.errors import VigilError
from vigil.core.storage import sha256_file
from vigil.features.landmarks.bundle import ALIGN, IN_WHEEL, extract_networks, write_bundle


def test_the_bundle_of_the_wheel_has_the_known_bytes(pretrained: Path, tmp_path: Path) -> None:
    published_sha256 = "bbb96cd483659b1ce84f04f88b81011f3d05c6ec389b7580a402d0622b238344"
    parts = {
        "pose_detector.tflite": (pretrained / "pose_detector.tflite").read_bytes(),
        "pose_landmarks_detector.tflite": (pretrained / "pose_landmarks.tflite").read_bytes(),
    }
    write_bundle(parts, tmp_path / "made.task")
    assert sha256_file(tmp_path / "made.task") == sha256_file(pretrained / "pose_landmarker.task") == published_sha256


def test_networks_lie_aligned_and_uncompressed(pretrained: Path) -> None:
    data = (pretrained / "pose_landmarker.task").read_bytes()
    with zipfile.ZipFile(pretrained / "pose_landmarker.task") as archive:
        for info in archive.infolist():
            begin = data.index(archive.read(info))
            assert begin % ALIGN == 0
            assert info.compress_type == zipfile.ZIP_STORED
    assert set(extract_networks(pretrained / "pose_landmarker.task")) == set(IN_WHEEL)


def test_what_holds_no_networks_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "page.task").write_text("<html>404</html>")
    with pytest.raises(VigilError, match=r"page\.task: neither a wheel nor a pose landmarker bundle"):
        extract_networks(tmp_path / "page.task")
    with zipfile.ZipFile(tmp_path / "face.task", "w") as archive:
        archive.writestr("face_detector.tflite", b"")
    with pytest.raises(VigilError, match=r"face\.task: no pose networks inside"):
        extract_networks(tmp_path / "face.task")
