"""What every kind of dataset speaks: the sources that `sync` lists, what `download` makes of them: rows and rejects."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vigil.footage.video.reading import Probe

LATE_S = Fraction(1)  # a span may stop this long after its video's end, which is where it is cut


@dataclass(frozen=True, order=True)
class Source:
    """One line of data/sources.csv: something that a set is made of, videos and annotation files alike."""

    set: str
    path: str  # relative to the dataset's folder, with /; or a URL; or the stem of a drawn video
    size: int | None  # bytes, where they are known
    sha256: str  # of the content, or another id that changes when the content does; empty: it could not be read


@dataclass(frozen=True)
class Row:
    """One video that lies in data/raw. What it measures (fps, frames, size, hash) is found by decoding it."""

    video: str  # "<set>/<stem>"
    path: str  # "data/raw/<set>/<file>"
    source: str  # the group that no split may divide: camera, YouTube video, recording session
    label: str  # a class, or "normal"
    spans: tuple[tuple[Fraction, Fraction], ...] = ()  # abnormal part, seconds, half-open
    split: str = ""  # "", "train", "val" or "test"
    url: str = ""
    licence: str = ""
    sha256: str = ""  # of the content, where it is known already
    origin: str = ""  # "<set>/<path of the source>": how a reject names it; empty: the video's id
    frame_spans: tuple[tuple[int, int], ...] = ()  # abnormal part in frames, half-open, until the fps is known
    annotated_frames: int | None = None  # how many frames the annotation thinks there are
    grouped_by: str = "file"  # what made the source; "file": each video is its own
    fps: Fraction | None = None  # given, for folders of images that have no clock
    probe: "Probe | None" = None  # set where there is no file to decode (landmarks)
    fresh: bool = field(
        default=False, compare=False
    )  # drawn or fetched just now, so that the summary does not call it reused


@dataclass(frozen=True, order=True)
class Reject:
    """Something that cannot be used; the run goes on without it."""

    path: str  # "<set>/<path of the source>", never absolute
    reason: str  # one a person can act on
    annotation: bool = False  # a line or a file about videos, and no video itself


@dataclass(frozen=True)
class Listing:
    """What became of a set's sources."""

    rows: list[Row]
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # one line each, about the set as a whole
