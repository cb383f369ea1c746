"""Videos in a folder of one's own.

    <path>/[train | val | test]/<class>/[...]/<video>

The class folder is `normal`, `anomaly` (or `abnormal`), or the name of a class; the level of splits may be missing. A
labels.csv in the folder and a JSON file beside a video say more, or something else: see listing/annotations.py.
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
    path: local.DatasetPath  # the folder: relative to the project, absolute, or with ~
    source: Annotated[str, AfterValidator(local.check_source_rule)] = "file"
    # what no split may divide: `file`, the `folder` below the class folder, or a regex with one group over the path
    label: str | None = None  # of videos that no folder and no file names
    track: bool = False  # copy the videos into data/raw, so that `dvc push` carries them; else they stay where they lie
    licence: str = ""


def sources(name: str, params: Params) -> list[Source]:
    return local.list_sources(
        name,
        local.dataset_root(name, params.path),
        lambda path: local.is_video(path) or path.endswith(".json") or path == TABLE,
    )


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    root = local.dataset_root(name, params.path)
    local.check_unchanged(root, sources)
    local.find_table(root, sources, TABLE)
    files, annotation_files = local.divide_videos(sources)
    rows_by_path, rejects = local.register_sources(name, root, files, raw, track=params.track)
    notes, note_rejects = _read_notes(
        name, root, [source.path for source in annotation_files if source.sha256], [file.path for file in files]
    )
    rejects += note_rejects + [
        local.reject_unreadable(root, source) for source in annotation_files if not source.sha256
    ]
    rows: list[Row] = []
    for path, row in rows_by_path.items():
        split, label, below = local.parse_folders(path)
        annotated = local.assign_group(
            replace(row, label=label_of(label), split=split, licence=params.licence), params.source, path, below
        )
        if isinstance(annotated, Row):
            annotated = annotations.apply_notes(annotated, notes.get(path, []))
        if isinstance(annotated, Row) and not (annotated.label or params.label):
            annotated = Reject(
                annotated.origin, "no label: put it in a folder named after its class, or name it in labels.csv"
            )
        if isinstance(annotated, Reject):
            rejects.append(annotated)
        else:
            rows.append(replace(annotated, label=annotated.label or params.label or ""))
    return Listing(rows, rejects)


def _read_notes(
    name: str, root: Path, files: Iterable[str], videos: list[str]
) -> tuple[dict[str, list[Note]], list[Reject]]:
    """Reads what the JSON files and then labels.csv say, by video."""
    video_paths = set(videos)
    beside = {PurePosixPath(path).with_suffix(".json").as_posix(): path for path in reversed(videos)}
    notes_by_video: dict[str, list[Note]] = {}
    rejects: list[Reject] = []
    for file in sorted(files, key=lambda file: (file == TABLE, file)):
        if file == TABLE:
            notes, file_rejects = annotations.notes_from_table(name, root, file, video_paths)
        else:
            notes, file_rejects = annotations.notes_from_json(name, root, file, video_paths, beside.get(file))
        rejects += file_rejects
        for path, added in notes.items():
            notes_by_video[path] = notes_by_video.get(path, []) + added
    return notes_by_video, rejects
