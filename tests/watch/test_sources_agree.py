"""The same footage from a file, from standard input, over HTTP, and frame by frame with rests: one judgement."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from judged_people import bring_networks, film_people, save_calibrated
from servers import rtsp_server, stream_server
from watching import watch

from vigil.capture.live.camera import Camera
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.sources import parse_source
from vigil.cli.main import main
from vigil.detect.alerts import AlertChange
from vigil.detect.detector import Detector
from vigil.footage.video.reading import read_frames
from vigil.footage.video.views import View, read_views
from vigil.footage.video.writing import VideoWriter

SECTIONS = {"panic": "flow", "pose_lstm": "segments", "activity": "masked"}  # what each model looks at
NAMES = tuple(SECTIONS)
LOUD = "p90"  # models that have learnt nothing raise something then
FILM = Path("films/one.mp4")
SECONDS = 6
Judged = tuple[list[float] | None, list[AlertChange]]  # the raw scores of a frame, and what it raises and ends


@pytest.fixture
def detecting_models(people_networks: Path) -> None:
    """Models of flow, of poses and of pictures in which people are hidden, with the networks that find people."""
    lineage = bring_networks(people_networks)
    for name, section in SECTIONS.items():
        save_calibrated(name, {key: lineage[key] for key in ("frames", "landmarks", section)})


def film_street(source: Path) -> None:
    """The first seconds of a film, which is not shown again where it ends."""
    frames = list(takewhile(lambda frame: frame.time_s < SECONDS, read_frames(source)))
    rate = 1 / (frames[1].time_s - frames[0].time_s)
    with VideoWriter(FILM, rate, (frames[0].image.shape[1], frames[0].image.shape[0])) as video:
        for frame in frames:
            video.write(frame.image)


@pytest.fixture(params=["drawn", "vtest.avi", "avenue-campus.mp4"])
def footage(request: pytest.FixtureRequest) -> None:
    FILM.parent.mkdir()
    if request.param == "drawn":
        film_people(FILM, SECONDS * 12)
    else:
        film_street(request.getfixturevalue("real_data") / "pedestrians" / request.param)


def read_scores(path: str) -> dict[str, np.ndarray]:
    rows = list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))
    columns = ["time_s", *(f"{name}_score" for name in NAMES)]
    return {column: np.array([float(row[column] or "nan") for row in rows]) for column in columns}


def require_equal(scores: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> None:
    for name, values in scores.items():
        assert np.isfinite(values).any(), name
        assert np.allclose(values, others[name], rtol=0, atol=1e-5, equal_nan=True), name


def read_spans(path: str) -> list[tuple[str, float, float]]:
    """What was raised, from when to when."""
    alerts = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [
        (alert["detectors"][0]["detector"], alert["start"]["source_s"], alert["stop"]["source_s"])
        for alert in alerts
        if alert["stop"] is not None
    ]


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("detecting_models", "footage")
def test_a_file_a_pipe_and_an_address_are_judged_alike() -> None:
    words = ["--models", ",".join(NAMES), "--threshold", LOUD]

    def outputs(name: str) -> list[str]:
        return ["--scores", f"{name}.csv", "--alerts", f"{name}.jsonl", "--outbox", f"{name}.sqlite"]

    assert main(["detect", str(FILM), *words, *outputs("file")]) == 0
    assert read_spans("file.jsonl"), "else this shows nothing"
    command = [sys.executable, "-m", "vigil.cli.main", "detect", "-", *words, *outputs("pipe")]
    with FILM.open("rb") as film:
        subprocess.run(command, stdin=film, check=True, capture_output=True)
    with stream_server(FILM.parent) as server:
        assert main(["detect", server.url(FILM.name), *words, *outputs("address")]) == 0
    for other in ("pipe", "address"):
        require_equal(read_scores("file.csv"), read_scores(f"{other}.csv"))
        assert read_spans("file.jsonl") == read_spans(f"{other}.jsonl")


def film_for_camera(path: Path) -> None:
    """The film as cameras code it, whose pictures come in their order."""
    frames = list(read_frames(FILM))
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=round(1 / (frames[1].time_s - frames[0].time_s)))
        stream.height, stream.width, stream.pix_fmt = *frames[0].image.shape[:2], "yuv420p"
        stream.options = {"bf": "0", "g": "20", "preset": "veryfast"}
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="rgb24")))
        file.mux(stream.encode())


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("detecting_models", "footage")
def test_a_camera_is_judged_like_the_file_that_it_sends() -> None:
    """The frames are read first and then judged, so that a slow machine loses few; what it loses the file lacks too."""
    sent = Path("films/camera.mp4")
    film_for_camera(sent)
    with Detector.load("models", NAMES, threshold=LOUD) as detector:
        assert detector.plan.flow is not None
        params = CameraParams(size_px=detector.plan.frames.size, square_px=detector.plan.flow.size)
        recorded = list(read_views(sent))
        with rtsp_server(sent, "door") as server, Camera(parse_source(server.url("door", "rtsp")), params) as camera:
            frames, _ = watch(camera, lambda frames, events: bool(events) or len(frames) >= len(recorded))
        assert len(frames) > len(recorded) / 2
        began_s = frames[0].time_s - recorded[frames[0].index].time_s
        views = [replace(recorded[frame.index], time_s=frame.time_s) for frame in frames]
        assert all(abs(view.time_s - recorded[view.index].time_s - began_s) < 0.001 for view in views)
        by_file = list(judge_live(detector, views))
        detector.reset()
        by_camera = list(judge_live(detector, frames))
    assert [changes for _, changes in by_file if changes], "else this shows nothing"
    require_same_judgement(by_file, by_camera)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("detecting_models", "footage")
@pytest.mark.parametrize("seed", [1, 2])
def test_rests_between_frames_change_nothing(seed: int) -> None:
    """After every few frames another detector goes on from what is remembered."""
    views = list(read_views(FILM))
    with Detector.load("models", NAMES, threshold=LOUD) as detector:
        expected = list(judge_live(detector, views))
        cuts = np.sort(np.random.default_rng(seed).choice(np.arange(1, len(views)), 5, replace=False)).tolist()
        judged: list[Judged] = []
        for start, stop in zip([0, *cuts], [*cuts, len(views)], strict=True):
            other = detector.copy()
            other.state = detector.state if start else other.state
            judged += judge_live(other, views[start:stop])
            detector.state = other.state
    require_same_judgement(expected, judged)


def require_same_judgement(expected: list[Judged], judged: list[Judged]) -> None:
    assert [scores for scores, _ in expected if scores is not None]
    for (scores, changes), (others, again) in zip(expected, judged, strict=True):
        assert scores == others or np.allclose(scores or (), others or (), rtol=0, atol=1e-5, equal_nan=True)
        assert [change.change for change in changes] == [same.change for same in again]
        for change, same in zip(changes, again, strict=True):
            assert asdict(change.alert) == pytest.approx(asdict(same.alert), abs=1e-5)


def judge_live(detector: Detector, views: Iterable[View]) -> Iterator[Judged]:
    """Frame by frame; None stands for the scores of one that is not stored."""
    for view in views:
        step = detector.step(view)
        scores = None if step.scores is None else [step.scores.scores[name].raw for name in NAMES]
        yield scores, list(step.changes)
