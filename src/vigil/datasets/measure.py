"""What a video measures, found by decoding it to the end."""

from fractions import Fraction
from pathlib import Path

from vigil.images import FPS
from vigil.video import Probe, probe


def measure(path: Path, fps: Fraction | None) -> dict[str, str | int]:
    """The probe of a file, or of a folder of images shown at `fps`, as JSON."""
    found = probe(path, fps or FPS)
    return {
        "fps": str(found.fps),
        "frames": found.frames,
        "width": found.width,
        "height": found.height,
        "duration_s": str(found.duration_s),
    }


def measured(value: dict[str, str | int]) -> Probe:
    """The other way round."""
    fps, duration_s = Fraction(value["fps"]), Fraction(value["duration_s"])
    return Probe(fps, int(value["frames"]), int(value["width"]), int(value["height"]), duration_s, None)
