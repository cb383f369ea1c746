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
from vigil.footage.listing.annotations import NORMAL
from vigil.footage.listing.records import Listing, Reject, Row, Source

FIGHT = "fight"
LABELS = {"fight": FIGHT, "fights": FIGHT, "nofight": NORMAL, "no_fight": NORMAL, "nofights": NORMAL, "normal": NORMAL}
TABLE = "clips.csv"
URL = "https://github.com/seymanurakti/fight-detection-surv-dataset"


class Params(Frozen):
    path: local.Place  # the folder: relative to the project, absolute, or with ~
    sources: str = TABLE  # table of path and source (and label, split), in that folder
    licence: str = "MIT"


def sources(name: str, params: Params) -> list[Source]:
    root = local.dataset_root(name, params.path)
    found = local.visible(root)
    local.some_videos(name, root, found)
    if params.sources != TABLE and params.sources not in found:
        raise VigilError(f"params.yaml [datasets.{name}]: sources = '{params.sources}': no such file in {root.name}/.")
    wanted = [path for path in found if local.is_video(path) or path == params.sources]
    return local.listed(name, root, [*wanted, *local.shut_folders(root, found)])


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    root = local.dataset_root(name, params.path)
    local.check(root, sources)
    files, others = local.parted(sources)
    arrived, rejects = local.arrive(name, root, files, raw)
    table = local.has_table(root, sources, params.sources)
    rejects += [local.unreadable(root, source) for source in others if not source.sha256]
    notes, refused = (
        annotations.from_table(name, root, params.sources, {file.path for file in files}) if table else ({}, [])
    )
    rows = []
    for path, row in arrived.items():
        made = annotations.apply(
            replace(row, label=label(path), url=URL, licence=params.licence),
            [replace(note, label=LABELS.get(note.label.casefold(), note.label)) for note in notes.get(path, [])],
        )
        if isinstance(made, Row) and made.label not in (FIGHT, NORMAL):
            made = Reject(row.origin, "neither fight nor normal: expected it in fight/ or noFight/")
        elif isinstance(made, Row) and table and made.source == row.video:
            made = Reject(row.origin, f"{params.sources} names no source for it, so no split could keep it apart")
        if isinstance(made, Reject):
            rejects.append(made)
        else:
            rows.append(made)
    return Listing(rows, rejects + refused, [] if table else [_ungrouped(name, len(rows))])


def label(path: str) -> str:
    """`fight` or `normal` by folder, else by the name of the file (fi001, nofi001); empty when neither says."""
    *folders, file = PurePosixPath(path).parts
    for folder in reversed(folders):
        if folder.casefold() in LABELS:
            return LABELS[folder.casefold()]
    return NORMAL if file.startswith("nofi") else FIGHT if file.startswith("fi") else ""


def _ungrouped(name: str, count: int) -> str:
    return (
        f"{name}: no {TABLE}, so which of its {count} clips come from one video is unknown: each counts as a source of "
        "its own, and results on it will flatter. Write the table (path, source) and run `vigil sync`."
    )
