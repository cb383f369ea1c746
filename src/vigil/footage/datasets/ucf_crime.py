"""UCF-Crime (Sultani et al. 2018): 1,900 surveillance videos, 13 crimes and normal.

Any of the layouts that it travels in is understood, for a class folder may lie anywhere:

    <path>/[Train | Test | Validation]/<class>/[...]/<video>
    <path>/Anomaly-Videos-Part-<n>/<class>/<video>
    <path>/Training-Normal-Videos-Part-<n>/<video>, Testing_Normal_Videos_Anomaly/<video>

Temporal_Anomaly_Annotation.txt, anywhere in the folder, gives the abnormal frames of the 290 test videos, and with them
the official split: what it names is for testing, the rest for training. So do Anomaly_Train.txt and Anomaly_Test.txt
where they are. A split that the folders name wins. Each video is its own source: what it was cut from is not published.
"""

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.engine.per_video import Runtime
from vigil.footage.listing import local
from vigil.footage.listing.records import Listing, Reject, Source
from vigil.footage.video_table import NORMAL

CRIMES = (
    "Abuse",
    "Arrest",
    "Arson",
    "Assault",
    "Burglary",
    "Explosion",
    "Fighting",
    "RoadAccidents",
    "Robbery",
    "Shooting",
    "Shoplifting",
    "Stealing",
    "Vandalism",
)
CRIME_BY_NAME = {name.casefold(): name for name in CRIMES}
NORMAL_FOLDER = re.compile(r"(?:(train|test)ing)?normal(?:videos?)?(?:event|anomaly|part\d*|\d*)*$")
ANNOTATION = re.compile(r"temporal_anomaly_annotation.*\.txt$", re.IGNORECASE)
SPLIT_LIST = re.compile(r"anomaly_(train|test)(?:_list)?\.txt$", re.IGNORECASE)
URL = "http://www.crcv.ucf.edu/projects/real-world/"


class Params(Frozen):
    path: local.DatasetPath  # the folder: relative to the project, absolute, or with ~
    track: bool = False  # copy the videos into data/raw, so that `dvc push` carries them; else they stay where they lie
    licence: str = "research only"


def sources(name: str, params: Params) -> list[Source]:
    return local.list_sources(
        name,
        local.dataset_root(name, params.path),
        lambda path: local.is_video(path) or _matches(ANNOTATION, path) or _matches(SPLIT_LIST, path),
    )


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    root = local.dataset_root(name, params.path)
    local.check_unchanged(root, sources)
    files, annotation_files = local.divide_videos(sources)
    rows_by_path, rejects = local.register_sources(name, root, files, raw, track=params.track)
    rejects += [local.reject_unreadable(root, source) for source in annotation_files if not source.sha256]
    spans: dict[str, tuple[tuple[int, int], ...]] = {}
    splits: dict[str, str] = {}
    for file in (source.path for source in annotation_files if source.sha256):
        if _matches(ANNOTATION, file):
            spans |= read_annotation(name, root, file)
        elif list_match := SPLIT_LIST.search(file):
            lines = (root / file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
            splits |= {_key(line.split()[0]): list_match[1].lower() for line in lines if line.strip()}
    rows = []
    for path, row in rows_by_path.items():
        label, split = label_and_split(path)
        if not label:
            rejects.append(Reject(row.origin, _explain_missing_class(path)))
            continue
        key = _key(path)
        official = splits.get(key) or (("test" if key in spans else "train") if spans else "")
        rows.append(
            replace(
                row,
                label=label,
                split=split or official,
                frame_spans=spans.get(key, ()) if label != NORMAL else (),
                url=URL,
                licence=params.licence,
            )
        )
    return Listing(rows, rejects)


def label_and_split(path: str) -> tuple[str, str]:
    """Returns label and split as the folders tell them, else as the name of the file does; empty where nothing does."""
    label = split = official = ""
    names = PurePosixPath(path).parts
    for folder in names[:-1]:
        word = re.sub(r"[\W_]", "", folder).casefold()
        split = local.SPLITS.get(word, split)
        if word in CRIME_BY_NAME:
            label = CRIME_BY_NAME[word]
        elif normal_match := NORMAL_FOLDER.match(word):
            label, official = NORMAL, normal_match[1] or ""
    file_match = re.match(r"([a-z]+)[-_ ]*(?:videos)?[-_ ]*\d+", names[-1].casefold())
    if not label and file_match:
        label = NORMAL if file_match[1] == NORMAL else CRIME_BY_NAME.get(file_match[1], "")
    return label, split or official


def read_annotation(name: str, root: Path, file: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """Reads the abnormal frames by video: `<video> <class> <start> <stop> <start> <stop>`, -1 where there are none."""
    spans = {}
    lines = (root / file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        numbers = [int(word) for word in words[2:] if re.fullmatch(r"-?\d+", word)]
        pairs = [pair for pair in zip(numbers[::2], numbers[1::2], strict=False) if pair != (-1, -1)]
        if len(words) < 4 or len(words) % 2 or len(numbers) != len(words) - 2 or any(not 0 <= a < b for a, b in pairs):
            raise VigilError(
                f"{name}/{file}: line {number}: found '{line.strip()}', expected '<video> <class> <start> <stop> ...'."
            )
        spans[_key(words[0])] = tuple(pairs)
    return spans


def _matches(pattern: re.Pattern[str], path: str) -> bool:
    return pattern.search(path) is not None


def _key(path: str) -> str:
    """Returns the name of a video without folder and suffix, which lists and files share."""
    return PurePosixPath(path).stem


def _explain_missing_class(path: str) -> str:
    folder = PurePosixPath(path).parent.name
    return f"folder '{folder}' is none of {', '.join(CRIMES)}, Normal.{near_miss(folder, [*CRIMES, 'Normal'])}"
