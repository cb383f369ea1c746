"""What the landmarks stage costs, and what it finds on real footage.

    python benchmarks/landmarks.py [--pretrained DIR] [--repeats 3] [--only cost|speed|real] [--sheets DIR]

`cost` follows the people of a photograph that moves as params.yaml says: processor time of a frame, and memory.
`speed` does so with BlazePose: against the bare network calls that this takes, against
detecting in every frame, two workers against one, memory of a worker. `real` needs the clips under VIGIL_REAL_DATA:
share of frames with a plausible pose, as params.yaml says, by BlazePose on tiles, and by MediaPipe's PoseLandmarker on
whole frames; `--sheets` leaves contact sheets of the first to look at.
"""

import argparse
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vigil.core import settings
from vigil.core.params import load
from vigil.engine.per_video import Item, Runtime, run_per_video
from vigil.features.frames import decode_jpeg, encode_jpeg, make_sampler, save_frames
from vigil.features.landmarks import blazepose, estimators, finders, topdown
from vigil.features.landmarks.estimators import START, Settings, find_people
from vigil.features.landmarks.skeleton import BONES
from vigil.footage.video import reading
from vigil.stages.landmarks import track_people

PARAMS = Settings(
    backend="topdown", detector="mediapipe", confidence=0.4, tile=None, every_s=0.5, max_people=12, presence=0.6,
    start_presence=0.8, visibility=0.1, alike=0.35, occlusion_s=1.0, sure=0.6,
)  # fmt: skip
TILED = PARAMS.model_copy(update={"tile": 0.5, "every_s": 0.375})
WHOLE = PARAMS.model_copy(update={"backend": "landmarker", "max_people": 6, "presence": 0.5, "start_presence": 0.5})
SHIPPED = Settings.read(load(Path(__file__).parents[1] / "params.yaml")["landmarks"], "params.yaml [landmarks]")
NETWORKS = SHIPPED.model_copy(update={"backend": "networks", "detector": "nanodet"})
NOBODY = Path("models/person")
FPS, SIZE = 8, 240


def pan(count: int) -> list[np.ndarray]:
    """(240, 320, 3) frames of a camera that sweeps over a photograph of people."""
    spec = importlib.util.find_spec("ultralytics")
    assert spec and spec.origin
    image = cv2.cvtColor(cv2.imread(str(Path(spec.origin).parent / "assets/bus.jpg")), cv2.COLOR_BGR2RGB)
    wide = cv2.resize(image, (360, 480), interpolation=cv2.INTER_AREA)[140:380]
    return [np.ascontiguousarray(wide[:, x : x + 320]) for x in (abs(n % 80 - 40) for n in range(count))]


def say(what: str, value: str, target: str, met: bool) -> None:
    print(f"{what:58} {value:>22}   target {target:10} {'met' if met else 'MISSED'}", flush=True)


class Counted(blazepose.Networks):
    """Counts the runs of each network."""

    finds = looks = 0

    def find(self, image: np.ndarray, confidence: float) -> np.ndarray:
        self.finds += 1
        return super().find(image, confidence)

    def estimate(
        self, image: np.ndarray, region: np.ndarray, window: np.ndarray | None = None
    ) -> blazepose.BodyEstimate:
        self.looks += 1
        return super().estimate(image, region, window)

    def bare(self, finds: int, looks: int) -> None:
        """As many runs of the networks and nothing else."""
        for network, key, runs in ((self._find, self._find_input, finds), (self._pose, self._pose_input, looks)):
            given = np.zeros(network.get_input_details()[0]["shape"], np.float32)
            for _ in range(runs):
                network.set_tensor(key, given)
                network.invoke()


def fold(networks: Counted, images: list[np.ndarray], params: Settings, pretrained: Path, forget: bool = False) -> int:
    """People found in all frames; `forget` detects everybody anew in each."""
    state, people, find = START, 0, finders.make_finder(params, NOBODY, pretrained, networks)
    for number, image in enumerate(images):
        state, seen = topdown.update(START if forget else state, image, number / FPS, networks, find, params)
        people += len(seen)
    return people


def seconds(work: Callable[[], object]) -> float:
    """Of processor time, which other programs disturb less."""
    began = time.process_time()
    work()
    return time.process_time() - began


def cost(pretrained: Path, repeats: int) -> None:
    images = [decode_jpeg(encode_jpeg(image, 90)) for image in pan(160)]
    people = []

    def follow() -> None:
        state = START
        with estimators.open_people(NETWORKS, NOBODY, pretrained) as finder:
            for number, image in enumerate(images):
                state, seen, _ = find_people(state, image, number / FPS, finder)
                people.append(len(seen))

    follow()
    frame_ms = statistics.median(1000 * seconds(follow) / len(images) for _ in range(repeats))
    print(f"{'people a frame':58} {statistics.mean(people):>22.1f}")
    say("processor time of a stored frame", f"{frame_ms:.0f} ms", "<= 60 ms", frame_ms <= 60)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "film.npz"
        save_frames(
            archive, ((n, Fraction(n, FPS), encode_jpeg(image, 90)) for n, image in enumerate(images)), (320, 240)
        )
        print(f"{'peak memory of a worker':58} {peak_mb(archive, pretrained, 'networks'):>19.0f} MB")


def peak_mb(archive: Path, pretrained: Path, backend: str) -> float:
    """Peak memory of a process of its own that tracks the people of one archive."""
    command = [sys.executable, __file__, "--peak", str(archive), "--backend", backend, "--pretrained", str(pretrained)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def speed(pretrained: Path, repeats: int) -> None:
    images = [decode_jpeg(encode_jpeg(image, 90)) for image in pan(160)]
    networks = Counted(pretrained)
    people = fold(networks, images, PARAMS, pretrained)
    finds, looks = networks.finds, networks.looks
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        (Path(folder) / ".dvc").mkdir()
        archive = Path(folder) / "film.npz"
        save_frames(
            archive, ((n, Fraction(n, FPS), encode_jpeg(image, 90)) for n, image in enumerate(images)), (320, 240)
        )
        took: dict[str, list[float]] = {"bare": [], "stage": [], "anew": [], "one": [], "two": []}
        given = NOBODY, pretrained, PARAMS.detector
        for turn in range(repeats):
            took["bare"].append(seconds(lambda: networks.bare(finds, looks)))
            took["stage"].append(seconds(lambda: track_people(archive, *given, Path("o.csv"), params=PARAMS)))
            took["anew"].append(seconds(lambda: fold(networks, images, PARAMS, pretrained, forget=True)))
            for name, workers in (("one", 1), ("two", 2)):
                runtime = Runtime(executor="process", workers=workers, timeout_s=600, address=None)
                items = [
                    Item(str(n), (f"{name}{turn}{n}",), (archive, *given), (Path(f"out/{n}.csv"),)) for n in range(8)
                ]
                began = time.perf_counter()
                run_per_video("landmarks", track_people, items, PARAMS, runtime)
                took[name].append(time.perf_counter() - began)
        middle = {name: statistics.median(values) for name, values in took.items()}
        peak = peak_mb(archive, pretrained, "topdown")
        os.chdir("/")
    print(f"{len(images)} frames, {people} people, {finds} detections, {looks} looks at a body")
    ratio = middle["bare"] / middle["stage"]
    say("stage / the bare network calls that it makes", f"{ratio:.2f}", ">= 0.80", ratio >= 0.8)
    gain = middle["anew"] / middle["stage"]
    say("tracking / detecting in every frame", f"{gain:.2f}", "> 1", gain > 1)
    ratio = middle["one"] / middle["two"]
    say("two workers / one", f"{ratio:.2f}", ">= 1.7", ratio >= 1.7)
    print(f"{'peak memory of a worker':58} {peak:>19.0f} MB")
    print(f"{'frames per second and worker':58} {len(images) / middle['stage']:>22.1f}")


def clip(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Frames as the pipeline stores them."""
    for frame in reading.read_frames(path, SIZE, make_sampler(Fraction(FPS))):
        yield float(frame.time_s), decode_jpeg(encode_jpeg(frame.image, 90))


def drawn(image: np.ndarray, people: tuple[estimators.Person, ...]) -> np.ndarray:
    """The frame at twice its size in a cell of 640x480, BGR, with a skeleton per person."""
    big = cv2.cvtColor(cv2.resize(image, None, fx=2, fy=2), cv2.COLOR_RGB2BGR)
    for one in people:
        colour = [int(value) for value in np.random.default_rng(one.person).integers(80, 255, 3)]
        places = one.pose[:, :2] * 2
        for ends in BONES:
            if np.isfinite(places[list(ends)]).all():
                cv2.line(big, *(tuple(int(v) for v in places[end]) for end in ends), colour, 2)
        if np.isfinite(places[12]).all():
            cv2.circle(big, tuple(int(v) for v in places[12]), 5, colour, -1)
    cell = np.zeros((480, 640, 3), np.uint8)
    cell[: big.shape[0], : min(640, big.shape[1])] = big[:480, :640]
    return cell


def real(pretrained: Path, sheets: Path | None, stride: int) -> None:
    root = os.environ.get("VIGIL_REAL_DATA")
    clips = sorted(Path(root).glob("surveillance-fights/*/*.mp4"))[::stride] if root else []
    if not clips:
        print("real: skipped: VIGIL_REAL_DATA names no folder with surveillance-fights")
        return
    share = {}
    for name, params in (
        ("whole frames (PoseLandmarker)", WHOLE),
        ("BlazePose on tiles", TILED),
        ("networks", NETWORKS),
    ):
        frames = with_pose = people = 0
        cells: list[np.ndarray] = []
        with estimators.open_people(params, NOBODY, pretrained) as finder:
            for path in clips:
                state = START
                for number, (time_s, image) in enumerate(clip(path)):
                    state, seen, _ = find_people(state, image, time_s, finder)
                    frames, with_pose, people = frames + 1, with_pose + bool(seen), people + len(seen)
                    if sheets and params is NETWORKS and number in (3, 11):
                        cells.append(drawn(image, seen))
        share[name] = with_pose / frames
        print(
            f"{name:32} {len(clips)} clips, {frames} frames: a pose in {share[name]:.3f}, {people / frames:.2f} people"
        )
        for page in range(0, len(cells), 12):
            rows = [np.hstack([*cells[at : at + 3], *[cells[0] * 0] * 3][:3]) for at in range(page, page + 12, 3)]
            cv2.imwrite(str((sheets or Path()) / f"sheet-{page // 12}.png"), np.vstack(rows))
    say("frames with a pose, networks", f"{share['networks']:.3f}", ">= 0.80", share["networks"] >= 0.8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pretrained", type=Path, default=Path("models/pretrained"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=["cost", "speed", "real"])
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets")
    parser.add_argument("--stride", type=int, default=4, help="every so many of the real clips")
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--backend", choices=["networks", "topdown"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    settings.prepare(threads=1)
    cv2.setNumThreads(1)
    weights = chosen.pretrained.absolute()
    if chosen.peak:
        params = NETWORKS if chosen.backend == "networks" else PARAMS
        with tempfile.TemporaryDirectory() as folder:
            track_people(chosen.peak, NOBODY, weights, params.detector, Path(folder) / "peak.csv", params=params)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    else:
        if chosen.only in (None, "cost"):
            cost(weights, chosen.repeats)
        if chosen.only in (None, "speed"):
            speed(weights, chosen.repeats)
        if chosen.only in (None, "real"):
            real(weights, chosen.sheets and chosen.sheets.absolute(), chosen.stride)
