"""Measures a video by decoding it to the end."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from vigil.footage.video.images import FPS
from vigil.footage.video.reading import Probe, frame_times, probe


def measure_video(path: Path, fps: Fraction | None, numbers: Sequence[int] = ()) -> dict[str, Any]:
    """Returns as JSON the probe of a file or of a folder of images at `fps`, and when the frames `numbers` begin."""
    measurement = probe(path, fps or FPS)
    return {
        "fps": str(measurement.fps),
        "frames": measurement.frames,
        "width": measurement.width,
        "height": measurement.height,
        "duration_s": str(measurement.duration_s),
        "pauses": [[str(start), str(stop)] for start, stop in measurement.pauses],
        "damage": measurement.damage,
        "times": [str(time) for time in _times_of_frames(path, measurement, fps or FPS, numbers)] if numbers else [],
    }


def probe_from_json(value: Mapping[str, Any]) -> Probe:
    """Makes a probe of what `measure_video` returned."""
    fps, duration_s = Fraction(value["fps"]), Fraction(value["duration_s"])
    pauses = tuple((Fraction(start), Fraction(stop)) for start, stop in value["pauses"])
    size = (value["width"], value["height"])
    return Probe(fps, value["frames"], *size, duration_s, pauses, value["damage"])


def _times_of_frames(path: Path, measurement: Probe, fps: Fraction, numbers: Sequence[int]) -> list[Fraction]:
    """Returns when frames begin, whether or not the rate is steady; those behind the end go on at the average rate.

    Of a frame that is lost to damage, it is when the next sound one begins.
    """
    indices, times = zip(*frame_times(path, fps), strict=True)
    after_end = [measurement.duration_s + (number - indices[-1] - 1) / measurement.fps for number in numbers]
    positions = [bisect_left(indices, number) for number in numbers]
    return [
        times[position] if position < len(times) else time_s
        for position, time_s in zip(positions, after_end, strict=True)
    ]
