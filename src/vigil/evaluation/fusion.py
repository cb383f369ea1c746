"""One detector out of several: a logistic regression over their calibrated probabilities, fitted on validation.

Each says what it says as log odds, and nothing where it has no score; what its silence means is learnt too. No model
can lower the alarm by being more alarmed: such a factor is what few videos would make of chance, and is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.statistics.reliability import expit, logistic, logit, smooth
from vigil.statistics.scores import Scores

SUREST = 8.0  # log odds, at most
RIDGE = 1.0  # against the total weight of the videos, one each


class Factors(Frozen):
    """Of the log odds of each model, of its silence, and the constant."""

    slopes: tuple[float, ...]
    silences: tuple[float, ...]
    constant: float


class Fusion(Frozen):
    models: tuple[str, ...]
    calibrations: tuple[str, ...]  # sha256 of each model's calibration, by which its probabilities were made
    frame: Factors
    video: Factors
    notes: tuple[str, ...] = ()

    def odds(self, p: Mapping[str, np.ndarray], of: Literal["frame", "video"] = "frame") -> np.ndarray:
        """Log odds of probabilities by model, NaN (or no model) where there are none; NaN where nobody says a thing."""
        if strange := sorted(set(p) - set(self.models)):
            raise VigilError(
                f"fusion: fitted without '{strange[0]}'. Known: {', '.join(self.models)}."
                f"{near_miss(strange[0], self.models)} Run `dvc repro compare`."
            )
        shape = next(iter(p.values())).shape if p else (0,)
        table = np.array([p.get(model, np.full(shape, np.nan)) for model in self.models])
        factors = self.frame if of == "frame" else self.video
        x = _inputs(table)
        told = (x @ np.array([*factors.slopes, *factors.silences]) + factors.constant).astype(np.float32)
        return np.where(np.isfinite(table).any(axis=0), told, np.nan)

    def probability(self, p: Mapping[str, np.ndarray], of: Literal["frame", "video"] = "frame") -> np.ndarray:
        return expit(self.odds(p, of))

    def table(
        self, scores: Mapping[str, Scores], frames: Mapping[str, np.ndarray], videos: Mapping[str, np.ndarray]
    ) -> Scores:
        """What the fused detector says; its raw score is log odds. Arguments as of `fit`."""
        base, p_frames, p_videos = aligned(scores, frames, videos)
        return Scores.of(base | {"score": self.odds(p_frames), "video_score": self.odds(p_videos, "video")})


def fit(
    scores: Mapping[str, Scores],
    frames: Mapping[str, np.ndarray],
    videos: Mapping[str, np.ndarray],
    calibrations: Mapping[str, str],
) -> Fusion:
    """Of validation. By model: scores, their probabilities by frame (N,) and by video (V,), and its calibration."""
    models = tuple(sorted(scores))
    base, p_frames, p_videos = aligned(scores, frames, videos)
    owner = np.repeat(np.arange(len(base["video"])), np.diff(base["offsets"]))
    known = (base["truth"] >= 0) & (base["klass"] >= 0)[owner]
    by_frame, silent = _fit([p_frames[model][known] for model in models], base["truth"][known] == 1, owner[known])
    judged = base["klass"] >= 0
    by_video, dumb = _fit(
        [p_videos[model][judged] for model in models], base["klass"][judged] > 0, np.flatnonzero(judged)
    )
    notes = [f"frames: {silent}"] * bool(silent) + [f"videos: {dumb}"] * bool(dumb)
    return Fusion(
        models=models,
        calibrations=tuple(calibrations[model] for model in models),
        frame=by_frame,
        video=by_video,
        notes=tuple(notes),
    )


def aligned(
    scores: Mapping[str, Scores], frames: Mapping[str, np.ndarray], videos: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All videos that some model has, at the times of the one that has most of its frames, and what each says there.

    At a time that a model does not know, its last word counts, as it would live. Abnormal is what some model calls so.
    """
    names = np.unique(np.concatenate([table.video for table in scores.values()]))
    place = {model: {name: at for at, name in enumerate(table.video.tolist())} for model, table in scores.items()}
    rows: dict[str, list[object]] = {name: [] for name in ("label", "source", "klass", "time_s", "truth")}
    said: dict[str, list[np.ndarray]] = {model: [] for model in scores}
    p_videos = {model: np.full(len(names), np.nan) for model in scores}
    for number, name in enumerate(names.tolist()):
        having = {model: place[model][name] for model in sorted(scores) if name in place[model]}
        best = max(having, key=lambda model: (scores[model].frames[having[model]], model))
        times = scores[best].time_s[scores[best].part(having[best])]
        truth = np.full(len(times), -1, np.int8)
        klass = -1
        for model in scores:
            if model not in having:
                said[model].append(np.full(len(times), np.nan))
                continue
            table, at = scores[model], having[model]
            part = table.part(at)
            latest = np.searchsorted(table.time_s[part], times, side="right") - 1
            said[model].append(_taken(frames[model][part], latest, np.nan))
            truth = np.maximum(truth, _taken(table.truth[part], latest, -1).astype(np.int8))
            klass = max(klass, min(int(table.klass[at]), 1) if table.has_normal else int(table.klass[at] >= 0))
            p_videos[model][number] = videos[model][at]
        table, at = scores[best], having[best]
        for column, value in zip(rows, (table.label[at], table.source[at], klass, times, truth), strict=True):
            rows[column].append(value)
    lengths = [len(times) for times in rows["time_s"]]  # type: ignore[arg-type]
    base = {name: np.array(rows[name]) for name in ("label", "source", "klass")}
    base |= {name: np.concatenate(rows[name]) for name in ("time_s", "truth")}  # type: ignore[arg-type]
    base |= {"video": names, "offsets": np.append(0, np.cumsum(lengths))}
    return base, {model: np.concatenate(parts) for model, parts in said.items()}, p_videos


def _taken(values: np.ndarray, at: np.ndarray, otherwise: float) -> np.ndarray:
    """Those at `at`; `otherwise` where it is -1."""
    return np.where(at >= 0, values[np.maximum(at, 0)], otherwise) if len(values) else np.full(len(at), otherwise)


def _inputs(p: np.ndarray) -> np.ndarray:
    """(N, 2 M) of probabilities (M, N): log odds, 0 where there are none, and whether there are none."""
    there = np.isfinite(p)
    odds = np.clip(logit(np.where(there, p, 0.5)), -SUREST, SUREST)
    return np.vstack([odds, ~there]).T.astype(np.float64)


def _fit(p: Sequence[np.ndarray], true: np.ndarray, owner: np.ndarray) -> tuple[Factors, str]:
    """Each video weighs 1. Where only one kind is known, the mean of what the models say."""
    many = len(p)
    if not true.any() or true.all():
        even = Factors(slopes=(1 / many,) * many, silences=(0.0,) * many, constant=0.0)
        return even, "one kind only, so all models count alike"
    x = _inputs(np.array(p))
    weight = 1 / np.bincount(owner)[owner]
    kinds = [float(len(np.unique(owner[one]))) for one in (true, ~true)]
    target = smooth(true, kinds[0], kinds[1])
    used = np.ptp(x, axis=0) > 0
    while True:
        factors = np.zeros(2 * many + 1)
        factors[np.append(used, True)] = logistic(x[:, used], target, weight, RIDGE)
        wrong = factors[:many] < 0
        if not wrong.any():
            break
        used[:many] &= ~wrong
    slopes, silences = factors[:many].tolist(), factors[many:-1].tolist()
    return Factors(slopes=tuple(slopes), silences=tuple(silences), constant=float(factors[-1])), ""
