"""Where what is found goes: checked before anything is judged, so that no hour's work ends at an unwritable folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from vigil.core.errors import VigilError

REPLACED = ("--video", "--anomalies")  # written beside their place, and put there when they are whole


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

    def check(self, recordings: int, used_files: Mapping[Path, str]) -> None:
        """VigilError where two outputs are one, or something cannot be written, or is there for another purpose.

        `used_files` says what else is used, and what for: the recordings themselves, for one.
        """
        files = [("--scores", self.scores), ("--anomalies", self.anomalies), ("--video", self.video)]
        files += [("--objects", self.objects), ("--landmarks", self.landmarks), ("--attention-data", self.attention)]
        files += [("--alerts", path) for path in self.alerts]
        purposes = {used.resolve(): purpose for used, purpose in used_files.items()}
        seen: dict[Path, str] = {}
        for option, path in files:
            if path is None:
                continue
            if purpose := purposes.get(path.resolve()):
                raise VigilError(f"{option} {path}: that is {purpose}, which would be lost. Name another file.")
            if option in REPLACED and path.exists() and not path.is_file():
                raise VigilError(f"{option} {path}: no file, and would be replaced by one. Name another.")
            if other := seen.get(path.resolve()):
                raise VigilError(f"{path}: both {other} and {option} would be written there.")
            seen[path.resolve()] = option
            require_folder(path.parent, option)
        for option, folder in (("--pictures", self.pictures), ("--clips", self.clips), ("--batch", self.batch)):
            if folder is not None:
                require_folder(folder, option)
        if self.video is not None and recordings > 1:
            raise VigilError(f"--video {self.video}: one file for {recordings} sources; give --batch DIR instead.")

    @property
    def show_people(self) -> bool:
        """Whether it is written how people stand, also where no model asks."""
        return any(path is not None for path in (self.objects, self.landmarks, self.video, self.batch))

    def require_files(self, once: str) -> None:
        """VigilError where something is to be drawn of the source `once`, which can be read but once."""
        options = {"--video": self.video, "--pictures": self.pictures, "--clips": self.clips, "--batch": self.batch}
        if asked := [option for option, path in options.items() if path is not None]:
            raise VigilError(
                f"{', '.join(asked)}: of files alone, and {once} can be read but once. Save it to a file, and "
                "name that."
            )

    def refuse_of_recordings(self) -> None:
        """VigilError where cameras are to write what only a recording has: it has an end."""
        options = {"--anomalies": self.anomalies, "--video": self.video}
        options |= {"--pictures": self.pictures, "--batch": self.batch}
        if asked := [option for option, path in options.items() if path is not None]:
            raise VigilError(
                f"{', '.join(asked)}: of recordings alone, for a camera has no end. Of cameras there are --alerts, "
                "--clips, --scores, --objects, --landmarks and --attention-data."
            )


def require_folder(folder: Path, option: str) -> None:
    """VigilError where nothing can be written into a folder; it is made where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".vigil-writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise VigilError(f"{option}: {folder} cannot be written: {error.strerror}.") from None
