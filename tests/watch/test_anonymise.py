"""`vigil detect --anonymise`: no head is left in what is written, and what is found is what is found without it."""

import io
import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from commands import run_failing
from judged_people import bring_networks, film_people, save_calibrated
from videos import film

from vigil.capture.frames import Frame
from vigil.capture.live.camera import Camera
from vigil.capture.sources import parse_source
from vigil.cli.main import main
from vigil.delivery.alert import Alert
from vigil.detect.detector import Detector
from vigil.evidence.hidden_clips import hide_clip
from vigil.evidence.hiding import HeadTimes
from vigil.footage.video.views import ImageView, read_views
from vigil.watch.camera_watch import CameraWatch

FILM = Path("talk.mp4")
SETS = {"poses": ["panic", "pose_lstm"], "boxes": ["crime_gate"]}
SECTIONS = {"panic": ("landmarks", "flow"), "pose_lstm": ("landmarks", "segments"), "crime_gate": ()}


@pytest.fixture(params=list(SETS))
def names(request: pytest.FixtureRequest, people_networks: Path) -> list[str]:
    """Models that look at people, or one that does not, with the networks that find them."""
    lineage = bring_networks(people_networks)
    for name in SETS[request.param]:
        save_calibrated(name, {key: lineage[key] for key in ("frames", *SECTIONS[name])})
    film_people(FILM)
    return SETS[request.param]


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def detail(image: np.ndarray, circle: np.ndarray) -> float:
    """How much of a head can be seen: the mean step from pixel to pixel within its inner part."""
    x, y, radius = circle
    reach = max(2, round(0.55 * radius))
    patch = image[max(0, round(y) - reach) : round(y) + reach, max(0, round(x) - reach) : round(x) + reach]
    grey = cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_RGB2GRAY).astype(float)
    return float(np.abs(np.diff(grey, axis=1)).mean() + np.abs(np.diff(grey, axis=0)).mean())


def find_heads(names: list[str]) -> list[tuple[int, np.ndarray]]:
    with Detector.load("models", names, find_heads=True) as detector:
        stored = [step.stored for step in detector.steps(read_views(FILM)) if step.stored is not None]
    return [(frame.index, circle) for frame in stored for circle in frame.heads]


def run(names: list[str], out: str, *words: str) -> None:
    outputs = ["--alerts", f"{out}/alerts.jsonl", "--scores", f"{out}/s.csv", "--anomalies", f"{out}/a.json"]
    outputs += ["--video", f"{out}/v.mp4", "--pictures", f"{out}/p", "--clips", f"{out}/c", "--outbox", f"{out}/o.db"]
    assert main(["detect", str(FILM), "--models", ",".join(names), "--threshold", "0.01", *outputs, *words]) == 0


def test_alerts_and_scores_are_the_same_and_heads_are_hidden_in_clips_and_video(names: list[str]) -> None:
    run(names, "plain")
    run(names, "hidden", "--anonymise")
    for name in ("alerts.jsonl", "s.csv", "a.json"):
        assert Path("plain", name).read_bytes() == Path("hidden", name).read_bytes(), name
    assert Path("plain/alerts.jsonl").read_bytes().count(b"\n") >= 2
    heads = find_heads(names)
    assert len({index for index, _ in heads}) > 15, "people are found in most frames"
    clips = sorted(path.name for path in Path("hidden/c").glob("*.mp4"))
    assert clips == sorted(path.name for path in Path("plain/c").glob("*.mp4")) and clips
    original = frames_of(FILM)
    for name in clips:
        hidden = frames_of(Path("hidden/c", name))
        assert len(hidden) == len(original), "a clip of the whole film, which is short"
        assert np.allclose(times_of(Path("hidden/c", name)), times_of(FILM), atol=1e-3)
        left = [detail(hidden[index], circle) for index, circle in heads]
        seen = [detail(original[index], circle) for index, circle in heads]
        assert np.median(left) < 0.5 * np.median(seen)
        corner = np.s_[:40, :40]
        assert np.abs(hidden[20][corner].astype(int) - original[20][corner]).mean() < 6, "all else is to be seen"
    plain, drawn = frames_of(Path("plain/v.mp4")), frames_of(Path("hidden/v.mp4"))
    assert len(plain) == len(drawn) and any(not np.array_equal(*pair) for pair in zip(plain, drawn, strict=True))


def test_pictures_of_a_camera_on_disk_and_on_the_page_show_no_head(names: list[str]) -> None:
    heads = dict(find_heads(names))
    put: list[Alert] = []
    images = {view.index: view.rgb() for view in read_views(FILM)}
    camera = Camera(parse_source("rtsp://192.0.2.1/1", "door"))
    began, tiles = datetime(2026, 11, 28, tzinfo=UTC), {}
    with Detector.load("models", names, threshold="0.01", find_heads=True) as detector:
        watch = CameraWatch(camera, detector, Path("ev"), put.append, lambda *_: None)
        for index, image in images.items():
            watch.take(
                Frame(index, Fraction(index, 12), began + timedelta(seconds=index / 12), image, 0, image.shape[1::-1])
            )
            tiles[index] = watch.snapshot().jpeg
        watch.finish()
    camera.close()
    raised = [alert for alert in put if alert.picture]
    assert raised
    for alert in raised:
        index = round(12 * alert.start.source_s)
        picture = cv2.imread(f"ev/{alert.picture}")[..., ::-1]
        if index in heads and detail(images[index], heads[index]) > 8:
            assert detail(picture, heads[index]) < 0.6 * detail(images[index], heads[index])
    rich = [(index, circle) for index, circle in heads.items() if detail(images[index], circle) > 8]
    assert len(rich) > 5
    pictures = {index: cv2.imdecode(np.frombuffer(tiles[index], np.uint8), cv2.IMREAD_COLOR) for index, _ in rich}
    left = [detail(pictures[index][..., ::-1], circle) for index, circle in rich]
    assert np.median(left) < 0.5 * np.median([detail(images[index], circle) for index, circle in rich])


def test_a_clip_in_memory_keeps_its_times_and_loses_its_heads() -> None:
    path = film(Path("walk.mp4"), frames=24, fps=8, size=(97, 65), options={"bf": "2"}, pixels="yuv444p")
    heads = HeadTimes()
    heads.add(100.0, np.array([[48.0, 16.0, 20.0]]))
    hide_clip(io.BytesIO(path.read_bytes()), Fraction(100), heads, (97, 65), Path("out/clip.mp4"))
    assert np.allclose(np.diff(times_of(Path("out/clip.mp4"))), 1 / 8, atol=1e-3)
    shown, hidden = frames_of(path), frames_of(Path("out/clip.mp4"))
    assert len(hidden) == 24 and hidden[0].shape == (64, 96, 3)
    circle = np.array([48.0, 16.0, 20.0])
    assert detail(hidden[21], circle) < 0.5 * detail(shown[21], circle)


def test_without_a_network_that_finds_people_it_is_refused(
    people_networks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lineage: dict[str, Any] = bring_networks(people_networks)
    save_calibrated("crime_gate", {"frames": lineage["frames"]})
    Path("models/pretrained/nanodet.onnx").unlink()
    film(Path("gate.mp4"), frames=8, fps=8, size=(96, 64))
    line = run_failing(capsys, "detect", "gate.mp4", "--anonymise")
    assert "there is no network that finds them" in line
    assert main(["detect", "gate.mp4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["recordings"] == 1


def test_a_detector_finds_no_heads_unless_it_is_asked(names: list[str]) -> None:
    with Detector.load("models", names) as detector:
        step = detector.step(ImageView(0, Fraction(0), np.zeros((64, 96, 3), np.uint8)))
        assert step.stored is not None and step.stored.heads is None
