"""DVC stage `compare`: all models side by side, the detector that fuses them, and the page that tells it.

Reads   <metrics>/<model>.json          what each evaluation found
        <card>, <person>, <landmarks>, <flow>   what videos there are, and how good the features are
        <scores>/<model>/test.npz       what each model said of the test split
        <baselines>/{val,test}.npz      what trees on the flow say of the same videos
        <calibrations>/<model>.{json,npz}, <histories>/<model>.csv, <points>/<model>/*.csv
        <frames>/<set>/<v>.npz          pictures; a video without stored frames is shown without pictures
        <test>                          videos of the test split
Writes  <out>                           what each model is known by, against baselines and each other
        <headline>/<section>/*.json     the few numbers that `dvc metrics` shows
        <fusion>                        the fused detector: its factors and its calibration, from validation alone
        <report>                        one page that needs nothing else
        <plots>/*.csv                   the curves of all models, with a column `model`, that `dvc plots` draws

A model of params.yaml that was skipped, or whose files are missing, is named as such in both with the reason, and the
others are compared.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from vigil.clips.labels import find_unnamed_labels
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.skipping import why_skipped
from vigil.core.storage import load_arrays, read_json, read_table, replacing, write_json
from vigil.engine.stage_runner import run_stage
from vigil.evaluation.baselines import Aids
from vigil.evaluation.flow_trees import LabelProbabilities
from vigil.evaluation.summary import Entry, fuse, fused_entry, summarise
from vigil.footage import video_table
from vigil.judging.calibration import read_calibration, scores_beside
from vigil.report.curves_table import write_curves
from vigil.report.film import Film
from vigil.report.headlines import write_headlines
from vigil.report.page import Findings, render_report
from vigil.statistics.scores import Scores

SPLITS = ("val", "test")


class Params(Frozen):
    rounds: Annotated[int, Field(ge=100)]  # draws of the sources behind an interval
    seed: int  # of the draws
    videos: Annotated[int, Field(ge=0)]  # in the report at most; those that are judged worst stay


def main(
    *,
    metrics: Path,
    card: Path,
    person: Path,
    landmarks: Path,
    flow: Path,
    scores: Path,
    baselines: Path,
    calibrations: Path,
    histories: Path,
    points: Path,
    frames: Path,
    test: Path,
    out: Path,
    headline: Path,
    fusion: Path,
    report: Path,
    plots: Path,
    params: Params,
    models: Mapping[str, Any],
) -> None:
    entries = [read_entry(name, models[name], metrics, scores, calibrations, histories) for name in models]
    for entry in entries:
        if entry.reason:
            print(f"compare: warning: {entry.name}: {entry.reason}", file=sys.stderr)
    trees = LabelProbabilities.read(*(path for split in SPLITS if (path := baselines / f"{split}.npz").exists()))
    fused = fuse(entries, params.rounds, params.seed, Aids(trees))
    summary = summarise(entries, fused, params.rounds, params.seed)
    features = {path.stem: read_json(path) for path in (card, person, landmarks, flow) if path.exists()}
    summary["unnamed_labels"] = list_unnamed_labels(features.get(card.stem, {}), models)
    for sentence in summary["unnamed_labels"]:
        print(f"compare: warning: {sentence}", file=sys.stderr)
    write_json(out, summary)
    write_headlines(headline, summary, features)
    write_json(fusion, None if fused is None else fused.to_json())
    judged = [name for name in models if not why_skipped(metrics / f"{name}.json")]
    write_curves(plots, points, histories, judged)
    findings = Findings(
        summary,
        entries if fused is None else [fused_entry(fused), *entries],
        video_table.read(test),
        features.get(card.stem),
        {
            title: features[path.stem]
            for title, path in (("The detector of people", person), ("Landmarks", landmarks), ("Optical flow", flow))
            if path.stem in features
        },
    )
    text = render_report(findings, Film(frames), params.videos)
    with replacing(report) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    print(f"compare: {len(entries)} models, report of {len(text.encode()) / 1e6:.1f} MB at {report}")


def list_unnamed_labels(card: Mapping[str, Any], models: Mapping[str, Any]) -> list[str]:
    """A sentence for each label of the dataset card that no model names."""
    classes: Mapping[str, Any] = card.get("classes", {})
    counts = {label: sum(split["videos"] for split in splits.values()) for label, splits in classes.items()}
    return find_unnamed_labels(counts, {name: models[name].get("classes", {}) for name in models})


def read_entry(
    name: str, settings: Mapping[str, Any], metrics: Path, scores: Path, calibrations: Path, histories: Path
) -> Entry:
    """A model's files. Where one is missing, an entry that has the reason and nothing else."""
    classes = list(settings.get("classes", {}))
    evaluation, calibration = metrics / f"{name}.json", calibrations / f"{name}.json"
    if skipped := why_skipped(evaluation):
        return Entry(name, classes=classes, reason=f"skipped: {skipped.removesuffix('.')}")
    tables = {"val": scores_beside(calibration), "test": scores / name / "test.npz"}
    missing = [str(path) for path in (evaluation, *tables.values(), calibration) if not path.exists()]
    if missing:
        return Entry(name, classes=classes, reason=f"no {missing[0]}: run `dvc repro evaluate@{name}`")
    arrays = {split: load_arrays(path) for split, path in tables.items()}
    frozen = read_calibration(calibration)
    for split, table in arrays.items():
        if str(table["model_sha256"]) != frozen.model_sha256:
            raise VigilError(f"{tables[split]}: of other weights than {calibration}. Run `dvc repro evaluate@{name}`.")
    history = histories / f"{name}.csv"
    return Entry(
        name,
        read_json(evaluation),
        _scores(arrays["test"], tables["test"]),
        _scores(arrays["val"], tables["val"]),
        arrays["test"],
        frozen,
        read_table(history) if history.exists() else (),
        classes,
    )


def _scores(arrays: Mapping[str, np.ndarray], path: Path) -> Scores:
    return Scores.of(arrays, bool(arrays["has_normal"]), str(path))


if __name__ == "__main__":
    run_stage("compare", main)
