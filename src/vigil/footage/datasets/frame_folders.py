"""Videos that travel as folders of numbered images.

    <path>/data.csv                                 folder_name, type [, split, source; see listing/annotations.py]
    <path>/[train | val | test]/<class>/<sequence>/<numbered images>

`type` is the class (static, dynamic, normal, ...). Without data.csv the folders tell it, and `write_index` writes down
what they tell. An image that lies in a class folder `static` itself, or that data.csv names, becomes a sequence of
frames in which nothing moves.
"""

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import replacing, write_table
from vigil.engine.per_video import Runtime
from vigil.footage.listing import annotations, local
from vigil.footage.listing.annotations import Note, label_of
from vigil.footage.listing.names import shortest_names
from vigil.footage.listing.records import Listing, Reject, Row, Source
from vigil.footage.video.images import SUFFIXES

TABLE = "data.csv"
STATIC = "static"


class Params(Frozen):
    path: local.DatasetPath  # the folder: relative to the project, absolute, or with ~
    fps: Annotated[float, Field(gt=0)] = 10.0  # of every folder: images have no clock
    static_frames: Annotated[int, Field(ge=2)] = 16  # length of a sequence made of a single image
    source: Annotated[str, AfterValidator(local.check_source_rule)] = "file"
    # what no split may divide: `file` (each folder), the `folder` around it, or a regex with one group over the path
    track: bool = False  # copy the videos into data/raw, so that `dvc push` carries them; else they stay where they lie
    licence: str = ""


def sources(name: str, params: Params) -> list[Source]:
    root = local.dataset_root(name, params.path)
    paths = local.list_visible(root)
    table = TABLE in paths and not local.find_problem(root, TABLE)
    table_paths = {line["video"] for _, line in annotations.read_lines(name, root, TABLE)} if table else set()
    relevant = {*find_sequences(paths), *filter(_is_image, table_paths.intersection(paths))}
    if not relevant:
        raise VigilError(
            f"params.yaml [datasets.{name}]: no folder with images in {root.name}/. Correct the path, or bring images."
        )
    return local.hash_sources(name, root, [*relevant, *({TABLE} & set(paths)), *local.list_shut_folders(root, paths)])


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    root = local.dataset_root(name, params.path)
    local.check_unchanged(root, sources)
    table = local.find_table(root, sources, TABLE)
    listed = [source for source in sources if source.path != TABLE]
    rows, rejects = _add_sources(name, root, listed, raw, params)
    notes: dict[str, list[Note]] = {}
    if table:
        notes, table_rejects = annotations.notes_from_table(name, root, TABLE, {source.path for source in listed})
        rejects += table_rejects
    labelled_rows = []
    for path, row in rows.items():
        split, label, above = local.parse_folders(path)
        if table and path not in notes:
            rejects.append(Reject(row.origin, f"{TABLE} does not name it"))
            continue
        annotated = local.assign_group(row, params.source, path, above)
        if isinstance(annotated, Row):
            annotated = annotations.apply_notes(
                annotated if table else replace(annotated, label=label_of(label), split=split), notes.get(path, [])
            )
        if isinstance(annotated, Row) and not annotated.label:
            annotated = Reject(row.origin, f"no class: put it in <class>/<sequence>/, or give its type in {TABLE}")
        if isinstance(annotated, Reject):
            rejects.append(annotated)
        else:
            labelled_rows.append(annotated)
    return Listing(labelled_rows, rejects)


def write_index(root: Path) -> Path:
    """Writes the data.csv of a bare folder tree; VigilError where there is one."""
    table = root / TABLE
    if table.exists():
        raise VigilError(f"{table}: is there already. Remove it to have it written anew.")
    lines = []
    for path in find_sequences(local.list_visible(root)):
        split, label, _ = local.parse_folders(path)
        lines.append({"folder_name": path, "type": label_of(label), "split": split})
    write_table(table, lines, ("folder_name", "type", "split"))
    return table


def find_sequences(paths: Iterable[str]) -> list[str]:
    """Lists the folders that hold images, and the single images that lie in a class folder `static`."""
    sequence_paths = set()
    for path in filter(_is_image, paths):
        folder = PurePosixPath(path).parent
        class_folders = [name for name in folder.parts if name.casefold() not in local.SPLITS]
        if folder.parts:
            is_static = [name.casefold() for name in class_folders] == [STATIC]
            sequence_paths.add(path if is_static else folder.as_posix())
    return sorted(sequence_paths)


def _is_image(path: str) -> bool:
    return local.suffix(path) in SUFFIXES


def _add_sources(
    name: str, root: Path, sources: Sequence[Source], raw: Path, params: Params
) -> tuple[dict[str, Row], list[Reject]]:
    """Makes rows of folders, with pointers to them, and of single images, each repeated in a folder of its own."""
    stems = shortest_names([source.path for source in sources])
    rows, rejects = local.register_sources(
        name,
        root,
        [candidate for candidate in sources if not _is_image(candidate.path)],
        raw,
        track=params.track,
        stems=stems,
    )
    for source in (candidate for candidate in sources if _is_image(candidate.path)):
        if not source.sha256:
            rejects.append(local.reject_unreadable(root, source))
            continue
        video = f"{name}/{stems[source.path]}"
        for number in range(params.static_frames):
            with replacing(raw / video / f"{number:04d}{local.suffix(source.path)}") as temporary:
                shutil.copyfile(root / source.path, temporary)
        digest = hashlib.sha256(f"{params.static_frames} x {source.sha256}".encode()).hexdigest()
        rows[source.path] = Row(
            video, (raw / video).as_posix(), video, "", sha256=digest, origin=f"{name}/{source.path}"
        )
    fps = Fraction(repr(params.fps))
    return {path: replace(row, fps=fps, licence=params.licence) for path, row in rows.items()}, rejects
