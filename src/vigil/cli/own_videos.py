"""Which videos a user means by a path, and how they get into a workspace: by stage `download`, as any dataset does."""

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from typing import Any

from vigil.cli.label_table import UNLABELLED, apply_table, without_pipeline_advice
from vigil.cli.sections import read_runtime, read_section
from vigil.core.errors import VigilError, near_miss
from vigil.core.storage import read_table, write_table
from vigil.footage import sources, video_table
from vigil.footage.datasets.folder import TABLE
from vigil.footage.listing import local
from vigil.footage.listing.names import shortest_names, slug
from vigil.footage.video_table import Video
from vigil.stages import download

Datasets = dict[str, dict[str, Any]]  # as section `datasets` of params.yaml has them, by name
EXPECTED = "Name a folder of videos, a video, a table of landmarks (.csv), or a dataset of params.yaml."
ROOT = Path("/")  # normal videos may lie anywhere
CAMERA = "camera"  # the dataset that they are


def refuse_footage(path: Path, kind: str | None, options: Mapping[str, Any], labels: Path | None) -> None:
    """VigilError where `bring_in_dataset` would find nothing to bring in, without looking into a single video."""
    if labels is not None and not labels.exists():
        raise VigilError(f"{labels}: not found.")
    if _is_single_video(path, kind):
        return
    datasets = _datasets(path, kind, options)
    with _in_words_of_user(path, datasets, Path()):
        sources.read_datasets(datasets)


def bring_in_dataset(
    path: Path, kind: str | None, options: Mapping[str, Any], labels: Path | None, data: Path
) -> list[Video]:
    """The labelled videos of a folder, a file or a dataset of params.yaml; those without a label are left out."""
    if _is_single_video(path, kind):
        root = path.resolve().parent
        name = _dataset_name(path.stem)
        datasets = {name: _folder(root) | dict(options)}
        files = [file for file in (path.name, path.with_suffix(".json").name) if (root / file).exists()]
        _list_files(name, root, files, data)
        if labels is None and (root / TABLE).exists():
            labels = root / TABLE
    else:
        root, datasets = path.resolve(), _datasets(path, kind, options)
        with _in_words_of_user(path, datasets, data):
            sources.sync(datasets, data / "sources.csv")
    videos = _download(path, datasets, data)
    if labels is not None:
        videos = apply_table(videos, root, labels)
    return _drop_unlabelled(videos, path, _is_single_video(path, kind))


def bring_in_normal_videos(paths: Sequence[Path], label: str, data: Path, separate: bool = False) -> list[Video]:
    """Videos by path, of a folder all that is in it, under one label; each recording is a source.

    Files of a folder whose names differ in numbers alone are one recording that was cut; with `separate` each file is
    a recording.
    """
    files = list_videos(paths)
    relative = sorted({file.resolve().relative_to(ROOT).as_posix() for file in files})
    _list_files(CAMERA, ROOT, relative, data)
    stems = shortest_names(relative)
    recording_of = {f"{CAMERA}/{stems[path]}": path if separate else name_recording(path) for path in relative}
    videos = [
        replace(video, label=label, spans=(), source=recording_of[video.video])
        for video in _download(ROOT, {CAMERA: _folder(ROOT)}, data)
    ]
    recordings = len({video.source for video in videos})
    if recordings < len(videos):
        print(
            f"{len(videos)} videos count as {recordings} recording{'s' * (recordings > 1)}, by their names; "
            "--separate says otherwise",
            file=sys.stderr,
        )
    return videos


def name_recording(path: str) -> str:
    """What the files of one recording share: their folder, and their name but for its numbers."""
    file = PurePosixPath(path)
    return (file.parent / re.sub(r"\d+", "#", file.stem)).as_posix()


def list_videos(paths: Sequence[Path]) -> list[Path]:
    """Video files by path, of a folder all that is in it; VigilError for a path without one."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise VigilError(f"{path}: not found.")
        inside = [path / name for name in local.list_visible(path)] if path.is_dir() else [path]
        videos = [file for file in inside if local.is_video(file.name)]
        if not videos:
            raise VigilError(f"{path}: {'no video in it' if path.is_dir() else 'not a video, by its name'}.")
        files += videos
    return files


def _drop_unlabelled(videos: Sequence[Video], path: Path, single: bool) -> list[Video]:
    unlabelled = [video.video for video in videos if video.label == UNLABELLED]
    if single and unlabelled:
        raise VigilError(
            f"{path}: nothing says what this video shows. Name a table of video, label, start_s, stop_s with --labels, "
            "or the folder that holds its class's folder."
        )
    if unlabelled:
        print(f"warning: {len(unlabelled)} videos without a label are left out, the first: {unlabelled[0]}",
              file=sys.stderr)  # fmt: skip
    if len(unlabelled) == len(videos):
        raise VigilError(f"{path}: no video has a label. Put them in folders of their class, or give --labels.")
    return [video for video in videos if video.label != UNLABELLED]


def _is_single_video(path: Path, kind: str | None) -> bool:
    return path.is_file() and local.is_video(path.name) and kind in (None, "folder")


def _datasets(path: Path, kind: str | None, options: Mapping[str, Any]) -> Datasets:
    """The dataset that a path stands for; of a folder of tables of landmarks, one for each table."""
    if not path.exists():
        return {path.name: _configured_dataset(str(path)) | dict(options)}
    if kind is None and path.is_file() and path.suffix.lower() != ".csv":
        raise VigilError(f"{path}: neither a video nor a table, by its name. {EXPECTED}")
    inside = local.list_visible(path) if path.is_dir() and kind in (None, "landmark_csv") else []
    tables = [path / name for name in inside if name.lower().endswith(".csv")]
    if any(map(local.is_video, inside)) or not all(map(_has_landmarks, tables)):
        tables = []
    datasets: Datasets = {}
    for source in tables or [path]:
        name = _dataset_name(source.resolve().stem if tables else source.resolve().name)
        unique = f"{name}-{len(datasets)}" if name in datasets else name
        kind_of_source = kind or ("landmark_csv" if source.suffix.lower() == ".csv" else "folder")
        section = _folder(source) if kind_of_source == "folder" else {"kind": kind_of_source, "path": _full(source)}
        datasets[unique] = section | dict(options)
    return datasets


def _configured_dataset(name: str) -> dict[str, Any]:
    """A dataset of params.yaml."""
    configured: Datasets = read_section("datasets", {}) or {}
    if name not in configured:
        raise VigilError(f"{name}: not found. {EXPECTED}{near_miss(name, configured)}")
    return dict(configured[name])


def _folder(path: Path) -> dict[str, Any]:
    return {"kind": "folder", "path": _full(path), "label": UNLABELLED}


def _full(path: Path) -> str:
    return str(path.resolve())


def _dataset_name(text: str) -> str:
    return slug(text)[:60].strip("-_") or "videos"


def _has_landmarks(table: Path) -> bool:
    with table.open(encoding="utf-8-sig", errors="replace") as lines:
        return {"label", "HEAD_X"} <= set(lines.readline().strip().split(","))


def _list_files(name: str, root: Path, files: Iterable[str], data: Path) -> None:
    """What `vigil sync` would list if nothing else lay in `root`."""
    rows = [asdict(source) for source in local.hash_sources(name, root, files)]
    write_table(data / "sources.csv", rows, sources.COLUMNS)


def _download(path: Path, datasets: Datasets, data: Path) -> list[Video]:
    """Stage `download` into the workspace; what it rejects is said and left out."""
    try:
        with _in_words_of_user(path, datasets, data):
            download.main(
                sources=data / "sources.csv",
                raw=data / "raw",
                truth=data / "truth",
                videos=data / "videos.csv",
                rejects=data / "rejects.csv",
                params=download.Params(min_frames=1, max_reject_share=1.0),
                datasets=datasets,
                runtime=read_runtime(),
            )
    finally:
        for reject in read_table(data / "rejects.csv") if (data / "rejects.csv").exists() else ():
            name = reject["path"].removeprefix(CAMERA) if path == ROOT else reject["path"]
            print(f"warning: {name} is left out: {without_pipeline_advice(reject['reason'])}", file=sys.stderr)
    return video_table.read(data / "videos.csv")


@contextlib.contextmanager
def _in_words_of_user(path: Path, datasets: Datasets, data: Path) -> Iterator[None]:
    """Errors name what the user named: neither a section of params.yaml, unless it is one, nor a temporary file."""
    try:
        yield
    except VigilError as error:
        message = str(error).replace(f" See {data / 'rejects.csv'}.", "")
        named = "--normal" if path == ROOT else str(path)
        for name in datasets if path.exists() else ():
            for prefix in (f"params.yaml [datasets.{name}]: ", f"{name}: "):
                if message.startswith(prefix):
                    message = f"{named}: {message.removeprefix(prefix)}"
        hint = " Give keys by --option KEY=VALUE." if " key '" in message else ""
        raise VigilError(f"{message}{hint}") from None
