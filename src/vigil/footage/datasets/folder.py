"""Videos in a folder of one's own.

    <path>/[train | val | test]/<class>/[...]/<video>

The class folder is `normal`, `anomaly` (or `abnormal`), or the name of a class; the level of splits may be missing. A
labels.csv in the folder and a JSON file beside a video say more, or something else: see annotations.py.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from vigil.core.params import Frozen
from vigil.engine.per_video import Runtime
from vigil.footage.listing import annotations, local
from vigil.footage.listing.annotations import Note, label_of
from vigil.footage.listing.records import Listing, Reject, Row, Source

TABLE = "labels.csv"


class Params(Frozen):
    path: local.Place  # the folder: relative to the project, absolute, or with ~
    source: Annotated[str, AfterValidator(local.source_rule)] = "file"
    # what no split may divide: `file`, the `folder` below the class folder, or a regex with one group over the path
    label: str | None = None  # of videos that no folder and no file names
    licence: str = ""


def sources(name: str, params: Params) -> list[Source]:
    root = local.dataset_root(name, params.path)
    found = local.visible(root)
    local.some_videos(name, root, found)
    wanted = [path for path in found if local.is_video(path) or path.endswith(".json") or path == TABLE]
    return local.listed(name, root, [*wanted, *local.shut_folders(root, found)])


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    root = local.dataset_root(name, params.path)
    local.check(root, sources)
    local.has_table(root, sources, TABLE)
    files, others = local.parted(sources)
    arrived, rejects = local.arrive(name, root, files, raw)
    notes, refused = _notes(
        name, root, [source.path for source in others if source.sha256], [one.path for one in files]
    )
    rejects += refused + [local.unreadable(root, source) for source in others if not source.sha256]
    rows: list[Row] = []
    for path, row in arrived.items():
        split, label, below = local.placed(path)
        made = local.grouped(
            replace(row, label=label_of(label), split=split, licence=params.licence), params.source, path, below
        )
        if isinstance(made, Row):
            made = annotations.apply(made, notes.get(path, []))
        if isinstance(made, Row) and not (made.label or params.label):
            made = Reject(made.origin, "no label: put it in a folder named after its class, or name it in labels.csv")
        if isinstance(made, Reject):
            rejects.append(made)
        else:
            rows.append(replace(made, label=made.label or params.label or ""))
    return Listing(rows, rejects)


def _notes(
    name: str, root: Path, files: Iterable[str], videos: list[str]
) -> tuple[dict[str, list[Note]], list[Reject]]:
    """What the JSON files and then labels.csv say, by video."""
    known = set(videos)
    beside = {PurePosixPath(path).with_suffix(".json").as_posix(): path for path in reversed(videos)}
    said: dict[str, list[Note]] = {}
    rejects: list[Reject] = []
    for file in sorted(files, key=lambda file: (file == TABLE, file)):
        if file == TABLE:
            notes, refused = annotations.from_table(name, root, file, known)
        else:
            notes, refused = annotations.from_json(name, root, file, known, beside.get(file))
        rejects += refused
        for path, more in notes.items():
            said[path] = said.get(path, []) + more
    return said, rejects
