"""Draws the videos that tests need: tiny, odd or broken, in any container, with the frame's number in the picture.

    film(path, frames=20, fps=10, size=(64, 48), ...)   a sound video; `times` makes its rate vary, `turn` turns it
    number(image)                                       the frame number that a picture shows, whatever its size
    truncated(path, share)  scrambled(path, share)      broken copies, made in place
    audio_only, one_pixel, still, text, empty, huge     files that are no video to work with
    images(folder, numbers)                             a folder of numbered images
    broken(folder)                                      one of each of what download must reject, by name

The extension of `path` chooses the container, `codec` and `options` are FFmpeg's.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

BITS = 10
WALKS = count()
FORMATS = {".mkv": "matroska", ".ts": "mpegts", ".mpg": "mpeg", ".m4a": "mp4"}


def picture(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """(H, W, 3) uint8 RGB: stripes tell the number in binary, below them a square walks; the upper left is reddish."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    edges = np.linspace(0, width, BITS + 1).astype(int)
    for bit in range(BITS):
        image[: height // 2, edges[bit] : edges[bit + 1]] = 220 if number >> bit & 1 else 30
    side = max(height // 4, 1)
    left = number * 2 % max(width - side, 1)
    image[height // 2 : height // 2 + side, left : left + side] = (230, 200, 40)
    image[: height // 2, : width // 2, 0] += 25
    return image


def number(image: np.ndarray) -> int:
    """The number that `picture` drew, also after coding and scaling."""
    height, width = image.shape[:2]
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return sum(int(image[height // 4, centre, 1] > 125) << bit for bit, centre in enumerate(centres))


def film(
    path: Path,
    frames: int = 20,
    fps: Fraction | int = 10,
    size: tuple[int, int] = (64, 48),
    times: Sequence[Fraction] | None = None,
    turn: int = 0,
    mirror: bool = False,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    sound_s: float = 0,
    pixels: str | None = None,
) -> Path:
    """A video of `frames` pictures. `times`, one per frame, replace the steady rate; `turn` is degrees to the left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=FORMATS.get(path.suffix), options=container or {}) as file:
        stream: Any = file.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height = size
        stream.pix_fmt = pixels or ("yuvj420p" if codec == "mjpeg" else "yuv420p")
        stream.codec_context.thread_count = 1
        preset = {"preset": "ultrafast"} if codec == "libx264" else {}
        stream.options = preset | (options or {})
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 90000)
        if turn or mirror:
            stream.set_display_rotation(turn, hflip=mirror)
        sound: Any = file.add_stream("aac", rate=8000, layout="mono") if sound_s else None
        for index in range(frames):
            frame: Any = av.VideoFrame.from_ndarray(picture(index, size), format="rgb24")
            frame.time_base = Fraction(1, 90000) if times is not None else 1 / Fraction(fps)
            frame.pts = index if times is None else round(times[index] * 90000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if sound is not None:
            _hum(file, sound, sound_s)
    return path


def walk(path: Path, fast: bool = False, frames: int = 40) -> None:
    """A video of 5 s unlike any other in size and length, in which a square walks; if `fast`, it is larger."""
    number = next(WALKS)
    path.parent.mkdir(parents=True, exist_ok=True)
    film(path, frames=frames + number % 23 + 7 * fast, fps=8, size=(96 + 2 * (number % 40), 72 + 4 * fast))


def audio_only(path: Path) -> Path:
    with av.open(str(path), "w", format=FORMATS.get(path.suffix)) as file:
        _hum(file, file.add_stream("aac", rate=8000, layout="mono"), 0.5)
    return path


def still(path: Path) -> Path:
    """A video of one frame."""
    return film(path, frames=1)


def one_pixel(path: Path) -> Path:
    """1x1 px, in an AVI."""
    return film(path, frames=5, size=(1, 1), codec="png", pixels="rgb24")


def huge(path: Path, frames: int = 2) -> Path:
    """8K: 7680x4320."""
    return film(path, frames=frames, size=(7680, 4320), options={"crf": "35"})


def text(path: Path) -> Path:
    path.write_text("<!DOCTYPE html><title>404 Not Found</title>\n" * 9)
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def truncated(path: Path, share: float) -> Path:
    """Keeps the first `share` of the bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def scrambled(path: Path, share: float = 0.2, at: float = 0.4) -> Path:
    """Overwrites `share` of the bytes with random ones, from `at` on."""
    data = bytearray(path.read_bytes())
    start, length = int(len(data) * at), int(len(data) * share)
    data[start : start + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(data)
    return path


def images(folder: Path, numbers: Iterable[int] = range(20), name: str = "frame_{}.png", step: int = 1) -> Path:
    """Image `n` shows the number n // step."""
    folder.mkdir(parents=True, exist_ok=True)
    for value in numbers:
        done = cv2.imwrite(str(folder / name.format(value)), cv2.cvtColor(picture(value // step), cv2.COLOR_RGB2BGR))
        assert done
    return folder


def broken(folder: Path) -> dict[str, Path]:
    """Files that must all be rejected, each for a reason of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    index_first = {"movflags": "+faststart"}
    return {
        "empty": empty(folder / "empty.mp4"),
        "text": text(folder / "text.mp4"),
        "cut at 10 %": truncated(film(folder / "cut10.mp4"), 0.1),
        "cut at 50 %": truncated(film(folder / "cut50.mp4", container=index_first), 0.5),
        "cut at 90 %": truncated(film(folder / "cut90.avi", codec="mpeg4"), 0.9),
        "random bytes inside": scrambled(film(folder / "random.mp4", frames=60, container=index_first)),
        "no video stream": audio_only(folder / "audio.m4a"),
        "1 frame": still(folder / "still.mp4"),
        "1x1 px": one_pixel(folder / "pixel.avi"),
    }


def _hum(file: Any, stream: Any, seconds: float) -> None:
    samples = np.sin(np.arange(int(seconds * 8000)) / 5).astype(np.float32)
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, start, Fraction(1, 8000)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))
