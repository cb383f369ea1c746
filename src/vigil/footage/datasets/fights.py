"""Surveillance Camera Fight dataset (Akti et al. 2019): two-second clips of fights and of normal scenes.

    <path>/fight/fi001.mp4, <path>/noFight/nofi001.mp4   (normal/ will do as well)
    <path>/clips.csv                                      path, label, source [, split]

Its 300 clips were cut from about 46 videos, so a clip says little about itself and much about its source. The original
comes without a list of sources: `sources` names one (a table like clips.csv, in the dataset's folder).
"""

from dataclasses import replace
from pathlib import Path, PurePosixPath

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.engine.per_video import Runtime
from vigil.footage.listing import annotations, local
from vigil.footage.listing.records import Listing, Reject, Row, Source
from vigil.footage.video_table import NORMAL

FIGHT = "fight"
LABELS = {"fight": FIGHT, "fights": FIGHT, "nofight": NORMAL, "no_fight": NORMAL, "nofights": NORMAL, "normal": NORMAL}
TABLE = "clips.csv"
URL = "https://github.com/seymanurakti/fight-detection-surv-dataset"


class Params(Frozen):
    path: local.DatasetPath  # the folder: relative to the project, absolute, or with ~
    sources: str = TABLE  # table of path and source (and label, split), in that folder
    track: bool = False  # copy the videos into data/raw, so that `dvc push` carries them; else they stay where they lie
    licence: str = "MIT"


def sources(name: str, params: Params) -> list[Source]:
    root = local.dataset_root(name, params.path)
    if params.sources != TABLE and params.sources not in local.list_visible(root):
        raise VigilError(f"params.yaml [datasets.{name}]: sources = '{params.sources}': no such file in {root.name}/.")
    return local.list_sources(name, root, lambda path: local.is_video(path) or path == params.sources)


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    root = local.dataset_root(name, params.path)
    local.check_unchanged(root, sources)
    files, annotation_files = local.divide_videos(sources)
    rows_by_path, rejects = local.register_sources(name, root, files, raw, track=params.track)
    table = local.find_table(root, sources, params.sources)
    rejects += [local.reject_unreadable(root, source) for source in annotation_files if not source.sha256]
    notes, table_rejects = (
        annotations.notes_from_table(name, root, params.sources, {file.path for file in files}) if table else ({}, [])
    )
    rows = []
    for path, row in rows_by_path.items():
        annotated = annotations.apply_notes(
            replace(row, label=label_of_path(path), url=URL, licence=params.licence),
            [replace(note, label=LABELS.get(note.label.casefold(), note.label)) for note in notes.get(path, [])],
        )
        if isinstance(annotated, Row) and annotated.label not in (FIGHT, NORMAL):
            annotated = Reject(row.origin, "neither fight nor normal: expected it in fight/ or noFight/")
        elif isinstance(annotated, Row) and table and annotated.source == row.video:
            annotated = Reject(row.origin, f"{params.sources} names no source for it, so no split could keep it apart")
        if isinstance(annotated, Reject):
            rejects.append(annotated)
        else:
            rows.append(annotated)
    return Listing(rows, rejects + table_rejects, [] if table else [_warn_ungrouped(name, len(rows))])


def label_of_path(path: str) -> str:
    """Returns `fight` or `normal` by folder, else by the name of the file (fi001, nofi001); empty when neither says."""
    *folders, file = PurePosixPath(path).parts
    for folder in reversed(folders):
        if folder.casefold() in LABELS:
            return LABELS[folder.casefold()]
    return NORMAL if file.startswith("nofi") else FIGHT if file.startswith("fi") else ""


def _warn_ungrouped(name: str, count: int) -> str:
    return (
        f"{name}: no {TABLE}, so which of its {count} clips come from one video is unknown: each counts as a source of "
        "its own, and results on it will flatter. Write the table (path, source) and run `vigil sync`."
    )
