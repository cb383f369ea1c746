"""What a video measures, found by decoding it to the end."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from vigil.footage.video.images import FPS
from vigil.footage.video.reading import Probe, probe, read


def measure(path: Path, fps: Fraction | None, numbers: Sequence[int] = ()) -> dict[str, Any]:
    """The probe of a file, or of a folder of images shown at `fps`, as JSON; and when the frames of `numbers` begin."""
    found = probe(path, fps or FPS)
    return {
        "fps": str(found.fps),
        "frames": found.frames,
        "width": found.width,
        "height": found.height,
        "duration_s": str(found.duration_s),
        "times": [str(time) for time in _times(path, found, fps or FPS, numbers)] if numbers else [],
    }


def measured(value: Mapping[str, Any]) -> Probe:
    """The probe again."""
    fps, duration_s = Fraction(value["fps"]), Fraction(value["duration_s"])
    return Probe(fps, value["frames"], value["width"], value["height"], duration_s, None)


def _times(path: Path, found: Probe, fps: Fraction, numbers: Sequence[int]) -> list[Fraction]:
    """Of frames by number, whether or not the rate is steady; those behind the end go on at the average rate."""
    times: list[Fraction] = []

    def note(time: Fraction) -> bool:
        times.append(time)
        return False

    for _ in read(path, wanted=note, fps=fps):
        pass
    behind = [found.duration_s + (number - found.frames) / found.fps for number in numbers]
    return [times[number] if number < len(times) else late for number, late in zip(numbers, behind, strict=True)]
