"""Frames at a steady rate, as JPEG, in one archive per video.

Sampling looks at no later frame, so a file and a live stream give the same frames. Of the ticks 0, 1/fps, 2/fps, ...
each is served by the first frame at or after it. A frame that is late for several ticks serves them all once: a video
slower than `fps` keeps all its frames and repeats none.

Archive (uncompressed .npz, T frames):
    jpeg         bytes of all pictures, one after the other
    offsets      (T + 1,) int64: picture i is jpeg[offsets[i]:offsets[i + 1]]
    index        (T,) int32: number of the frame in its video
    pts          (T,) int64 and time_base (2,) int64: time_s = pts * time_base[0] / time_base[1], exactly
    source_size  (2,) int32: width and height of the video as shown
"""

import io
import math
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, BinaryIO

import cv2
import numpy as np
from pydantic import Field

from vigil.core.clock import reached_tick
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import npz_entry, replacing
from vigil.footage.video import reading

SPOOL = 1 << 24  # bytes of JPEG that are held in memory before they go to a file beside the archive
START = -1  # the state before the first frame: no tick is served


class Settings(Frozen):
    """What stored frames depend on; kept beside the weights of a model that was trained on them."""

    fps: Annotated[float, Field(gt=0)]  # frames per second that are kept; slower videos keep all they have
    size: Annotated[int, Field(ge=reading.SMALLEST_PX)]  # px, shorter side; smaller videos keep theirs
    quality: Annotated[int, Field(ge=1, le=100)]  # of the JPEG


def advance_tick(tick: int, time_s: Fraction, fps: Fraction) -> tuple[int, bool]:
    """Returns the newest tick that is served, and whether the frame at `time_s` is the one to take for it."""
    reached = reached_tick(time_s, fps)
    return (reached, True) if reached > tick else (tick, False)


def make_sampler(fps: Fraction) -> Callable[[Fraction], bool]:
    """Returns a function that says whether to take a frame; it is asked once per frame, in order."""
    tick = START

    def is_due(time_s: Fraction) -> bool:
        nonlocal tick
        tick, take = advance_tick(tick, time_s, fps)
        return take

    return is_due


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """Encodes as JPEG (4:2:0) `image` (H, W, 3) uint8 RGB; `quality` 1 to 100."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise VigilError(f"a frame of {image.shape[1]}x{image.shape[0]} px does not fit into a JPEG.")
    return data.tobytes()


def decode_jpeg(jpeg: bytes) -> np.ndarray:
    """Decodes a JPEG to (H, W, 3) uint8 RGB."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise VigilError("a stored frame is no JPEG: delete the archive and run stage `frames` again.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def save_frames(path: Path, frames: Iterable[tuple[int, Fraction, bytes]], source_size: tuple[int, int]) -> int:
    """Writes (index, time_s, jpeg) as they come, in constant memory, and returns the number of frames."""
    index: list[int] = []
    times: list[Fraction] = []
    offsets = [0]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.SpooledTemporaryFile(SPOOL, dir=str(path.parent)) as jpegs:
        for frame_index, time_s, jpeg in frames:
            jpegs.write(jpeg)
            index.append(frame_index)
            times.append(time_s)
            offsets.append(offsets[-1] + len(jpeg))
        base = math.lcm(*(time.denominator for time in times))
        arrays: dict[str, np.ndarray] = {
            "index": np.array(index, np.int32),
            "offsets": np.array(offsets, np.int64),
            "pts": np.array([int(time * base) for time in times], np.int64),
            "source_size": np.array(source_size, np.int32),
            "time_base": np.array([1, base], np.int64),
        }
        with replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
            for name, array in arrays.items():
                with archive.open(npz_entry(name, array.nbytes), "w") as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
            with archive.open(npz_entry("jpeg", offsets[-1]), "w") as file:
                np.lib.format.write_array_header_1_0(
                    file, {"descr": "|u1", "fortran_order": False, "shape": (offsets[-1],)}
                )
                jpegs.seek(0)
                shutil.copyfileobj(jpegs, file, 1 << 20)
    return len(index)


class FrameArchive:
    """The frames of one video on disk. Holds no file open and no pictures, so thousands can be kept, and pickled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file, zipfile.ZipFile(file) as archive:
                arrays: dict[str, np.ndarray] = {
                    name: _read_array(archive, name) for name in ("index", "offsets", "pts", "source_size", "time_base")
                }
                self._start = _payload_offset(file, archive.getinfo("jpeg.npy"))
        except FileNotFoundError:
            raise VigilError(f"{path}: not found. Run stage `frames`.") from None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise VigilError(f"{path}: not an archive of frames ({error}). Delete it and run stage `frames`.") from None
        self.index: np.ndarray = arrays["index"]
        self.source_size: tuple[int, int] = (int(arrays["source_size"][0]), int(arrays["source_size"][1]))
        self._offsets, self._pts = arrays["offsets"], arrays["pts"]
        self._base = Fraction(int(arrays["time_base"][0]), int(arrays["time_base"][1]))

    def __len__(self) -> int:
        return len(self.index)

    @property
    def times(self) -> list[Fraction]:
        """Seconds of each frame, exactly."""
        return [int(pts) * self._base for pts in self._pts]

    def jpegs(self, positions: Iterable[int] | None = None) -> Iterator[bytes]:
        """Yields the stored bytes of the frames at these positions (all of them by default), in this order."""
        with self.path.open("rb") as file:
            for position in range(len(self)) if positions is None else positions:
                if not 0 <= position < len(self):
                    raise IndexError(f"{self.path}: frame {position} of {len(self)}")
                start, stop = self._offsets[position : position + 2]
                file.seek(self._start + int(start))
                yield file.read(int(stop - start))

    def images(self, positions: Iterable[int] | None = None) -> Iterator[np.ndarray]:
        """Yields (H, W, 3) uint8 RGB of the frames at these positions, one at a time."""
        return map(decode_jpeg, self.jpegs(positions))


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(io.BytesIO(file.read()), allow_pickle=False)


def _payload_offset(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Returns where the array's bytes begin in the file: after the zip's local header and the array's own."""
    file.seek(info.header_offset + 26)
    name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
    file.seek(name + extra, 1)
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    return file.tell()
