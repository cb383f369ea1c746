"""What each model says of a stored frame, and what the fused detector makes of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigil.detect.alerts import Score
from vigil.detect.frame_features import StoredFrame
from vigil.detect.trained import Fused, Trained
from vigil.judging.judgements import NOTHING, Judgement, Standing, update_score
from vigil.statistics.reliability import logit

NAMED = 64  # judgements of an alert that are kept to name its crime by


@dataclass(frozen=True, eq=False)
class ModelState:
    """What is remembered of one model."""

    judged: Any  # by its judge
    standing: Standing = NOTHING
    newest: Judgement | None = None  # the most abnormal of those that came last
    recent: tuple[Judgement, ...] = ()  # of a model that names crimes, newest last


def judge_frame(
    model: Trained, state: ModelState, stored: StoredFrame, ends: bool, judged_before: Sequence[Judgement] | None = None
) -> tuple[ModelState, Score, Sequence[Judgement]]:
    """The model's state, what it says of the frame, and what it judged with it; or `judged_before`."""
    judged, judgements = state.judged, judged_before or ()
    if judged_before is None:
        judged, judgements = model.judge.update(judged, stored.item(model.input), stored.time_s)
        if ends:
            judgements = [*judgements, *model.judge.finish(judged)]
    standing, raw = update_score(state.standing, float(stored.time_s), judgements, model.judge.judge.hold_s)
    of_frame = [judgement for judgement in judgements if judgement.stop > stored.position]
    newest = max(of_frame, key=lambda judgement: judgement.newest, default=state.newest)
    recent = (*state.recent, *judgements)[-NAMED:] if model.names_for else ()
    state = ModelState(judged, standing, newest, recent)
    if model.alarm is None:
        return state, Score(float("nan"), None), judgements
    raw = float(np.float32(raw))  # as scores are stored
    p = float(model.alarm.calibration.probability(np.array([raw]))[0])
    return state, Score(raw, p if np.isfinite(p) else None), judgements


def fuse_scores(fused: Fused, models: Sequence[Trained], scores: Mapping[str, Score]) -> tuple[Score, dict[str, float]]:
    """What the fused detector says, and what each model adds to its log odds."""
    p = {
        model.name: model.alarm.calibration.validation_probability(np.array([scores[model.name].raw], np.float32))
        for model in models
        if model.alarm and model.name in fused.fusion.models
    }
    raw = float(np.float32(fused.fusion.odds(p)[0]))
    members = {
        name: slope * float(logit(p[name][0]))
        for name, slope in zip(fused.fusion.models, fused.fusion.frame.slopes, strict=True)
        if np.isfinite(p[name][0])
    }
    of_frame = float(fused.alarm.calibration.probability(np.array([raw]))[0])
    return Score(raw, of_frame if np.isfinite(of_frame) else None), members
