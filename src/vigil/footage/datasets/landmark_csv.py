"""Body landmarks without video: one table of many clips, as AI-Hub's "abnormal behaviour CCTV" travels.

    NUMOFBODIES, ID, <joint>_X, <joint>_Y ..., FRAME_NUM, label      one row per sampled frame, pixels

A clip ends where the label changes, where FRAME_NUM falls, or (a label without FRAME_NUM) where the body jumps. Clips
become small tables of their own with the same columns, rounded to whole pixels: in such tables one class may have whole
numbers and another fractions, which tells them apart better than any pose.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import read_table, write_table
from vigil.engine.per_video import Runtime
from vigil.footage.listing import local
from vigil.footage.listing.annotations import label_of
from vigil.footage.listing.names import slug
from vigil.footage.listing.records import Listing, Reject, Row, Source
from vigil.footage.listing.takes import Clip, explain_groups, group_clips
from vigil.footage.video.reading import Probe

SIDES = ("SHOULDER", "ELBOW", "WRIST", "HIP", "KNEE", "ANKLE")
JOINTS = (*(f"{joint}_{side}" for joint in SIDES for side in ("LEFT", "RIGHT")), "HEAD")

Line = tuple[int, dict[str, str]]  # number in the file, cells


class Params(Frozen):
    path: local.DatasetPath  # the table: relative to the project, absolute, or with ~
    classes: dict[int | str, str]  # label in the table -> class
    fps: Annotated[float, Field(gt=0)]  # rows per second of a clip
    size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]  # px, width and height of the picture
    jump_px: Annotated[float, Field(gt=0)] = 150.0  # median way of the joints between two rows that no body goes
    views: Annotated[int, Field(ge=1)] | None = None  # clips in a row that show one event from as many cameras: one
    # source; null: by FRAME_NUM, or by blocks of rows where it tells nothing, see listing/takes.py
    licence: str = ""


def sources(name: str, params: Params) -> list[Source]:
    table = _table_path(name, params)
    return local.hash_sources(name, table.parent, [table.name])


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    local.check_unchanged(_table_path(name, params).parent, sources)
    return list_clips(name, params, raw)


def list_clips(name: str, params: Params, raw: Path) -> Listing:
    """Writes every clip as a table of its own below `raw`/`name`, and lists them in the order of the rows."""
    table = _table_path(name, params)
    lines = list(enumerate(read_table(table), 2))
    missing = {"label", *(f"{joint}_{axis}" for joint in JOINTS for axis in "XY")} - (
        lines[0][1].keys() if lines else set()
    )
    if missing:
        raise VigilError(f"{name}/{table.name}: no column {', '.join(sorted(missing))}.")
    fps = Fraction(repr(params.fps))
    classes = {str(key): label_of(label) for key, label in params.classes.items()}
    rows: list[Row] = []
    rejects: list[Reject] = []
    clips: list[Clip] = []
    counts: dict[str, int] = {}
    for clip in split_clips(lines, params.jump_px):
        first, last = clip[0][0], clip[-1][0]
        origin = f"{name}/{table.name} lines {first} to {last}"
        label = classes.get(clip[0][1]["label"].strip())
        if label is None:
            rejects.append(Reject(origin, f"label '{clip[0][1]['label']}' has no class in `classes`"))
            continue
        number = counts[label] = counts.get(label, 0) + 1
        stem = f"{slug(label)}-{number:03d}"
        try:
            cells = [_round_cells(line) for line in clip]
        except ValueError as error:
            rejects.append(Reject(origin, str(error)))
            continue
        file = raw / name / f"{stem}.csv"
        write_table(file, cells, list(cells[0]))
        probe = Probe(fps, len(clip), *params.size, len(clip) / fps)
        clips.append(_describe_clip(slug(label), clip))
        rows.append(
            Row(f"{name}/{stem}", file.as_posix(), "", label, licence=params.licence, origin=origin, probe=probe)
        )
    groups = group_clips(clips, params.views)
    rows = [
        replace(row, source=f"{name}/{source}", grouped_by=by) for row, (source, by) in zip(rows, groups, strict=True)
    ]
    return Listing(rows, rejects, [f"{name}: {line}" for line in explain_groups(clips, groups)])


def split_clips(lines: Sequence[Line], jump_px: float) -> Iterator[list[Line]]:
    """Yields the rows of one clip after the other."""
    clip: list[Line] = []
    for line in lines:
        if clip and _begins_new_clip(clip[-1][1], line[1], jump_px):
            yield clip
            clip = []
        clip.append(line)
    if clip:
        yield clip


def _describe_clip(label: str, clip: Sequence[Line]) -> Clip:
    try:
        numbers = [float(cells["FRAME_NUM"]) for _, cells in clip]
    except (KeyError, ValueError):
        return Clip(label, len(clip), None, 0.0)
    steps = [after - before for before, after in pairwise(numbers)]
    return Clip(label, len(clip), (numbers[0], numbers[-1]), statistics.median(steps) if steps else 0.0)


def _begins_new_clip(before: Mapping[str, str], after: Mapping[str, str], jump_px: float) -> bool:
    """Tells whether a new clip begins between two rows."""
    if before["label"] != after["label"]:
        return True
    try:
        if before.get("FRAME_NUM") and after.get("FRAME_NUM"):
            return float(after["FRAME_NUM"]) < float(before["FRAME_NUM"])
        squared_steps = [
            (float(after[f"{joint}_X"]) - float(before[f"{joint}_X"])) ** 2
            + (float(after[f"{joint}_Y"]) - float(before[f"{joint}_Y"])) ** 2
            for joint in JOINTS
        ]
    except ValueError:
        return False  # the clip will be rejected for it
    return statistics.median(squared_steps) > jump_px**2


def _round_cells(line: Line) -> dict[str, str]:
    """Rounds coordinates to whole pixels; ValueError names the line and the cell that is no number."""
    cells = dict(line[1])
    for column, cell in cells.items():
        if column.endswith(("_X", "_Y")) and (cell.strip() or column[:-2] in JOINTS):
            try:
                cells[column] = str(round(float(cell)))
            except (ValueError, OverflowError):
                raise ValueError(
                    f"line {line[0]}: {column} is '{cell}', no number; mend the line or remove it"
                ) from None
    return cells


def _table_path(name: str, params: Params) -> Path:
    table = (settings.root() / Path(params.path).expanduser()).resolve()
    if not table.is_file():
        raise VigilError(
            f"params.yaml [datasets.{name}]: path = {params.path!r}: expected a table (.csv), found "
            f"{'a folder' if table.is_dir() else 'nothing'}. Bring it there, or correct the path."
        )
    return table
