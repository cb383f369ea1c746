"""Measures a video by decoding it to the end."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from vigil.footage.video.images import FPS
from vigil.footage.video.reading import Probe, probe, read_frames


def measure_video(path: Path, fps: Fraction | None, numbers: Sequence[int] = ()) -> dict[str, Any]:
    """Returns as JSON the probe of a file or of a folder of images at `fps`, and when the frames `numbers` begin."""
    measurement = probe(path, fps or FPS)
    return {
        "fps": str(measurement.fps),
        "frames": measurement.frames,
        "width": measurement.width,
        "height": measurement.height,
        "duration_s": str(measurement.duration_s),
        "times": [str(time) for time in _times_of_frames(path, measurement, fps or FPS, numbers)] if numbers else [],
    }


def probe_from_json(value: Mapping[str, Any]) -> Probe:
    """Makes a probe of what `measure_video` returned."""
    fps, duration_s = Fraction(value["fps"]), Fraction(value["duration_s"])
    return Probe(fps, value["frames"], value["width"], value["height"], duration_s, None)


def _times_of_frames(path: Path, measurement: Probe, fps: Fraction, numbers: Sequence[int]) -> list[Fraction]:
    """Returns when frames begin, whether or not the rate is steady; those behind the end go on at the average rate."""
    times: list[Fraction] = []

    def remember_time(time: Fraction) -> bool:
        times.append(time)
        return False

    for _ in read_frames(path, is_due=remember_time, fps=fps):
        pass
    behind = [measurement.duration_s + (number - measurement.frames) / measurement.fps for number in numbers]
    return [times[number] if number < len(times) else late for number, late in zip(numbers, behind, strict=True)]
