"""Members joined to one detector by the clips of the inner fold, and where each of them flags a clip.

A fold of a few sources is too small to choose where a clip is flagged: what has learnt both kinds, which weigh alike
in training, flags a clip from even odds. Only what knows no odds of its own takes a threshold from the inner fold:
panic, and the fused detector that stage `compare` would fit (`fused_fitted`), by its fits that did not see the clip's
source. `fused` is the mean of the log odds of the models that have learnt both kinds, each as heavy as it is skilled on
the inner fold, and moved by half of what parts its middle there from even odds: who takes the most alarming of many
people in a frame leans to alarm. Silence is even odds, since nobody to be seen is no sign of a fight. `fused_seeds` is
the mean of what those of all seeds say, none of which has seen the clip's source. docs/experiments.md compares these
rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vigil.cli.clip_benchmark.members import SHORTCUTS, TREES
from vigil.core.params import Frozen
from vigil.evaluation import fusion
from vigil.evaluation.benchmark.kept import Arrays
from vigil.evaluation.fusion import Fusion
from vigil.statistics.reliability import expit, logit
from vigil.statistics.scores import Scores

FUSED, FITTED, JOINED_SEEDS = "fused", "fused_fitted", "fused_seeds"
EVEN = 0.5
MOVED = 0.5  # of the middle on so few clips, of which half is chance


@dataclass(frozen=True, eq=False)
class Opinion:
    """What one detector says of some clips, in their order."""

    probability: np.ndarray  # (V,) float64; NaN: nothing
    verdict: np.ndarray  # (V,) bool


class Joined(Frozen):
    """What is settled by the inner fold."""

    skills: dict[str, float]  # of the models that `fused` joins; empty where there is one at most
    middles: dict[str, float]  # log odds that are taken off what each of them says
    fitted: Fusion | None
    thresholds: dict[str, float]  # of those that do not flag a clip from even odds

    def judge(self, said: Mapping[str, Arrays]) -> dict[str, Opinion]:
        """The opinion of every member and of the fused detectors, of what members say of some clips."""
        probabilities = {name: arrays["probability"] for name, arrays in said.items() if arrays}
        if self.skills:
            probabilities[FUSED] = mean_by_skill(probabilities, self.skills, self.middles)
        if self.fitted is not None:
            calibrated = {name: said[name]["calibrated"] for name in self.fitted.models}
            probabilities[FITTED] = self.fitted.probability(calibrated, "video")
        return {
            name: Opinion(values, np.nan_to_num(values, nan=-1.0) >= self.thresholds.get(name, EVEN))
            for name, values in probabilities.items()
        }


def join(inner: Mapping[str, Arrays], is_abnormal: np.ndarray) -> Joined:
    """`inner`: what each member says of the clips of the inner fold; see members.learn."""
    models = {name: arrays for name, arrays in inner.items() if arrays and name not in (TREES, SHORTCUTS)}
    skills = {
        name: measure_skill(arrays["probability"], is_abnormal)
        for name, arrays in models.items()
        if arrays["knows_odds"]
    }
    if not any(skills.values()):  # then all count alike
        skills = dict.fromkeys(skills, 1.0)
    thresholds = {
        name: choose_threshold(arrays["probability"], is_abnormal)
        for name, arrays in models.items()
        if not arrays["knows_odds"]
    }
    if len(models) < 2:
        return Joined(skills={}, middles={}, fitted=None, thresholds=thresholds)
    fitted, thresholds[FITTED] = _fit(models)
    middles = {name: MOVED * find_middle(models[name]["probability"], is_abnormal) for name in skills}
    return Joined(skills=skills, middles=middles, fitted=fitted, thresholds=thresholds)


def join_seeds(of_seeds: Sequence[Opinion]) -> Opinion:
    """One opinion of each clip out of those of several seeds."""
    by_seed = {str(number): opinion.probability for number, opinion in enumerate(of_seeds)}
    joined = mean_by_skill(by_seed, dict.fromkeys(by_seed, 1.0), dict.fromkeys(by_seed, 0.0))
    return Opinion(joined, np.nan_to_num(joined, nan=-1.0) >= EVEN)


def measure_skill(probability: np.ndarray, is_abnormal: np.ndarray) -> float:
    """0 for chance and worse, to 1: by how much more often than not an abnormal clip is above a normal one."""
    p = np.nan_to_num(probability, nan=EVEN)
    above = np.sign(p[is_abnormal][:, None] - p[~is_abnormal][None, :])
    return max(0.0, float(above.mean())) if above.size else 0.0


def find_middle(probability: np.ndarray, is_abnormal: np.ndarray) -> float:
    """Log odds halfway between the mean abnormal and the mean normal clip; 0 where it says nothing of one kind."""
    known = np.isfinite(probability)
    odds = _log_odds(probability)
    kinds = [odds[known & kind] for kind in (is_abnormal, ~is_abnormal)]
    return float(np.mean([kind.mean() for kind in kinds])) if all(map(len, kinds)) else 0.0


def mean_by_skill(
    probabilities: Mapping[str, np.ndarray], skills: Mapping[str, float], middles: Mapping[str, float]
) -> np.ndarray:
    """(V,) of (V,) by name: the weighted mean of log odds, to a probability; NaN where nobody says anything."""
    p = np.array([probabilities[name] for name in skills])
    moved = _log_odds(p) - np.array([middles[name] for name in skills])[:, None]
    weights = np.array(list(skills.values()))
    mean: np.ndarray = expit(weights @ np.where(np.isfinite(p), moved, 0.0) / weights.sum())
    return np.where(np.isfinite(p).any(axis=0), mean, np.nan)


def _log_odds(probability: np.ndarray) -> np.ndarray:
    known: np.ndarray = np.clip(logit(np.nan_to_num(probability, nan=EVEN)), -fusion.SUREST, fusion.SUREST)
    return known


def choose_threshold(probability: np.ndarray, is_abnormal: np.ndarray) -> float:
    """The threshold with the best balanced accuracy; of several the middle one of the widest gap."""
    p = np.nan_to_num(probability, nan=0.0)
    values = np.unique(p)
    borders = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [np.nextafter(values[-1], np.inf)]])
    right = [
        np.mean([(p[is_abnormal] >= border).mean(), (p[~is_abnormal] < border).mean()]) for border in borders.tolist()
    ]
    gaps = np.concatenate([[0.0], np.diff(values), [0.0]])
    best = np.flatnonzero(np.isclose(right, max(right)))
    return float(borders[best[np.argmax(gaps[best])]])


def _fit(models: Mapping[str, Arrays]) -> tuple[Fusion, float]:
    """The fused detector of stage `compare`, and its threshold, by fits that did not see a clip's source."""
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
    threshold = choose_threshold(expit(held_out.video_score), held_out.klass > 0)
    return fusion.fit_fusion(tables, frames, videos, hashes), threshold
