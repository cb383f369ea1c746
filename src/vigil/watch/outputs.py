"""Where what is found goes: checked before anything is judged, so that no hour's work ends at an unwritable folder."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from vigil.core.errors import VigilError


@dataclass(frozen=True)
class Outputs:
    """What a user has asked for; None and empty: nothing of the kind."""

    alerts: tuple[Path, ...] = ()
    scores: Path | None = None
    objects: Path | None = None  # where people are
    landmarks: Path | None = None  # and how they stand
    attention: Path | None = None  # which frames of a clip a model has weighed most
    anomalies: Path | None = None
    video: Path | None = None
    pictures: Path | None = None
    clips: Path | None = None
    batch: Path | None = None  # a folder for each recording, with all of these, and an index.html
    anonymise: bool = False  # heads are hidden in all that is written and shown
    fps: Fraction = field(default=Fraction(10))  # of folders of images

    def check(self, recordings: int) -> None:
        """VigilError where two outputs are one, or something cannot be written."""
        files = [("--scores", self.scores), ("--anomalies", self.anomalies), ("--video", self.video)]
        files += [("--objects", self.objects), ("--landmarks", self.landmarks), ("--attention-data", self.attention)]
        files += [("--alerts", path) for path in self.alerts]
        seen: dict[Path, str] = {}
        for option, path in files:
            if path is None:
                continue
            if other := seen.get(path.resolve()):
                raise VigilError(f"{path}: both {other} and {option} would be written there.")
            seen[path.resolve()] = option
            _require_folder(path.parent, option)
        for option, folder in (("--pictures", self.pictures), ("--clips", self.clips), ("--batch", self.batch)):
            if folder is not None:
                _require_folder(folder, option)
        if self.video is not None and recordings > 1:
            raise VigilError(f"--video {self.video}: one file for {recordings} sources; give --batch DIR instead.")


def _require_folder(folder: Path, option: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".vigil-writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise VigilError(f"{option}: {folder} cannot be written: {error.strerror}.") from None
