"""What detectors said of clips, by several seeds, to numbers: accuracy and AUC with intervals over sources."""

from collections.abc import Mapping, Sequence

import numpy as np

from vigil.benchmark.fights.joining import FITTED, FUSED, JOINED_SEEDS, Opinion, join_seeds
from vigil.benchmark.fights.members import SHORTCUTS, TREES
from vigil.benchmark.outcome import DRAW_SEED, ROUNDS, Record, list_seeds, render_interval
from vigil.footage.video_table import Video
from vigil.statistics.classes import balanced_accuracy_by_source
from vigil.statistics.intervals import Statistic, bootstrap, difference, draws, ratio, rounded
from vigil.statistics.ranking import Ranking, auc

MEASURES = ("auc", "accuracy", "balanced_accuracy")
LAST_ROWS = (FITTED, FUSED, JOINED_SEEDS, TREES, SHORTCUTS)  # of a table, after the models


def summarise(clips: Sequence[Video], opinions: Mapping[str, Sequence[Opinion]]) -> Record:
    """Returns each measure of each detector, and its lead over the flow trees; `opinions` has one for each seed.

    The seeds are pooled: a source that is drawn brings its clips as every seed judged them.
    """
    if len(opinions.get(FUSED, [])) > 1:
        opinions = {**opinions, JOINED_SEEDS: [join_seeds(opinions[FUSED])]}
    source = np.array([clip.source for clip in clips])
    is_abnormal = np.array([clip.abnormal for clip in clips])
    names, group = np.unique(source, return_inverse=True)
    weights = draws(len(names), ROUNDS, DRAW_SEED)
    measured = {
        name: [_measure([opinion], group, is_abnormal, len(names)) for opinion in of_seeds]
        for name, of_seeds in opinions.items()
    }
    pooled = {
        name: _measure(of_seeds, np.tile(group, len(of_seeds)), np.tile(is_abnormal, len(of_seeds)), len(names))
        for name, of_seeds in opinions.items()
    }
    detectors: dict[str, Record] = {}
    for name in sorted(opinions, key=lambda name: (LAST_ROWS.index(name) if name in LAST_ROWS else -1, name)):
        record: Record = {}
        for measure in MEASURES:
            seeds = [statistics[measure].value for statistics in measured[name]]
            record[measure] = bootstrap(pooled[name][measure], weights).to_json() | {
                "seeds": [rounded(value) for value in seeds]
            }
        if name not in (TREES, SHORTCUTS) and TREES in pooled:
            for measure in ("auc", "accuracy"):
                lead = difference(pooled[name][measure], pooled[TREES][measure], weights)
                record[f"{measure}_over_trees"] = lead.interval.to_json() | {"clear": lead.clear}
        silent = [float(np.isnan(opinion.probability).mean()) for opinion in opinions[name]]
        detectors[name] = record | {"says_nothing": rounded(float(np.mean(silent)))}
    return {
        "clips": len(clips),
        "abnormal": int(is_abnormal.sum()),
        "sources": len(names),
        "commonest_class": rounded(float(max(is_abnormal.mean(), 1 - is_abnormal.mean()))),
        "detectors": detectors,
    }


def _measure(
    of_seeds: Sequence[Opinion], group: np.ndarray, is_abnormal: np.ndarray, sources: int
) -> dict[str, Statistic]:
    """Returns each measure of the opinions of all seeds, as a function of how often each source is drawn."""
    score = np.concatenate([np.nan_to_num(opinion.probability, nan=-1.0) for opinion in of_seeds])
    verdict = np.concatenate([opinion.verdict for opinion in of_seeds])
    return {
        "auc": Ranking.of(score, is_abnormal, group, sources).statistic(auc),
        "accuracy": ratio(
            np.bincount(group, verdict == is_abnormal, minlength=sources),
            np.bincount(group, minlength=sources),
            "no clip is judged",
        ),
        "balanced_accuracy": balanced_accuracy_by_source(
            verdict.astype(int), is_abnormal.astype(int), group, sources, 2, "fewer than two classes"
        ),
    }


def describe_table(title: str, record: Record) -> list[str]:
    """Renders a table as lines of text."""
    lines = [
        f"{title}: {record['clips']} clips of {record['sources']} sources, {record['abnormal']} abnormal; always the "
        f"commonest class: accuracy {record['commonest_class']:.3f}",
        f"  {'':<12} {'AUC':>22} {'seeds':>20} {'accuracy':>22} {'seeds':>20} {'balanced accuracy':>22} "
        f"{'AUC over the trees':>34} {'accuracy over them':>34}",
    ]
    for name, row in record["detectors"].items():
        cells = [
            f"{render_interval(row['auc']):>22}",
            f"{list_seeds(row['auc']):>20}",
            f"{render_interval(row['accuracy']):>22}",
            f"{list_seeds(row['accuracy']):>20}",
            f"{render_interval(row['balanced_accuracy']):>22}",
            *(f"{_describe_lead(row[lead]):>34}" for lead in ("auc_over_trees", "accuracy_over_trees") if lead in row),
        ]
        lines.append(f"  {name:<12} {' '.join(cells)}".rstrip())
    return lines


def _describe_lead(lead: Record) -> str:
    return f"{render_interval(lead)}{', clear' if lead['clear'] else ', not clear'}"
