"""DVC stage `compare`: all models side by side, the detector that hears them all, and the page that tells it.

Reads   <metrics>/<model>.json          what each evaluation found, and data, landmarks, flow and person
        <scores>/<model>/{val,test}.npz  what it said
        <trained>/<model>.calibration.json, <trained>/<model>/history.csv
        <frames>/<set>/<v>.npz          pictures; a video without is shown without
        <test>                          videos of the test split
Writes  <summary>                       what each model is known by, against baselines and each other
        <fusion>                        the fused detector: its factors and its calibration, from validation alone
        <report>                        one page that needs nothing else

A model of params.yaml whose files are missing is named as such in both, and the others are compared.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from vigil import calibrated, manifest, summary
from vigil.errors import VigilError
from vigil.film import Film
from vigil.params import Frozen
from vigil.report import Found, page
from vigil.scores import Scores
from vigil.stages.runner import run_stage
from vigil.storage import load_arrays, read_json, read_table, replacing, write_json
from vigil.summary import Entry

QUALITY = {"person": "The detector of people", "landmarks": "Landmarks", "flow": "Optical flow"}


class Params(Frozen):
    rounds: Annotated[int, Field(ge=100)]  # draws of the sources behind an interval
    seed: int  # of the draws
    videos: Annotated[int, Field(ge=0)]  # in the report at most; those that are judged worst stay


def main(
    *,
    metrics: Path,
    scores: Path,
    trained: Path,
    frames: Path,
    test: Path,
    out: Path,
    fusion: Path,
    report: Path,
    params: Params,
    models: Mapping[str, Any],
) -> None:
    entries = [entry(name, models[name], metrics, scores, trained) for name in models]
    for one in entries:
        if one.reason:
            print(f"compare: warning: {one.name}: {one.reason}", file=sys.stderr)
    fused = summary.fuse(entries, params.rounds, params.seed)
    told = summary.summarise(entries, fused, params.rounds, params.seed)
    write_json(out, told)
    write_json(fusion, None if fused is None else fused.as_json())
    shown = entries if fused is None else [summary.fused_entry(fused), *entries]
    quality = {title: read_json(path) for name, title in QUALITY.items() if (path := metrics / f"{name}.json").exists()}
    card = read_json(metrics / "data.json") if (metrics / "data.json").exists() else None
    text = page(Found(told, shown, manifest.read(test), card, quality), Film(frames), params.videos)
    with replacing(report) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    print(f"compare: {len(entries)} models, report of {len(text.encode()) / 1e6:.1f} MB at {report}")


def entry(name: str, settings: Mapping[str, Any], metrics: Path, scores: Path, trained: Path) -> Entry:
    """What there is of one model."""
    classes = list(settings.get("classes", {}))
    told = metrics / f"{name}.json"
    tables = {split: scores / name / f"{split}.npz" for split in ("val", "test")}
    calibration = trained / f"{name}.calibration.json"
    missing = [str(path) for path in (told, *tables.values(), calibration) if not path.exists()]
    if missing:
        return Entry(name, classes=classes, reason=f"no {missing[0]}: run `dvc repro evaluate@{name}`")
    arrays = {split: load_arrays(path) for split, path in tables.items()}
    frozen = calibrated.read(calibration)
    for split, table in arrays.items():
        if str(table["model_sha256"]) != frozen.calibration.model_sha256:
            raise VigilError(f"{tables[split]}: of other weights than {calibration}. Run `dvc repro evaluate@{name}`.")
    history = trained / name / "history.csv"
    return Entry(
        name,
        read_json(told),
        _table(arrays["test"], str(tables["test"])),
        _table(arrays["val"], str(tables["val"])),
        arrays["test"],
        frozen,
        read_table(history) if history.exists() else (),
        classes,
    )


def _table(arrays: Mapping[str, np.ndarray], where: str) -> Scores:
    return Scores.of(arrays, bool(arrays["has_normal"]), where)


if __name__ == "__main__":
    run_stage("compare", main)
