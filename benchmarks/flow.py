"""What the flow stage costs and how well it sees: DIS against Farneback, stage against bare OpenCV calls, memory.

    python benchmarks/flow.py [--repeats 5] [--videos 32] [--only methods|speed|memory]

Draws its frames itself: texture that moves, with three people in it. Needs nothing else and leaves nothing behind.
"""

import argparse
import contextlib
import io
import shutil
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
from frames import medians, project, say

from vigil.core.lineage import record
from vigil.core.storage import sha256_file, write_table
from vigil.engine.per_video import Runtime
from vigil.features.flow import dense
from vigil.features.frames import FrameArchive
from vigil.features.landmarks.people_boxes import SUFFIX, write_boxes
from vigil.features.quality.flow_quality import draw_texture, measure_flow
from vigil.stages.flow import main, write_planes
from vigil.stages.frames import Params, sample_video

PARAMS = dense.Settings(fps=30, size=64, method="dis", clip=64.0, stabilise=False)
VIDEOS, RAW, OUT = Path("data/videos.csv"), Path("data/raw"), Path("data/flow")
FRAMES, LANDMARKS = Path("data/frames"), Path("data/landmarks")
SIZE, FPS = (320, 240), 25
COLUMNS = ("video", "path", "sha256", "fps")


def draw(name: str, count: int, seed: int) -> Path:
    """A video of `count` frames, its stored frames, and the boxes of three people who stand in it."""
    width, height = SIZE
    world = np.repeat(draw_texture(2 * width, seed)[..., None], 3, axis=2).astype(np.uint8)
    path = RAW / f"{name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            step = abs(number % 78 - 39)
            image = np.ascontiguousarray(world[step : step + height, 2 * step : 2 * step + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    sample_video(path, str(FPS), SIZE, FRAMES / f"{name}.npz", params=Params(fps=8.0, size=240, quality=90))
    boxes = [
        np.array([[60 + 80 * who, 60 + index % 5, 80 + 80 * who, 180 + index % 5, 0.9] for who in range(3)])
        for index in FrameArchive(FRAMES / f"{name}.npz").index.tolist()
    ]
    held = LANDMARKS / f"{name}{SUFFIX}"
    held.parent.mkdir(parents=True, exist_ok=True)
    write_boxes(held, boxes)
    return path


def bare(paths: list[Path]) -> int:
    """The calls that the stage makes, and nothing else."""
    cv2.setNumThreads(1)
    frames = 0
    side = (PARAMS.size, PARAMS.size)
    for path in paths:
        before = None
        with av.open(str(path)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for frame in container.decode(video=0):
                small = cv2.resize(frame.to_ndarray(format="gray"), side, interpolation=cv2.INTER_AREA)
                if before is not None:
                    dense.estimate_flow(before, small, PARAMS.method)
                before = small
                frames += 1
    return frames


def stage(workers: int) -> None:
    for folder in (Path(".vigil"), OUT):
        shutil.rmtree(folder, ignore_errors=True)
    runtime = Runtime(executor="process", workers=workers, timeout_s=600, address=None)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        record(LANDMARKS, "landmarks", {})
        main(videos=VIDEOS, raw=RAW, frames=FRAMES, landmarks=LANDMARKS, out=OUT, params=PARAMS, runtime=runtime)


def methods() -> None:
    """Error on motion that is known, and pairs per second of one core."""
    cv2.setNumThreads(1)
    for size in (64, 128):
        world = draw_texture(4 * size, seed=0)
        first, then = (
            cv2.resize(world[step:, step:][: 3 * size, : 3 * size], (size, size), interpolation=cv2.INTER_AREA)
            for step in (0, 4)
        )
        pair = first.astype(np.uint8), then.astype(np.uint8)
        for method in ("dis", "farneback"):
            settings = PARAMS.model_copy(update={"size": size, "method": method, "clip": float(size)})
            figures = measure_flow(settings)
            began = time.process_time()
            count = 400 * 64 // size
            for _ in range(count):
                dense.estimate_flow(*pair, method)
            rate = count / (time.process_time() - began)
            error = figures["end_point_error_median_px"]
            print(
                f"{size:4} px  {method:10} median error {error:.3f} px, 9 of 10 under "
                f"{figures['end_point_error_p90_px']:.3f}; {rate:,.0f} pairs/s on one core"
            )
            if size == PARAMS.size:
                say(f"  {method}: median end-point error", f"{error:.3f} px", "< 0.15 px", error < 0.15)
                share = figures["round_trip_share_of_clip"]
                say(f"  {method}: int8 and back", f"{share:.2%} of clip", "< 1 %", share < 0.01)


def speed(videos: int, repeats: int) -> None:
    paths = [draw(f"set/{number:03d}", 480, number) for number in range(videos)]
    command = [sys.executable, __file__, "--bare"]

    def pair() -> None:
        halves = [subprocess.Popen([*command, *map(str, paths[part::2])]) for part in (0, 1)]
        assert all(half.wait() == 0 for half in halves)

    rows = [
        {"video": f"set/{path.stem}", "path": f"{path}", "sha256": sha256_file(path), "fps": str(FPS)} for path in paths
    ]
    write_table(VIDEOS, rows, COLUMNS)
    frames = bare(paths)
    clock, alone = medians(repeats, bare=lambda: bare(paths), one=lambda: stage(1), two=lambda: stage(2), pair=pair)
    print(f"{videos} videos, {frames} frames")
    for what, took in (("by the clock", clock), ("without the time that other programs took", alone)):
        rate = {name: frames / seconds for name, seconds in took.items()}
        print(f"{what}: " + ", ".join(f"{name} {each:,.0f} frames/s" for name, each in rate.items()))
        share, scale = rate["one"] / rate["bare"], rate["two"] / rate["one"]
        say("  stage with one worker / bare calls", f"{share:.2f}", ">= 0.70", share >= 0.7)
        say(f"  two workers / one (bare: {rate['pair'] / rate['bare']:.2f})", f"{scale:.2f}", ">= 1.7", scale >= 1.7)


def memory() -> None:
    """Peak of a process that computes one video's flow."""
    peaks = {}
    for name, count in (("minute", 1_500), ("hour", 90_000)):
        draw(f"set/{name}", count, 0)
        done = subprocess.run([sys.executable, __file__, "--peak", name], capture_output=True, text=True, check=True)
        peaks[name] = int(done.stdout) / 1024
    extra = peaks["hour"] - peaks["minute"]
    say(
        "peak memory, 1 hour of 3 people / 1 minute",
        f"{peaks['hour']:.0f} / {peaks['minute']:.0f} MB",
        "< 150 MB more",
        extra < 150,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--videos", type=int, default=32)
    parser.add_argument("--only", choices=["methods", "speed", "memory"], help="one part of it")
    parser.add_argument("--bare", nargs="+", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.bare:
        bare(chosen.bare)
    elif chosen.peak:
        import resource

        name = f"set/{chosen.peak}"
        features = FRAMES / f"{name}.npz", LANDMARKS / f"{name}{SUFFIX}"
        write_planes(RAW / f"{name}.mp4", str(FPS), *features, Path("peak.npy"), Path("peak.npz"), params=PARAMS)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    else:
        for part in [chosen.only] if chosen.only else ["methods", "speed", "memory"]:
            with project():
                if part == "methods":
                    methods()
                elif part == "speed":
                    speed(chosen.videos, chosen.repeats)
                else:
                    memory()
