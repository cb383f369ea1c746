"""What the videos of a trial are called: by a table that comes with them, and then by the model that judges them.

A model knows the labels that it was trained on. Any other is normal if it is ordinary (see manifest.py), and abnormal
to a model that knows nothing but normal and abnormal, for what is not normal is what it is asked about. A model with
more classes has to be told. Whatever is decided is said.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vigil.clips.places import ids, ordinary
from vigil.core.errors import VigilError, near_miss
from vigil.core.storage import raw_file
from vigil.footage.listing import annotations
from vigil.footage.listing.records import Reject, Row
from vigil.footage.video_table import ORDINARY, Video
from vigil.models.checkpoint import Card

UNLABELLED = "no label"
ABNORMAL = "abnormal"  # to a model of one class
LATE_S = Fraction(1)  # a label may go on for this long after the video's end

Meant = dict[str, str | None]  # label that a model does not know -> its class; None: left out


def called(card: Card, videos: Sequence[Video], said: Mapping[str, str]) -> tuple[list[Video], Meant]:
    """The videos that the model can be held against, under labels that it knows.

    `said` has a class of the model, or another label, for a label; or nothing, which leaves it out.
    """
    many = Counter(one.label for one in videos)
    for label in said:
        if label not in many:
            raise VigilError(
                f"--as {label}={said[label]}: no video has that label. There are: {', '.join(sorted(many))}."
                f"{near_miss(label, many)}"
            )
    known = ids(card.classes)
    meant = {label: _class(card, label) for label in sorted(many) if label not in known}
    unclear = [label for label, name in meant.items()
               if name is None and label not in said and not _beyond(card, label)]  # fmt: skip
    meant |= {label: _said(card, label, name) for label, name in said.items()}
    told = [
        f"{_videos(label, many)} {'is left out' if name is None else f'counts as {name}'}"
        for label, name in sorted(meant.items())
        if label not in unclear
    ]
    help_ = ""
    if unclear:
        hints = dict.fromkeys(near_miss(label, [*card.classes, *known]) for label in unclear)
        help_ = (
            f"it does not know the labels {', '.join(_videos(label, many) for label in unclear)}. Say what they are: "
            f"{' '.join(f'--as {label}=CLASS' for label in unclear)}, a class being one of {', '.join(card.classes)}."
            f"{''.join(hints)}"
        )
    kept = [
        replace(one, label=card.classes.get(meant.get(one.label) or "", [one.label])[0])
        for one in videos
        if meant.get(one.label, one.label) is not None
    ]
    if not kept:
        raise VigilError(f"{card.model}: no video is left to judge: {help_ or ', '.join(told)}")
    if told:
        print(f"{card.model}: {', '.join(told)}; --as LABEL=CLASS says otherwise", file=sys.stderr)
    if unclear:
        print(f"{card.model}: warning: {len(videos) - len(kept)} videos are left out: {help_}", file=sys.stderr)
    return kept, meant


def _class(card: Card, label: str) -> str | None:
    """What a label must be that nobody told; None where that is open."""
    names, normal = list(card.classes), ordinary(card.classes)
    if label in names:
        return label
    if normal is None:
        return None
    if label in ORDINARY and card.clip.target != "cells":  # to which only what does not move is ordinary
        return names[normal]
    other = [*names[:normal], *names[normal + 1 :]] or [ABNORMAL]
    return other[0] if len(other) == 1 else None


def _beyond(card: Card, label: str) -> bool:
    """Whether there can be no class for it: what is ordinary, to a model that only names the abnormal."""
    return label in ORDINARY and ordinary(card.classes) is None


def _said(card: Card, label: str, name: str) -> str | None:
    names, known = list(card.classes), ids(card.classes)
    if name and name not in names and name not in known:
        raise VigilError(
            f"--as {label}={name}: {card.model} has no such class. Expected one of {', '.join(names)}; or nothing, "
            f"which leaves those videos out.{near_miss(name, [*names, *known])}"
        )
    return None if not name else name if name in names else names[known[name]]


def _videos(label: str, many: Mapping[str, int]) -> str:
    return f"{label} ({many[label]} video{'s' * (many[label] != 1)})"


def labelled(videos: Sequence[Video], root: Path, labels: Path) -> list[Video]:
    """The videos with what a table says of them; see datasets/annotations.py."""
    if not labels.exists():
        raise VigilError(f"{labels}: not found.")
    paths = {_within(root, raw_file(Path(one.path))): one for one in videos}
    try:
        notes, refused = annotations.from_table(root.name, root, str(labels.resolve()), set(paths))
    except VigilError as error:
        raise VigilError(str(error).replace(f"{root.name}/{labels.resolve()}", str(labels))) from None
    for reject in refused:
        print(f"warning: {labels}: {without_sync(reject.reason)}", file=sys.stderr)
    if not notes:
        raise VigilError(
            f"{labels}: names none of the {len(videos)} videos of {root}. Paths are relative to that folder."
        )
    return [_noted(one, notes[path], labels) if path in notes else one for path, one in paths.items()]


def without_sync(reason: str) -> str:
    """A reason without the advice that helps in the pipeline alone."""
    return reason.replace("; run `vigil sync` if it is new", "")


def _within(root: Path, path: Path) -> str:
    try:
        return path.resolve().relative_to(root).as_posix()
    except ValueError:
        return path.name


def _noted(video: Video, notes: Sequence[annotations.Note], labels: Path) -> Video:
    label = "" if video.label == UNLABELLED else video.label
    made = annotations.apply(Row(video.video, video.path, video.source, label, video.spans, origin=video.video), notes)
    if isinstance(made, Reject):
        raise VigilError(f"{made.path}: {made.reason}")
    late = [stop for start, stop in made.spans if start >= video.duration_s or stop > video.duration_s + LATE_S]
    if late:
        raise VigilError(
            f"{labels}: {video.video}: marks {float(late[0]):g} s, and the video ends at "
            f"{float(video.duration_s):g} s: it belongs to another video."
        )
    spans = tuple((start, min(stop, video.duration_s)) for start, stop in made.spans)
    return replace(video, label=made.label or UNLABELLED, source=made.source, spans=spans)
