"""Datasets that lie on this machine: what is listed and hashed, and how a user's file gets a name and a pointer.

A user's files are only ever read: never linked, moved, or given other permissions. They are copied where `track` asks.
"""

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.storage import replacing, write_pointer
from vigil.footage.listing.hashes import Hashes, list_pictures
from vigil.footage.listing.names import shortest_names
from vigil.footage.listing.records import Reject, Row, Source

VIDEO = re.compile(
    r"\.(3gp|asf|avi|dav|flv|h26[45]|m2ts|m4v|mjpe?g|mkv|mov|mp4|mpe?g|mts|ogv|ts|webm|wmv)$", re.IGNORECASE
)
DatasetPath = Annotated[str, Field(min_length=1)]  # "" would be the project itself
ANNOTATIONS = (".csv", ".json", ".txt")
SPLITS = {
    word: split
    for split, words in {
        "train": ("train", "training"),
        "val": ("val", "valid", "validation"),
        "test": ("test", "testing"),
    }.items()
    for word in words
}


def dataset_root(name: str, path: str) -> Path:
    """Returns the folder of set `name`: relative to the project, absolute, or with ~."""
    root = settings.root() / Path(path).expanduser()
    if not root.is_dir():
        actual = "a file" if root.exists() else "nothing"
        raise VigilError(
            f"params.yaml [datasets.{name}]: path = {path!r}: expected a folder, found {actual}. "
            "Bring the data there, correct the path, or take the set out of `datasets`."
        )
    return root


def list_visible(root: Path) -> list[str]:
    """Lists, sorted, the files below `root` that are not hidden, and the folders that cannot be entered or lead out."""
    paths: list[str] = []
    queue = [root]
    while queue:
        folder = queue.pop()
        try:
            entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
        except OSError:
            paths.append(folder.relative_to(root).as_posix())
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                queue.append(path)
            elif not (
                entry.is_symlink() and path.is_dir() and _lies_within(root, path)
            ):  # its content is listed already
                paths.append(path.relative_to(root).as_posix())
    return sorted(paths)


def suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def is_video(path: str) -> bool:
    return VIDEO.search(path) is not None


def hash_sources(name: str, root: Path, paths: Iterable[str]) -> list[Source]:
    """Makes sources of files or folders below `root`; the hash is empty where one cannot be read."""

    def source(path: str) -> Source:
        if find_problem(root, path):
            return Source(name, _printable(path), None, "")
        return Source(name, path, *hashes.fingerprint(root / path))

    with Hashes() as hashes, ThreadPoolExecutor() as pool:  # hashing lets other threads run
        return sorted(pool.map(source, paths))


def list_sources(name: str, root: Path, is_relevant: Callable[[str], bool]) -> list[Source]:
    """Makes sources of the relevant files of a folder that has videos, and of its folders that cannot be read."""
    paths = list_visible(root)
    require_videos(name, root, paths)
    return hash_sources(name, root, [*filter(is_relevant, paths), *list_shut_folders(root, paths)])


def check_unchanged(root: Path, sources: Sequence[Source]) -> None:
    """Raises VigilError when a source is not what it was when `vigil sync` saw it."""
    sources_now = hash_sources(sources[0].set, root, [source.path for source in sources]) if sources else []
    changed = [old.path for old, new in zip(sorted(sources), sources_now, strict=True) if old != new]
    if changed:
        raise VigilError(
            f"data/sources.csv: {sources[0].set}: {len(changed)} of {len(sources)} files changed or went away "
            f"(the first: {changed[0]}). Run `vigil sync`."
        )


def find_problem(root: Path, path: str) -> str | None:
    """Says why a file or a folder of images cannot be read; None when it can."""
    file = root / path
    try:
        if _printable(path) != path:
            return "its name is not valid UTF-8; rename it"
        if file.is_symlink() and not file.exists():
            return "a link to nothing; remove it or mend it"
        if file.is_symlink() and not _lies_within(root, file):
            return "a link that leads out of the dataset's folder; copy the file in, or make its real folder a dataset"
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            image_problems = (
                (picture.name, find_problem(root, f"{path}/{picture.name}")) for picture in list_pictures(file)
            )
            return next((f"{picture}: {reason}" for picture, reason in image_problems if reason), None)
        if not stat.S_ISREG(mode):
            return "neither a file nor a folder; remove it"
        with file.open("rb"):
            return None
    except FileNotFoundError:
        return "gone, or its name is not valid UTF-8; rename it"
    except OSError as error:
        return f"cannot be read: {(error.strerror or 'unknown error').lower()}; allow reading, or remove it"


def resolve_reference(root: Path, base: Path, text: str) -> str | None:
    """Resolves a path written in a file in `base`, relative to `root`; None when it leads out, links followed too."""
    path = base / text
    if not _lies_within(root, path):
        return None
    plain = Path(os.path.normpath(path))
    return (
        (plain if plain.is_relative_to(root) else root / path.resolve().relative_to(root.resolve()))
        .relative_to(root)
        .as_posix()
    )


def register_sources(
    name: str,
    root: Path,
    sources: Sequence[Source],
    raw: Path,
    *,
    track: bool,
    stems: Mapping[str, str] | None = None,
) -> tuple[dict[str, Row], list[Reject]]:
    """Makes a row without label of each source that can be read, by path; rejects the others.

    In `raw` there is a pointer to each, or with `track` a copy, which DVC keeps and pushes.
    """
    stems = stems or shortest_names([source.path for source in sources])
    rows: dict[str, Row] = {}
    rejects: list[Reject] = []
    for source in sources:
        if not source.sha256:
            rejects.append(reject_unreadable(root, source))
            continue
        stem = stems[source.path]
        file = raw / name / f"{stem}{suffix(source.path) if is_video(source.path) else ''}"
        if track:
            _copy_source(root / source.path, file)
        else:
            write_pointer(file, root / source.path, source.size or 0, source.sha256)
        video, origin = f"{name}/{stem}", f"{name}/{source.path}"
        rows[source.path] = Row(video, file.as_posix(), video, "", sha256=source.sha256, origin=origin)
    return rows, rejects


def _copy_source(source: Path, file: Path) -> None:
    """Copies a video, or the pictures of a folder."""
    if source.is_dir():
        for picture in list_pictures(source):
            _copy_source(picture, file / picture.name)
    else:
        with replacing(file) as temporary:
            shutil.copyfile(source, temporary)


def parse_folders(path: str) -> tuple[str, str, str]:
    """Returns the split, the class folder, and the folders below that one, by the path of a video or a sequence."""
    folders = list(PurePosixPath(path).parts[:-1])
    split = SPLITS.get(folders[0].casefold(), "") if folders else ""
    folders = folders[1:] if split else folders
    return split, folders[0] if folders else "", "/".join(folders[1:])


def assign_group(row: Row, rule: str, path: str, folder: str) -> Row | Reject:
    """Sets the row's source group by the rule `file`, `folder` (`folder`, if any) or a regex with one group."""
    if rule == "file" or (rule == "folder" and not folder):
        return row
    name = row.video.split("/")[0]
    if rule == "folder":
        return replace(row, source=f"{name}/{folder}", grouped_by="folder")
    match = re.search(rule, path)
    if not match or not match[1]:
        return Reject(row.origin, f"`source: {rule}` finds nothing in its path, so its source group is unknown")
    return replace(row, source=f"{name}/{match[1]}", grouped_by="path")


def check_source_rule(rule: str) -> str:
    """Validates the rule that `assign_group` takes."""
    if rule in ("file", "folder"):
        return rule
    try:
        groups = re.compile(rule).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError("expected file, folder, or a regular expression with one group (...)")
    return rule


def _lies_within(root: Path, path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name no system allows
        return False


def _printable(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def require_videos(name: str, root: Path, paths: Iterable[str]) -> None:
    """Raises VigilError when there is no video at all, so that a wrong path is not taken for an empty dataset."""
    if not any(is_video(path) for path in paths):
        raise VigilError(f"params.yaml [datasets.{name}]: no video in {root.name}/. Correct the path, or bring videos.")


def list_shut_folders(root: Path, paths: Iterable[str]) -> list[str]:
    """Lists the folders among what `list_visible` found: they cannot be entered, or lead out."""
    return [path for path in paths if (root / path).is_dir()]


def divide_videos(sources: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    """Divides the sources into videos and all others."""
    return [source for source in sources if is_video(source.path)], [
        source for source in sources if not is_video(source.path)
    ]


def find_table(root: Path, sources: Iterable[Source], table: str) -> bool:
    """Says whether the table is among the sources; VigilError when it is and cannot be read."""
    table_source = next((source for source in sources if source.path == table), None)
    if table_source and not table_source.sha256:
        raise VigilError(f"{table_source.set}/{table}: {find_problem(root, table) or 'changed; run `vigil sync`'}.")
    return table_source is not None


def reject_unreadable(root: Path, source: Source) -> Reject:
    reason = find_problem(root, source.path) or "could not be read; run `vigil sync`"
    return Reject(f"{source.set}/{source.path}", reason, suffix(source.path) in ANNOTATIONS)
