"""`--labels FILE`: what a table says of videos that lie in a folder; see footage/listing/annotations.py."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.core.storage import raw_file
from vigil.footage.listing import annotations, local
from vigil.footage.listing.records import LATE_S, Reject, Row
from vigil.footage.video_table import Video

UNLABELLED = "no label"
PIPELINE_ADVICE = re.compile(r"; (run `vigil sync` if it is new|to try again: dvc repro --force \w+)")


def apply_table(videos: Sequence[Video], root: Path, labels: Path) -> list[Video]:
    """The videos with the labels, sources and spans of the table, in which paths are relative to `root`."""
    if not labels.exists():
        raise VigilError(f"{labels}: not found.")
    by_path = {_relative(root, raw_file(Path(video.path))): video for video in videos}
    others = [name for name in local.list_visible(root) if local.is_video(name)] if root.is_dir() else []
    try:
        notes, refused = annotations.notes_from_table(root.name, root, str(labels.resolve()), {*by_path, *others})
    except VigilError as error:
        raise VigilError(str(error).replace(f"{root.name}/{labels.resolve()}", str(labels))) from None
    for reject in refused:
        print(f"warning: {labels}: {without_pipeline_advice(reject.reason)}", file=sys.stderr)
    if not notes.keys() & by_path.keys():
        raise VigilError(
            f"{labels}: names none of the {len(videos)} videos of {root}. Paths are relative to that folder."
        )
    return [_apply_notes(video, notes[path], labels) if path in notes else video for path, video in by_path.items()]


def without_pipeline_advice(reason: str) -> str:
    """A reason without the advice that helps in the pipeline alone."""
    return PIPELINE_ADVICE.sub("", reason)


def _relative(root: Path, path: Path) -> str:
    try:
        return path.resolve().relative_to(root).as_posix()
    except ValueError:
        return path.name


def _apply_notes(video: Video, notes: Sequence[annotations.Note], labels: Path) -> Video:
    label = "" if video.label == UNLABELLED else video.label
    row = annotations.apply_notes(
        Row(video.video, video.path, video.source, label, video.spans, origin=video.video), notes
    )
    if isinstance(row, Reject):
        raise VigilError(f"{row.path}: {row.reason}")
    late = [stop for start, stop in row.spans if start >= video.duration_s or stop > video.duration_s + LATE_S]
    if late:
        raise VigilError(
            f"{labels}: {video.video}: marks {float(late[0]):g} s, and the video ends at "
            f"{float(video.duration_s):g} s: it belongs to another video."
        )
    spans = tuple((start, min(stop, video.duration_s)) for start, stop in row.spans)
    return replace(video, label=row.label or UNLABELLED, source=row.source, spans=spans)
