"""Members joined to one detector by the clips of the inner fold, and where each of them flags a clip.

A fold of a few sources is too small to choose where a clip is flagged: what has learnt both kinds, which weigh alike
in training, flags a clip from even odds. Only what knows no odds of its own takes a threshold from the inner fold:
panic, and the fused detector that stage `compare` would fit (`fused_fitted`), by its fits that did not see the clip's
source. `fused` is the mean of the log odds of the models that have learnt both kinds, all alike, each moved by half of
what parts its middle on the inner fold from even odds: who takes the most alarming of many people in a frame leans to
alarm. Silence is even odds, since nobody to be seen is no sign of a fight. `fused_seeds` is the mean of what those of
all seeds say, none of which has seen the clip's source. docs/experiments.md compares these rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vigil.benchmark.fights.members import SHORTCUTS, TREES
from vigil.benchmark.result_cache import Arrays
from vigil.core.params import Frozen
from vigil.evaluation import fusion
from vigil.evaluation.fusion import Fusion
from vigil.evaluation.summary import FUSED
from vigil.statistics.classes import balanced_accuracy
from vigil.statistics.reliability import expit, logit
from vigil.statistics.scores import Scores

FITTED, JOINED_SEEDS = "fused_fitted", "fused_seeds"
EVEN = 0.5  # probability at even odds
MIDDLE_SHARE = 0.5  # of the middle of so few clips; half of it is chance


@dataclass(frozen=True, eq=False)
class Opinion:
    """The judgement of one detector of some clips, in their order."""

    probability: np.ndarray  # (V,) float64; NaN: it says nothing
    verdict: np.ndarray  # (V,) bool


class JoinedDetector(Frozen):
    """The settings of the fused detectors, which the inner fold has decided."""

    middles: dict[str, float]  # log odds to take off what each model says that `fused` joins; empty: nothing to join
    fitted: Fusion | None
    thresholds: dict[str, float]  # of those that do not flag a clip from even odds

    def judge(self, answers: Mapping[str, Arrays]) -> dict[str, Opinion]:
        """Returns the opinion of every member and of the fused detectors, by the answers of members to some clips."""
        probabilities = {name: arrays["probability"] for name, arrays in answers.items() if arrays}
        if self.middles:
            probabilities[FUSED] = join_odds(
                np.array([probabilities[name] for name in self.middles]), np.array(list(self.middles.values()))
            )
        if self.fitted is not None:
            calibrated = {name: answers[name]["calibrated"] for name in self.fitted.models}
            probabilities[FITTED] = self.fitted.probability(calibrated, "video")
        return {
            name: Opinion(values, np.nan_to_num(values, nan=-1.0) >= self.thresholds.get(name, EVEN))
            for name, values in probabilities.items()
        }


def join(inner: Mapping[str, Arrays], is_abnormal: np.ndarray) -> JoinedDetector:
    """Joins members by their answers to the clips of the inner fold; see members.learn."""
    models = {name: arrays for name, arrays in inner.items() if arrays and name not in (TREES, SHORTCUTS)}
    thresholds = {
        name: choose_threshold(arrays["probability"], is_abnormal)
        for name, arrays in models.items()
        if not arrays["knows_odds"]
    }
    if len(models) < 2:
        return JoinedDetector(middles={}, fitted=None, thresholds=thresholds)
    fitted, thresholds[FITTED] = _fit_fusion(models)
    middles = {
        name: MIDDLE_SHARE * find_middle(arrays["probability"], is_abnormal)
        for name, arrays in models.items()
        if arrays["knows_odds"]
    }
    return JoinedDetector(middles=middles, fitted=fitted, thresholds=thresholds)


def join_seeds(of_seeds: Sequence[Opinion]) -> Opinion:
    """Joins the opinions of several seeds to one of each clip."""
    joined = join_odds(np.array([opinion.probability for opinion in of_seeds]), np.zeros(len(of_seeds)))
    return Opinion(joined, np.nan_to_num(joined, nan=-1.0) >= EVEN)


def find_middle(probability: np.ndarray, is_abnormal: np.ndarray) -> float:
    """Returns log odds halfway between the mean abnormal and the mean normal clip; 0 where one kind has no answer."""
    speaks = np.isfinite(probability)
    odds = _log_odds(probability)
    kinds = [odds[speaks & kind] for kind in (is_abnormal, ~is_abnormal)]
    return float(np.mean([kind.mean() for kind in kinds])) if all(map(len, kinds)) else 0.0


def join_odds(probabilities: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Joins (D, V) to (V,): the mean of log odds, each less its middle (D,), as a probability; NaN without any."""
    speaks = np.isfinite(probabilities)
    odds = np.where(speaks, _log_odds(probabilities) - middles[:, None], 0.0)
    joined: np.ndarray = np.where(speaks.any(axis=0), expit(odds.mean(axis=0)), np.nan)
    return joined


def _log_odds(probability: np.ndarray) -> np.ndarray:
    odds: np.ndarray = np.clip(logit(np.nan_to_num(probability, nan=EVEN)), -fusion.SUREST, fusion.SUREST)
    return odds


def choose_threshold(probability: np.ndarray, is_abnormal: np.ndarray) -> float:
    """Returns the threshold with the best balanced accuracy; of several the middle of the widest gap."""
    p = np.nan_to_num(probability, nan=0.0)
    values = np.unique(p)
    borders = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [np.nextafter(values[-1], np.inf)]])
    accuracies = [balanced_accuracy(p >= border, is_abnormal) for border in borders.tolist()]
    gaps = np.concatenate([[0.0], np.diff(values), [0.0]])
    best = np.flatnonzero(np.isclose(accuracies, max(accuracies)))
    return float(borders[best[np.argmax(gaps[best])]])


def _fit_fusion(models: Mapping[str, Arrays]) -> tuple[Fusion, float]:
    """Fits the detector that stage `compare` would fuse; its threshold is by fits that did not see a clip's source."""
    tables = {
        name: Scores.of(
            {key.removeprefix("table/"): values for key, values in arrays.items() if key.startswith("table/")},
            True,
            name,
        )
        for name, arrays in models.items()
    }
    frames, videos = ({name: arrays[key] for name, arrays in models.items()} for key in ("frames", "videos"))
    hashes = {name: str(arrays["calibration"]) for name, arrays in models.items()}
    held_out = fusion.cross_fit(tables, frames, videos, hashes).scores
    threshold = choose_threshold(expit(held_out.video_score), held_out.class_index > 0)
    return fusion.fit_fusion(tables, frames, videos, hashes), threshold
