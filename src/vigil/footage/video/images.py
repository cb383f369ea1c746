"""A folder of numbered images, read as the video that it is.

Order and time follow the number in the name: frame_2 comes before frame_10, and where numbers are missing time passes.
Numbers may count in steps (0, 10, 20). Where numbers repeat (cam1_007, cam2_007) or are mostly missing (times of day),
they are no numbering: the images follow one another in natural order.
"""

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.errors import Rejected

FPS = Fraction(10)  # of a folder for which nobody says
SUFFIXES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def is_folder(path: Path) -> bool:
    """Says whether it is a folder; False also where nobody may look."""
    try:
        return path.is_dir()
    except OSError:
        return False


def list_numbered(folder: Path) -> list[tuple[int, Path]]:
    """Lists (position in time, file) of the images in order; a step in position above 1 is a gap."""
    files = sorted((file for file in _list_entries(folder) if file.suffix.lower() in SUFFIXES), key=_natural_key)
    if not files:
        raise Rejected(f"no images in the folder (looked for {', '.join(sorted(SUFFIXES))})")
    digits = [re.findall(r"\d+", file.stem) for file in files]
    if all(digits):
        numbers = [int(digit_groups[-1]) for digit_groups in digits]
        first = min(numbers)
        step = math.gcd(*(number - first for number in numbers)) or 1
        positions = [(number - first) // step for number in numbers]
        if len(set(positions)) == len(files) and (max(positions) < 2 * len(files) or _mostly_counts(positions)):
            return sorted(zip(positions, files, strict=True))
    return list(enumerate(files))


def _mostly_counts(positions: list[int]) -> bool:
    """Says whether most images follow the one before at once, so that what is missing is a pause of the recording."""
    steps = np.diff(sorted(positions))
    return len(steps) > 1 and bool(np.mean(steps == 1) > 0.5)


def decode_image(file: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Decodes (H, W, 3) uint8 RGB. Rejected names a file that is corrupt, or not of `size` (width, height)."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError as error:
        raise Rejected(f"{file.name}: {error.strerror}") from None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise Rejected(f"{file.name}: not an image that can be decoded (corrupt or cut short): replace or remove it")
    height, width = image.shape[:2]
    if size is not None and (width, height) != size:
        raise Rejected(
            f"{file.name}: {width}x{height} px, the images before it {size[0]}x{size[1]}: one size per folder"
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def grey_square(image: np.ndarray, side_px: int) -> np.ndarray:
    """Stretches (H, W, 3) uint8 RGB to (side_px, side_px) uint8 grey."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (side_px, side_px), interpolation=cv2.INTER_AREA)


def _list_entries(folder: Path) -> Iterator[Path]:
    try:
        yield from (file for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise Rejected(f"the folder cannot be listed: {error.strerror}") from None


def _natural_key(file: Path) -> list[Any]:
    """Turns 'a10b' into ['a', 10, 'b'], so that 2 comes before 10; the name itself decides between 1 and 01."""
    texts = re.split(r"(\d+)", file.name)
    return [*(int(text) if number % 2 else text for number, text in enumerate(texts)), "", file.name]
