"""What a model says of the test split, looked up by video."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vigil.evaluation.summary import Entry
from vigil.statistics.events import Outcome
from vigil.statistics.scores import Scores


@dataclass(frozen=True, eq=False)
class ModelScores:
    """The calibrated scores of a model that says how abnormal a frame is, and the alerts that follow from them."""

    entry: Entry
    colour: int

    @property
    def name(self) -> str:
        return self.entry.name

    @cached_property
    def table(self) -> Scores:
        assert self.entry.test is not None
        return self.entry.test

    @cached_property
    def rows(self) -> dict[str, int]:
        """Returns the row of each video in the table."""
        return {name: row for row, name in enumerate(self.table.video.tolist())}

    @cached_property
    def p(self) -> np.ndarray:
        """Returns (N,) the calibrated probability of each frame, NaN where it has no score."""
        assert self.entry.calibration is not None
        return self.entry.calibration.probability(self.table.score)

    @cached_property
    def threshold(self) -> float | None:
        """Returns the threshold as a probability."""
        calibration = self.entry.calibration
        if calibration is None or calibration.threshold is None:
            return None
        return float(calibration.probability(np.array([calibration.threshold]))[0])

    @cached_property
    def outcome(self) -> Outcome | None:
        operating_point = self.entry.operating_point
        return None if operating_point is None else operating_point.outcome(self.table)

    def judges(self, video: str) -> bool:
        return video in self.rows and bool(self.table.class_index[self.rows[video]] >= 0)

    def frames_of(self, video: str) -> slice:
        return self.table.frames_of(self.rows[video])

    def alerts(self, video: str) -> list[tuple[float, float]]:
        if self.outcome is None:
            return []
        starts, stops = self.outcome.alerts.of(self.rows[video])
        return list(zip(starts.tolist(), stops.tolist(), strict=True))

    def peak(self, row: int, start_s: float, stop_s: float) -> tuple[float, float]:
        """Returns the highest probability from `start_s` to `stop_s`, and when; 0 at `start_s` without a frame."""
        frames = self.table.frames_of(row)
        times, p = self.table.time_s[frames], np.nan_to_num(self.p[frames])
        inside = np.flatnonzero((times >= start_s - 1e-9) & (times < stop_s))
        if not len(inside):
            return 0.0, start_s
        highest = int(inside[np.argmax(p[inside])])
        return float(p[highest]), float(times[highest])


def scores_by_model(entries: Sequence[Entry], colours: Mapping[str, int]) -> dict[str, ModelScores]:
    """Returns the scores of the models that say how abnormal a frame is."""
    return {
        entry.name: ModelScores(entry, colours[entry.name])
        for entry in entries
        if entry.raises_alarms and entry.test is not None
    }
