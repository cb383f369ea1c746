"""One detector out of several: a logistic regression over their calibrated probabilities, fitted on validation.

Each says what it says as log odds, and nothing where it has no score; what its silence means is learnt too. No model
can lower the alarm by being more alarmed: such a factor is what few videos would make of chance, and is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from vigil.core.clock import piece_starts
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.statistics.reliability import cross_fit_folds, expit, fit_logistic, logit, soften
from vigil.statistics.scores import Scores

SUREST = 8.0  # log odds, at most
RIDGE = 1.0  # against the total weight of the videos, one each
NOT_HELD_OUT = "{} one source of validation alone, so nothing could be held out of the fit of the fused detector"
ONE_KIND = "one kind only, so all models count alike"


class CrossFit(NamedTuple):
    """What detectors say of videos that they were not fitted on."""

    scores: Scores
    reason: str | None = None  # why nothing could be held out, and `scores` are those of the fit
    left_out: int = 0  # videos of which `scores` has nothing: without their sources, one kind only is known


class Factors(Frozen):
    """Holds the factors of the log odds of each model and of its silence, and the constant."""

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
        """Log odds of probabilities by model, NaN (or no model) where there are none; NaN where no model has one."""
        if unknown := sorted(set(p) - set(self.models)):
            raise VigilError(
                f"fusion: fitted without '{unknown[0]}'. Known: {', '.join(self.models)}."
                f"{near_miss(unknown[0], self.models)} Run `dvc repro compare`."
            )
        shape = next(iter(p.values())).shape if p else (0,)
        table = np.array([p.get(model, np.full(shape, np.nan)) for model in self.models])
        factors = self.frame if of == "frame" else self.video
        x = _regressors(table)
        odds = (x @ np.array([*factors.slopes, *factors.silences]) + factors.constant).astype(np.float32)
        return np.where(np.isfinite(table).any(axis=0), odds, np.nan)

    def probability(self, p: Mapping[str, np.ndarray], of: Literal["frame", "video"] = "frame") -> np.ndarray:
        return expit(self.odds(p, of))

    def table(
        self, scores: Mapping[str, Scores], frames: Mapping[str, np.ndarray], videos: Mapping[str, np.ndarray]
    ) -> Scores:
        """What the fused detector says; its raw score is log odds. Arguments as of `fit_fusion`."""
        base, p_frames, p_videos = align_tables(scores, frames, videos)
        return Scores.of(base | {"score": self.odds(p_frames), "video_score": self.odds(p_videos, "video")})


def fit_fusion(
    scores: Mapping[str, Scores],
    frames: Mapping[str, np.ndarray],
    videos: Mapping[str, np.ndarray],
    calibrations: Mapping[str, str],
) -> Fusion:
    """Fitted on validation. By model: scores, their probabilities by frame (N,) and by video (V,), its calibration."""
    return _fit_on(align_tables(scores, frames, videos), calibrations)


def cross_fit(
    scores: Mapping[str, Scores],
    frames: Mapping[str, np.ndarray],
    videos: Mapping[str, np.ndarray],
    calibrations: Mapping[str, str],
) -> CrossFit:
    """What fused detectors say of sources that they were not fitted on.

    Thresholds and promises come from this: a detector of several models finds on the very videos that it was fitted on
    what it will not find again. A fold without which only one kind of video is known is left out: the others would give
    a mean of odds, and scores of two scales would be in one table. Arguments as of `fit_fusion`.
    """
    tables = base, p_frames, p_videos = align_tables(scores, frames, videos)
    whole = _fit_on(tables, calibrations)
    fold = cross_fit_folds(base["source"], base["class_index"] > 0)
    score, video_score = np.full(len(base["truth"]), np.nan), np.full(len(fold), np.nan)
    owner = np.repeat(np.arange(len(fold)), np.diff(base["offsets"]))
    kept = np.zeros(len(fold), bool)
    for number in np.unique(fold) if fold.any() else ():
        held_out = fold == number
        detector = _fit_on(tables, calibrations, ~held_out)
        if detector.notes != whole.notes:
            continue
        chosen = held_out[owner]
        score[chosen] = detector.odds({model: p[chosen] for model, p in p_frames.items()})
        video_score[held_out] = detector.odds({model: p[held_out] for model, p in p_videos.items()}, "video")
        kept |= held_out
    if not (kept & (base["class_index"] == 0)).any():
        kinds = "there is" if not fold.any() else "videos of a kind are of"
        return CrossFit(whole.table(scores, frames, videos), NOT_HELD_OUT.format(kinds))
    held_out_scores = Scores.of(base | {"score": score, "video_score": video_score})
    return CrossFit(held_out_scores.select(kept), None, int((~kept).sum()))


def _fit_on(
    tables: tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]],
    calibrations: Mapping[str, str],
    chosen: np.ndarray | None = None,
) -> Fusion:
    """Fitted on the videos where `chosen` (V,) is true; None: on all."""
    base, p_frames, p_videos = tables
    models = tuple(sorted(p_frames))
    known = base["class_index"] >= 0
    known = known if chosen is None else known & chosen
    owner = np.repeat(np.arange(len(base["video"])), np.diff(base["offsets"]))
    has_truth = (base["truth"] >= 0) & known[owner]
    of_frame = _fit_factors(
        [p_frames[model][has_truth] for model in models], base["truth"][has_truth] == 1, owner[has_truth]
    )
    of_video = _fit_factors(
        [p_videos[model][known] for model in models], base["class_index"][known] > 0, np.flatnonzero(known)
    )
    return Fusion(
        models=models,
        calibrations=tuple(calibrations[model] for model in models),
        frame=of_frame or _equal_factors(len(models)),
        video=of_video or _equal_factors(len(models)),
        notes=tuple(
            f"{unit}: {ONE_KIND}" for unit, factors in (("frames", of_frame), ("videos", of_video)) if not factors
        ),
    )


def align_tables(
    scores: Mapping[str, Scores], frames: Mapping[str, np.ndarray], videos: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All videos that some model has, at the times of the one that has most of its frames, and what each says there.

    At a time that a model does not know, its last word counts, as it would live, but none from before a pause in the
    recording. Abnormal is what some model calls so.
    """
    names = np.unique(np.concatenate([table.video for table in scores.values()]))
    index_of = {model: {name: index for index, name in enumerate(table.video)} for model, table in scores.items()}
    per_video, per_frame = ("label", "source", "class_index"), ("time_s", "truth", "event_truth")
    columns: dict[str, list[object]] = {name: [] for name in (*per_video, *per_frame)}
    p_frames: dict[str, list[np.ndarray]] = {model: [] for model in scores}
    p_videos = {model: np.full(len(names), np.nan) for model in scores}
    for number, name in enumerate(names.tolist()):
        indices = {model: index_of[model][name] for model in sorted(scores) if name in index_of[model]}
        finest = max(indices, key=lambda model: (scores[model].frames[indices[model]], model))
        table, index = scores[finest], indices[finest]
        times = table.time_s[table.frames_of(index)]
        begins = times[piece_starts(times)]
        piece_begin = begins[np.searchsorted(begins, times, side="right") - 1]
        label, source = table.label[index], table.source[index]
        truth, event_truth = np.full((2, len(times)), -1, np.int8)
        class_index = -1
        for model, table in scores.items():
            if model not in indices:
                p_frames[model].append(np.full(len(times), np.nan))
                continue
            index = indices[model]
            own_frames = table.frames_of(index)
            own_times = np.append(table.time_s[own_frames], -np.inf)
            latest = np.searchsorted(own_times[:-1], times, side="right") - 1
            latest = np.where(own_times[latest] >= piece_begin, latest, -1)
            p_frames[model].append(_select_values(frames[model][own_frames], latest, np.nan))
            truth = np.maximum(truth, _select_values(table.truth[own_frames], latest, -1).astype(np.int8))
            of_events = _select_values(table.event_truth[own_frames], latest, -1).astype(np.int8)
            event_truth = np.maximum(event_truth, of_events)
            class_index = max(
                class_index,
                min(int(table.class_index[index]), 1) if table.has_normal else int(table.class_index[index] >= 0),
            )
            p_videos[model][number] = videos[model][index]
        for column, value in zip(columns, (label, source, class_index, times, truth, event_truth), strict=True):
            columns[column].append(value)
    lengths = [len(times) for times in columns["time_s"]]  # type: ignore[arg-type]
    base = {name: np.array(columns[name]) for name in per_video}
    base |= {name: np.concatenate(columns[name]) for name in per_frame}  # type: ignore[arg-type]
    base |= {"video": names, "offsets": np.append(0, np.cumsum(lengths))}
    return base, {model: np.concatenate(parts) for model, parts in p_frames.items()}, p_videos


def _select_values(values: np.ndarray, indices: np.ndarray, otherwise: float) -> np.ndarray:
    """The values at `indices`; `otherwise` where an index is -1."""
    if not len(values):
        return np.full(len(indices), otherwise)
    return np.where(indices >= 0, values[np.maximum(indices, 0)], otherwise)


def _regressors(p: np.ndarray) -> np.ndarray:
    """(N, 2 M) of probabilities (M, N): log odds, 0 where a model is silent, and whether it is."""
    silent = ~np.isfinite(p)
    odds = np.clip(logit(np.where(silent, 0.5, p)), -SUREST, SUREST)
    return np.vstack([odds, silent]).T.astype(np.float64)


def _equal_factors(models: int) -> Factors:
    """The mean of what the models say."""
    return Factors(slopes=(1 / models,) * models, silences=(0.0,) * models, constant=0.0)


def _fit_factors(p: Sequence[np.ndarray], true: np.ndarray, owner: np.ndarray) -> Factors | None:
    """The factors of a logistic regression in which each video weighs 1; None where only one kind is known."""
    models = len(p)
    if not true.any() or true.all():
        return None
    x = _regressors(np.array(p))
    weight = 1 / np.bincount(owner)[owner]
    positives, negatives = (float(len(np.unique(owner[chosen]))) for chosen in (true, ~true))
    target = soften(true, positives, negatives)
    active = np.ptp(x, axis=0) > 0
    while True:
        factors = np.zeros(2 * models + 1)
        if not active.any():  # no model has anything to say
            factors[-1] = float(logit(np.average(target, weights=weight)))
            break
        factors[np.append(active, True)] = fit_logistic(x[:, active], target, weight, RIDGE)
        negative = factors[:models] < 0
        if not negative.any():
            break
        active[:models] &= ~negative
    slopes, silences = factors[:models].tolist(), factors[models:-1].tolist()
    return Factors(slopes=tuple(slopes), silences=tuple(silences), constant=float(factors[-1]))
