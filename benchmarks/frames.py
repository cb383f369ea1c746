"""What the frames stage costs: against the bare library calls, with two workers, in memory, and for one video more.

    python benchmarks/frames.py [--repeats 3] [--seconds 80] [--real]

Draws its videos itself (`--real`: the clips under VIGIL_REAL_DATA instead). Repetitions of what is compared take turns,
and medians are compared; what other programs cost is told apart. Leaves nothing behind.
"""

import argparse
import contextlib
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from vigil.core.storage import write_table
from vigil.engine.per_video import Runtime
from vigil.footage.video.reading import probe
from vigil.footage.video.writing import VideoWriter
from vigil.stages.frames import Params, main, sample_video

PARAMS = Params(fps=10, size=240, quality=90)
RAW, OUT, TABLE = Path("data/raw/set"), Path("data/frames"), Path("data/videos.csv")
Measured = Callable[[], object]


def bare(paths: list[Path], target: Path) -> int:
    """The plain loop, on one thread as a worker is: decode, scale, JPEG-encode the sampled frames, write the bytes."""
    cv2.setNumThreads(1)
    frames = 0
    for path in paths:
        with av.open(str(path)) as container, target.open("wb") as file:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            step = min(1.0, PARAMS.fps / float(stream.average_rate or 25))
            scale = min(1.0, PARAMS.size / min(stream.width, stream.height))
            width, height = 2 * round(stream.width * scale / 2), 2 * round(stream.height * scale / 2)
            reformat = VideoReformatter().reformat
            for number, frame in enumerate(container.decode(stream)):
                frames += 1
                if int(number * step) != int((number - 1) * step) or number == 0:
                    image = reformat(frame, width, height, "bgr24", threads=1).to_ndarray()
                    file.write(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, PARAMS.quality])[1].tobytes())
    return frames


def draw(path: Path, frames: int, fps: int, size: tuple[int, int], still: bool = False) -> Path:
    """Moving texture under sensor noise, or nothing but a walking square, which costs little to draw."""
    width, height = size
    random = np.random.default_rng(0)
    texture = cv2.GaussianBlur(random.integers(0, 255, (height, width * 2, 3), dtype=np.uint8), (0, 0), 4)
    grain = random.integers(0, 8, (8, height, width, 3), dtype=np.uint8)
    with VideoWriter(path, Fraction(fps), size) as video:
        for number in range(frames):
            if still:
                image = np.full((height, width, 3), 90, np.uint8)
                image[50:90, number % (width - 40) :][:, :40] = 200
            else:
                left = number * 2 % width
                image = texture[:, left : left + width] + grain[number % 8]
            video.write(image)
    return path


@contextlib.contextmanager
def project() -> Iterator[Path]:
    """An empty project of its own, in which the stage finds an empty store."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def rows(paths: list[Path], first: int = 0) -> list[dict[str, object]]:
    """A table of the videos in data/raw, each of a content of its own as far as the store can tell."""
    sizes = {path: (found.width, found.height) for path in set(paths) for found in [probe(path)]}
    made = []
    RAW.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(paths, first):
        entry = RAW / f"{number:04d}{path.suffix}"
        entry.hardlink_to(path) if path.is_relative_to(Path.cwd()) else shutil.copyfile(path, entry)
        width, height = sizes[path]
        made.append({"video": f"set/{number:04d}", "path": str(entry), "fps": "25", "sha256": str(number)})
        made[-1] |= {"width": width, "height": height}
    return made


def stage(table: list[dict[str, object]], workers: int, fresh: bool = True) -> None:
    if fresh:
        for folder in (Path(".vigil"), OUT):
            shutil.rmtree(folder, ignore_errors=True)
    write_table(TABLE, table, list(table[0]))
    with contextlib.redirect_stdout(io.StringIO()):
        main(
            TABLE,
            Path("data/raw"),
            OUT,
            PARAMS,
            Runtime(executor="process", workers=workers, timeout_s=600, address=None),
        )


def medians(repeats: int, **measured: Measured) -> list[dict[str, float]]:
    """Seconds of each by the clock, and less those in which other programs had the processors; taking turns."""
    clock: dict[str, list[float]] = {name: [] for name in measured}
    alone: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(repeats):
        for name, work in measured.items():
            began = time.perf_counter()
            with queueing() as waits:
                work()
            clock[name].append(time.perf_counter() - began)
            alone[name].append(clock[name][-1] - max(waits.values()))
    return [{name: statistics.median(found) for name, found in kind.items()} for kind in (clock, alone)]


@contextlib.contextmanager
def queueing() -> Iterator[dict[int, float]]:
    """Seconds that each process of ours stood ready and waited for a processor (Linux tells; elsewhere 0)."""
    first = {os.getpid(): waited(os.getpid())}
    waits: dict[int, float] = {os.getpid(): 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for process in (os.getpid(), *offspring(os.getpid())):
                with contextlib.suppress(OSError, ValueError):
                    now = waited(process)
                    waits[process] = now - first.setdefault(process, 0.0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield waits
    finally:
        done.set()
        watcher.join()


def waited(process: int) -> float:
    """Of the process's first thread, which is the one that decodes."""
    path = Path(f"/proc/{process}/schedstat")
    return int(path.read_text().split()[1]) / 1e9 if path.exists() else 0.0


def offspring(process: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found + [grandchild for child in found for grandchild in offspring(child)]


def say(what: str, value: str, target: str, met: bool) -> None:
    print(f"{what:58} {value:>22}   target {target:14} {'met' if met else 'MISSED'}", flush=True)


def speed(films: list[Path], repeats: int) -> None:
    table = rows(films)
    paths = [Path(str(row["path"])) for row in table]
    frames = bare(paths, Path("bare.bin"))
    command = [sys.executable, __file__, "--bare"]

    def pair() -> None:
        halves = [subprocess.Popen([*command, *map(str, paths[part::2])]) for part in (0, 1)]
        assert all(half.wait() == 0 for half in halves)

    clock, alone = medians(
        repeats,
        bare=lambda: bare(paths, Path("bare.bin")),
        one=lambda: stage(table, 1),
        two=lambda: stage(table, 2),
        pair=pair,
    )
    print(f"{len(films)} videos, {frames} frames")
    for what, took in (("by the clock", clock), ("without the time that other programs took", alone)):
        rate = {name: frames / seconds for name, seconds in took.items()}
        print(f"{what}: " + ", ".join(f"{name} {each:,.0f} frames/s" for name, each in rate.items()))
        one, two, scale = rate["one"] / rate["bare"], rate["two"] / rate["pair"], rate["two"] / rate["one"]
        say("  stage with one worker / plain loop", f"{one:.2f}", ">= 0.80", one >= 0.8)
        say("  stage with two workers / plain loop in two processes", f"{two:.2f}", ">= 0.80", two >= 0.8)
        say(f"  two workers / one (plain: {rate['pair'] / rate['bare']:.2f})", f"{scale:.2f}", ">= 1.7", scale >= 1.7)


def memory() -> None:
    """Peak of a process that samples one video; it imports the same things for both."""
    peaks = {}
    for name, seconds in (("minute", 60), ("hour", 3600)):
        path = draw(Path(f"{name}.mp4"), seconds * 10, 10, (320, 240), still=True)
        done = subprocess.run(
            [sys.executable, __file__, "--peak", str(path)], capture_output=True, text=True, check=True
        )
        peaks[name] = int(done.stdout) / 1024
    ratio = peaks["hour"] / peaks["minute"]
    say("peak memory, 1 hour / 1 minute", f"{peaks['hour']:.0f} / {peaks['minute']:.0f} MB", "<= 1.10", ratio <= 1.1)


def one_more(repeats: int) -> None:
    film = draw(Path.cwd() / "clip.mp4", 60, 30, (320, 240))
    table = rows([film] * (200 + repeats))
    stage(table[:200], 2)
    took: dict[str, list[float]] = {"added": [], "alone": []}
    for number in range(201, 201 + repeats):
        began = time.perf_counter()
        stage(table[:number], 2, fresh=False)
        took["added"].append(time.perf_counter() - began)
        with project():
            alone = rows([film])
            began = time.perf_counter()
            stage(alone, 2)
            took["alone"].append(time.perf_counter() - began)
    added, alone_s = statistics.median(took["added"]), statistics.median(took["alone"])
    limit = 1.5 * alone_s + 2
    say("one video more than 200 (alone)", f"{added:.2f} s ({alone_s:.2f} s)", f"<= {limit:.2f} s", added <= limit)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=80, help="length of each drawn video")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--bare", nargs="+", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["speed", "memory", "one_more"], help="one part of it")
    chosen = parser.parse_args()
    if chosen.bare:
        bare(chosen.bare, Path(f"bare.{os.getpid()}.bin"))
    elif chosen.peak:
        import resource

        sample_video(chosen.peak, "10", (320, 240), Path("peak.npz"), params=PARAMS)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    else:
        parts = [chosen.only] if chosen.only else ["speed", "memory", "one_more"]
        for part in parts:
            with project() as here:
                if part == "memory":
                    memory()
                elif part == "one_more":
                    one_more(chosen.repeats)
                elif chosen.real:
                    real = Path(os.environ["VIGIL_REAL_DATA"])
                    speed(sorted(path for path in real.rglob("*") if path.suffix in {".mp4", ".avi"}), chosen.repeats)
                else:
                    speed([draw(here / "film.mp4", chosen.seconds * 25, 25, (640, 360))] * 16, chosen.repeats)
