"""Whether one model is better than another, or than no model at all: paired, under the same draws of the sources."""

from collections.abc import Collection, Mapping

import numpy as np

from vigil.errors import VigilError
from vigil.events import Operating
from vigil.intervals import ROUNDS, Difference, difference, draws
from vigil.metrics import statistics
from vigil.scores import Scores

LOWER_IS_BETTER = frozenset({"eer", "delay_s", "false_alarms_per_hour", "alarmed_share"})
BEAT = ("video_auc", "frame_auc_micro", "frame_ap", "frame_auc_abnormal", "balanced_accuracy", "cell_auc")
OF_THE_VIDEO = frozenset({"video_auc", "balanced_accuracy"})  # in which the true label of the video cannot be beaten


def compare(
    one: Scores,
    other: Scores,
    operating: tuple[Operating | None, Operating | None] = (None, None),
    *,
    only: Collection[str] | None = None,
    rounds: int = ROUNDS,
    seed: int = 7,
) -> dict[str, Difference]:
    """By metric that both have (of `only`, if given), `one` - `other`, on the videos that both judge."""
    one, other = one.judged(), other.judged()
    common = np.intersect1d(one.video, other.video)
    if not len(common):
        raise VigilError("no video is judged by both models, so there is nothing to compare. Give both the same data.")
    one, other = (scores.select(np.isin(scores.video, common)) for scores in (one, other))
    places = dict(zip(one.video.tolist(), one.source.tolist(), strict=True))
    moved = [name for name, source in zip(other.video, other.source, strict=True) if places[str(name)] != source]
    if moved:
        raise VigilError(f"{moved[0]}: of another source in the one table than in the other. Score both again.")
    names = one.names.tolist()
    ours, theirs = statistics(one, operating[0], names), statistics(other, operating[1], names)
    weights = draws(len(names), rounds, seed)
    wanted = [name for name in ours if name in theirs and (only is None or name in only)]
    return {name: difference(ours[name], theirs[name], weights) for name in wanted}


def verdict(name: str, found: Difference) -> int:
    """1: the first is better, -1: it is worse, 0: they cannot be told apart."""
    bare = name.removeprefix("noncausal_")
    return -found.clear if bare in LOWER_IS_BETTER else found.clear


def unbeaten(scores: Scores, baselines: Mapping[str, Scores], *, rounds: int = ROUNDS, seed: int = 7) -> list[str]:
    """A sentence per metric and baseline that the model is not clearly better than."""
    sentences = []
    for name, baseline in baselines.items():
        found = compare(scores, baseline, only=BEAT, rounds=rounds, seed=seed)
        for metric in BEAT:
            if metric not in found or (name == "oracle_video_label" and metric in OF_THE_VIDEO):
                continue
            apart = found[metric].interval
            if apart.value is None or found[metric].clear > 0:
                continue
            within = "" if apart.low is None else f" ({apart.low:+.3f} to {apart.high:+.3f})"
            how = "is below" if found[metric].clear < 0 else "does not clearly beat"
            sentences.append(f"{metric} {how} the baseline {name.replace('_', ' ')}: {apart.value:+.3f}{within}")
    return sentences
