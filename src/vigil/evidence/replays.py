"""What it takes to judge an alert again: the models' state seconds before it, and what they looked at from then on.

    recorder = ReplayRecorder(detector)
    for step in detector.steps(views):
        for key, record in recorder.add(step):          # of an alert that has just been raised, or has just ended
            write_replay(path, record)
    record = read_replay(path)

A record holds features, and pictures only for models that look at pictures. Where heads are hidden in what is written
no picture is kept. Of such models the judgements are, so that what follows from these can be judged again.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from vigil.core.errors import VigilError
from vigil.detect.alerts import AlertChange
from vigil.detect.detector import Detector
from vigil.detect.frame_features import StoredFrame
from vigil.detect.frame_scores import ModelState
from vigil.detect.states import AlarmState, State, Step
from vigil.evidence.packing import load_packed, save_packed

FORMAT = 2
BEFORE_S = 5.0  # s of an alert, from which on it is judged again
MARK_S = 1.0  # s from one state that is remembered to the next
MOST_S = 120.0  # s after an alert is raised, that are kept of it
DROPPED: Mapping[str, Any] = {"people": (), "judged_people": (), "heads": None}  # of a stored frame: fed to no judge
FIELDS = tuple(field.name for field in fields(StoredFrame) if field.name not in DROPPED)
PICTURES = frozenset({"frames", "masked", "attended"})  # inputs that show people
Key = tuple[str, int]  # detector, and the number of its alert


@dataclass(frozen=True, eq=False)
class KeptFrame:
    """A stored frame as models look at it, and what was said of it."""

    stored: StoredFrame
    ends: bool
    is_armed: bool
    judgements: Mapping[str, Sequence[Any]]  # of models whose pictures are not kept
    scores: Mapping[str, float]  # raw, by detector


@dataclass(frozen=True, eq=False)
class ReplayRecord:
    """From a state of the models to the end of an alert, or as far as it is kept."""

    models: Mapping[str, ModelState]
    alarms: Mapping[str, AlarmState]
    pace: Any
    frames: Sequence[KeptFrame]
    raised: AlertChange
    ended: AlertChange | None  # None: not yet, or after what is kept
    at_end: bool = False  # whether it ended because nothing followed

    @property
    def state(self) -> State:
        """That in which the first frame was judged."""
        return State(models=self.models, alarms=self.alarms, pace=self.pace)


class ReplayRecorder:
    """Remembers the last seconds of a source, and of every alert that is on what belongs to it."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._inputs = {model.name: model.input for model in detector.models}
        self._recent: deque[tuple[State | None, KeptFrame]] = deque()  # with the state before it, every MARK_S
        self._marked_s = -MARK_S  # when the newest of these was
        self._state = detector.state
        self._open: dict[Key, ReplayRecord] = {}

    def add(self, step: Step) -> Iterator[tuple[Key, ReplayRecord]]:
        """One step more; yields the record of each alert that it raises or ends."""
        state, self._state = self._state, self._detector.state
        if step.stored is not None and step.scores is not None:
            frame, now_s = self._keep(step), float(step.stored.time_s)
            is_due = not self._recent or now_s - self._marked_s >= MARK_S
            self._recent.append((state if is_due else None, frame))
            self._marked_s = now_s if is_due else self._marked_s
            for key, record in self._open.items():
                if now_s - record.raised.alert.start_s <= MOST_S:
                    self._open[key] = replace(record, frames=[*record.frames, frame])
            self._forget(now_s)
        for change in step.changes:
            key = change.detector, change.number
            if change.change == "raised":
                self._open[key] = self._begin(change)
                yield key, self._open[key]
            elif key in self._open:
                yield key, self._end(self._open.pop(key), change, step)

    def reset(self) -> None:
        """Begins anew with the detector."""
        self._recent.clear()
        self._open.clear()
        self._state = self._detector.state

    def _begin(self, change: AlertChange) -> ReplayRecord:
        """From the newest state that is remembered of BEFORE_S before; or from the oldest."""
        first = 0
        for number, (state, frame) in enumerate(self._recent):
            if state is not None and float(frame.stored.time_s) <= change.alert.start_s - BEFORE_S:
                first = number
        before = self._recent[first][0]
        assert before is not None
        frames = [frame for _, frame in list(self._recent)[first:]]
        return ReplayRecord(self._without_pictures(before.models), before.alarms, before.pace, frames, change, None)

    def _end(self, record: ReplayRecord, change: AlertChange, step: Step) -> ReplayRecord:
        """An alert that outlasts what is kept has no end in its record."""
        last_s = float(record.frames[-1].stored.time_s)
        newest_s = float(self._recent[-1][1].stored.time_s) if self._recent else last_s
        is_whole = last_s == newest_s
        return replace(record, ended=change if is_whole else None, at_end=is_whole and step.stored is None)

    def _keep(self, step: Step) -> KeptFrame:
        """What models look at of a frame, and nothing else."""
        stored, inputs = step.stored, set(self._inputs.values())
        assert stored is not None and step.scores is not None
        hides = self._detector.finds_heads
        shows = bool(inputs & {"frames", "attended"}) and not hides
        judged_input = replace(
            stored,
            **DROPPED,
            picture=stored.picture.forget_decoded() if stored.picture and shows else None,
            masked=stored.masked.forget_decoded() if stored.masked and not hides else None,
        )
        judgements = {
            name: tuple(step.judgements[name]) for name, input_name in self._inputs.items() if self._hides(input_name)
        }
        scores = {name: score.raw for name, score in step.scores.scores.items()}
        return KeptFrame(judged_input, step.ends, step.is_armed, judgements, scores)

    def _without_pictures(self, models: Mapping[str, ModelState]) -> dict[str, ModelState]:
        return {
            name: replace(state, judged=None) if self._hides(self._inputs[name]) else state
            for name, state in models.items()
        }

    def _hides(self, input_name: str) -> bool:
        return self._detector.finds_heads and input_name in PICTURES

    def _forget(self, now_s: float) -> None:
        """What lies before the newest state that is old enough; the first that is left has one."""
        old = [
            number
            for number, (state, frame) in enumerate(self._recent)
            if state is not None and float(frame.stored.time_s) <= now_s - BEFORE_S
        ]
        for _ in range(old[-1] if old else 0):
            self._recent.popleft()


def write_replay(path: Path, record: ReplayRecord, settings: Mapping[str, Any]) -> None:
    """`settings` say how the detector was loaded. VigilError where it cannot be written."""
    contents = {
        "format": FORMAT,
        "settings": dict(settings),
        "models": record.models,
        "alarms": record.alarms,
        "pace": record.pace,
        "frames": [_pack_frame(frame) for frame in record.frames],
        "raised": record.raised,
        "ended": record.ended,
        "at_end": record.at_end,
    }
    try:
        save_packed(path, contents)
    except OSError as error:
        raise VigilError(f"{path}: cannot be written: {error.strerror}.") from None


def read_replay(path: Path) -> tuple[ReplayRecord, dict[str, Any]]:
    """The record, and how the detector was loaded."""
    contents = load_packed(path)
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise VigilError(f"{path}: not what an alert is judged again from, or of another vigil.")
    try:
        frames = [_unpack_frame(frame) for frame in contents["frames"]]
        keys = ("models", "alarms", "pace", "raised", "ended", "at_end")
        record = ReplayRecord(frames=frames, **{key: contents[key] for key in keys})
        return record, contents["settings"]
    except (KeyError, TypeError) as error:
        raise VigilError(f"{path}: not what an alert is judged again from: {error}.") from None


def _pack_frame(frame: KeptFrame) -> dict[str, Any]:
    return {name: getattr(frame.stored, name) for name in FIELDS} | {
        "ends": frame.ends,
        "is_armed": frame.is_armed,
        "judgements": {name: list(judgements) for name, judgements in frame.judgements.items()},
        "scores": dict(frame.scores),
    }


def _unpack_frame(row: dict[str, Any]) -> KeptFrame:
    stored = StoredFrame(**{name: row[name] for name in FIELDS})
    return KeptFrame(stored, row["ends"], row["is_armed"], row["judgements"], row["scores"])
