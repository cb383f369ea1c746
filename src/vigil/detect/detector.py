"""Trained models on one source, frame by frame: every frame is looked at once, whatever the number of models.

    with Detector.load("models", ["panic", "pose_lstm"]) as detector:
        for alert in detector.run("gate.mp4"):              # alerts as they are raised and end
            print(alert.to_json())

    detector.reset()                                        # another source
    for number, image in enumerate(camera):                 # (H, W, 3) uint8 RGB
        for alert in detector.update(image, number / 25):
            ...
    alerts = detector.finish()

The judges, the rule and the thresholds are those of the pipeline: on a video that the pipeline has judged, a detector
says the same, bit by bit. A detector looks at one source at a time; several of them share the networks.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np

from vigil.core.clock import update_pace
from vigil.core.errors import Rejected, VigilError
from vigil.detect import frame_features, trained
from vigil.detect.alarms import finish_alarm, update_alarm
from vigil.detect.alerts import AlertChange, FrameScores, Provenance, Score
from vigil.detect.frame_features import StoredFrame, make_plan
from vigil.detect.frame_scores import ModelState, fuse_scores, judge_frame
from vigil.detect.heads import Finder, open_head_finder
from vigil.detect.image_views import make_view
from vigil.detect.model_choice import FUSED, Runtime, choose_models
from vigil.detect.plan_networks import open_finder, open_look
from vigil.detect.states import AlarmState, State, Step
from vigil.detect.trained import Alarm, Fused, Trained
from vigil.features import trunk
from vigil.features.landmarks import estimators
from vigil.features.zones import Zones
from vigil.footage.video.views import View, read_views
from vigil.judging.calibration import Calibration
from vigil.judging.judgements import Judgement
from vigil.statistics import alerts

UNKNOWN = Score(float("nan"), None)


class Detector:
    """Holds the models, which it shares with its copies, and the state of one source."""

    def __init__(
        self,
        models: Sequence[Trained],
        fused: Fused | None,
        alarming: Sequence[str],
        finder: estimators.PeopleFinder | None,
        zones: Zones | None = None,
        look: trunk.Look | None = None,
        find_poses: bool = False,
    ) -> None:
        self.models, self.fused = tuple(models), fused
        plan = make_plan([model.frozen.checkpoint.card for model in models])
        self.plan = replace(plan, zones=zones, poses=plan.poses or find_poses)
        self._finder, self._look_on, self._open = finder, look, ExitStack()
        self._find_heads: Finder | None = None
        self.loaded_as: Mapping[str, Any] = {}  # arguments of `load`, by which the same detector is loaded again
        self._alarms = self._gather_alarms()
        self.alarming = tuple(name for name in alarming if name in self._alarms)
        self._state = self._begin()

    @classmethod
    def load(
        cls,
        models: str | Path = "models",
        names: Sequence[str] | None = None,
        *,
        calibrations: Mapping[str, Path] | None = None,
        threshold: str | None = None,
        budget: float | None = None,
        zones: Zones | None = None,
        find_heads: bool = False,
        find_poses: bool = False,
        runtime: Runtime = "torch",
    ) -> Self:
        """The trained models of a folder: those of `names`, else the fused detector, else all that there are.

        `calibrations` has the file of a camera's own calibration for a model, `threshold` what the alarm sounds at
        instead of the frozen threshold: a probability ("0.7"), "p90", "p95", "p98", or "budget". `budget` is how many
        false alarms an hour each detector may raise; VigilError where that cannot be promised. `zones` are where it
        looks, if that is not the whole picture. With `find_heads` every stored frame says where heads are,
        and with `find_poses` how people stand, also where models ask at most where they are.
        `runtime` is what runs the models: torch, or `onnx` what `vigil export` has written.
        """
        folder = Path(models)
        chosen = choose_models(folder, names)
        loaded, fused = trained.load_models(folder, chosen, calibrations or {}, threshold, budget, runtime)
        detector = cls(loaded, fused, chosen, None, zones, find_poses=find_poses)
        detector.loaded_as = {
            "names": list(chosen),
            "calibrations": {name: str(path.absolute()) for name, path in (calibrations or {}).items()},
            "threshold": threshold,
            "budget": budget,
            "runtime": runtime,
            "zones": None if zones is None else zones.polygons,
        }
        plan = detector.plan
        detector._finder = open_finder(plan, folder, detector._open)
        detector._look_on = open_look(plan, folder)
        if find_heads:
            knows_poses = detector._finder is not None and detector._finder.step is not None
            detector._find_heads = open_head_finder(folder, plan.frames.size, knows_poses)
        return detector

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the networks."""
        self._open.close()

    def copy(self) -> "Detector":
        """A detector for another source, with the same networks, at its beginning."""
        plan = self.plan
        copied = Detector(
            self.models, self.fused, self.alarming, self._finder, plan.zones, self._look_on, find_poses=plan.poses
        )
        copied._find_heads, copied.loaded_as = self._find_heads, self.loaded_as
        return copied

    def run(self, source: str | Path, fps: Fraction | None = None) -> Iterator[AlertChange]:
        """Yields the alerts of a video file or a folder of images as they come; the detector is reset before."""
        self.reset()
        views = read_views(Path(source)) if fps is None else read_views(Path(source), fps)
        try:
            for step in self.steps(views):
                yield from step.changes
        except Rejected as error:
            raise Rejected(f"{source}: {error}") from None

    def steps(self, views: Iterable[View]) -> Iterator[Step]:
        """Yields what every stored frame of a recording brings, and at last what was left.

        A frame is judged when the next one is there, so that the last of a piece is known to be the last: what is left
        of a window is then judged, as the pipeline does.
        """
        waiting: StoredFrame | None = None
        for view in views:
            stored = self._look(view)
            if stored is None:
                continue
            if waiting is not None:
                yield self.judge_stored(waiting, ends=update_pace(self._state.pace, float(stored.time_s))[1])
            waiting = stored
        if waiting is not None:
            yield self.judge_stored(waiting, ends=True)
        yield Step(changes=self.finish())

    def update(self, image: np.ndarray, time_s: float | Fraction) -> list[AlertChange]:
        """One frame more of a live source, (H, W, 3) uint8 RGB; `time_s` are seconds since it began, and rise."""
        view, newest_s = make_view(self._state.frames, image, time_s), self._state.time_s
        if newest_s is not None and view.time_s <= newest_s:
            raise VigilError(
                f"a frame at {float(time_s):g} s after one at {float(newest_s):g} s: times rise within a source. Call "
                ".reset() before another source begins."
            )
        return list(self.step(view).changes)

    def reset(self) -> None:
        """Begin anew, as for another source."""
        self._state = self._begin()

    @property
    def state(self) -> State:
        """What is remembered of the source; it never changes, so it can be kept and set again."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if state.models.keys() != {model.name for model in self.models}:
            raise VigilError("this state is of other models: load the same ones.")
        self._state = state

    def step(self, view: View, is_armed: bool = True) -> Step:
        """One frame more of a live source, judged at once. While it is not armed, no alert is raised or goes on."""
        stored = self._look(view)
        return Step() if stored is None else self.judge_stored(stored, ends=False, is_armed=is_armed)

    def _look(self, view: View) -> StoredFrame | None:
        """The features of one frame more; None of a frame that is not stored."""
        features, stored = frame_features.update(self._state.features, view, self.plan, self._finder, self._look_on)
        if stored is not None and self._find_heads is not None:
            stored = replace(stored, heads=self._find_heads(view, stored))
        self._state = replace(self._state, frames=self._state.frames + 1, time_s=view.time_s, features=features)
        return stored

    def judge_stored(
        self,
        stored: StoredFrame,
        ends: bool,
        is_armed: bool = True,
        judged_before: Mapping[str, Sequence[Judgement]] | None = None,
    ) -> Step:
        """What models and alarms make of a stored frame; with `ends` nothing follows it in its piece.

        Models of `judged_before` do not look at it: these are the judgements that they have come to before.
        """
        state, judged_before = self._state, judged_before or {}
        models, scores, judgements = dict(state.models), dict[str, Score](), dict[str, Sequence[Judgement]]()
        for model in self.models:
            name = model.name
            models[name], scores[name], judgements[name] = judge_frame(
                model, models[name], stored, ends, judged_before.get(name)
            )
        members: dict[str, float] = {}
        if self.fused:
            scores[FUSED], members = fuse_scores(self.fused, self.models, scores)
        state = replace(state, models=models, pace=update_pace(state.pace, float(stored.time_s))[0])
        changes, alarms_after = list[AlertChange](), dict(state.alarms)
        for name in self.alarming:
            score = scores[name] if is_armed else UNKNOWN
            alarms_after[name], of_detector = update_alarm(
                name, self._alarms[name], state.alarms[name], self.models, state.models, stored, score, members
            )
            changes += of_detector
        self._state = replace(state, alarms=alarms_after)
        frame_scores = FrameScores(stored.position, stored.index, stored.time_s, scores)
        return Step(stored, frame_scores, changes, judgements, ends, is_armed)

    def finish(self) -> list[AlertChange]:
        """The ends of the alerts that are on when the source ends."""
        return [
            change
            for name in self.alarming
            for change in finish_alarm(name, self._alarms[name], self._state.alarms[name])
        ]

    @property
    def threshold(self) -> str | None:
        """What all alarms sound at instead of the frozen thresholds, as `load` takes it; it can be set at any time."""
        threshold: str | None = self.loaded_as.get("threshold")
        return threshold

    @threshold.setter
    def threshold(self, threshold: str | None) -> None:
        self.models = tuple(
            replace(model, alarm=None if model.alarm is None else model.alarm.at(threshold)) for model in self.models
        )
        self.fused = None if self.fused is None else replace(self.fused, alarm=self.fused.alarm.at(threshold))
        self._alarms = self._gather_alarms()
        self.loaded_as = {**self.loaded_as, "threshold": threshold, "budget": None}

    @property
    def scoring(self) -> tuple[str, ...]:
        """The detectors that have scores, whether or not they raise alerts here."""
        return tuple(self._alarms)

    @property
    def finds_heads(self) -> bool:
        """Whether every stored frame says where heads are."""
        return self._find_heads is not None

    @property
    def settings_sha256(self) -> str:
        """Hash of how features are made, and of how every model looks at them."""
        settings: dict[str, Any] = {model.name: model.frozen.calibration.settings_sha256 for model in self.models}
        if self.plan.zones is not None:
            settings["zones"] = self.plan.zones.polygons
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def calibration(self, name: str) -> Calibration:
        """What the scores of an alarming detector mean."""
        return self._alarms[name].calibration

    def rule(self, name: str) -> alerts.Rule:
        """When an alarming detector raises an alert, and when it lets go."""
        return self._alarms[name].rule

    def provenance(self, name: str) -> Provenance:
        """What makes the alerts of an alarming detector."""
        return self._alarms[name].provenance

    def threshold_probability(self, name: str) -> float:
        """The probability of the score at which a detector's alarm sounds."""
        alarm = self._alarms[name]
        return float(alarm.calibration.probability(np.array([alarm.rule.threshold]))[0])

    def _gather_alarms(self) -> dict[str, Alarm]:
        alarms = {model.name: model.alarm for model in self.models if model.alarm}
        return alarms if self.fused is None else alarms | {FUSED: self.fused.alarm}

    def _begin(self) -> State:
        models = {model.name: ModelState(model.judge.start()) for model in self.models}
        return State(models=models, alarms={name: AlarmState() for name in self.alarming})
