"""What a detector has said of one recording from beginning to end, gathered for those who draw it or write it down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vigil.detect.alerts import AlertChange, Score
from vigil.detect.detector import Detector
from vigil.detect.states import Step
from vigil.evidence.hiding import HeadTimes, hide_heads
from vigil.features.landmarks.pose_table import Pose
from vigil.judging.judgements import Judgement


@dataclass(frozen=True, eq=False)
class Moment:
    """One stored frame."""

    index: int  # among all frames of the source
    time_s: float
    people: Sequence[Pose]  # px of the source
    scores: Mapping[str, Score]  # by detector
    cells: Mapping[str, np.ndarray]  # maps that came with it, by model


@dataclass(eq=False)
class Recording:
    """Grows with the steps of a detector."""

    name: str
    size: tuple[int, int] = (0, 0)  # px
    moments: list[Moment] = field(default_factory=list)
    alerts: list[AlertChange] = field(default_factory=list)  # that have ended, in the order of their ends
    clips: dict[str, list[Judgement]] = field(default_factory=dict)  # of models that attend or name crimes, by model
    heads: HeadTimes | None = None  # where they are hidden in what is written

    def follow(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Yields the steps, and remembers them."""
        for step in steps:
            self.add(step)
            yield step

    def add(self, step: Step) -> None:
        """One frame more."""
        self.alerts += [change for change in step.changes if change.change == "ended"]
        if step.stored is None or step.scores is None:
            return
        self.size = step.stored.size
        if step.stored.heads is not None:
            self.heads = self.heads or HeadTimes()
            self.heads.add(float(step.stored.time_s), step.stored.heads)
        cells = {
            model: judgement.cells
            for model, judgements in step.judgements.items()
            for judgement in judgements
            if judgement.cells is not None
        }
        self.moments.append(
            Moment(step.stored.index, float(step.stored.time_s), step.stored.people, step.scores.scores, cells)
        )
        for model, judgements in step.judgements.items():
            attending = [judgement for judgement in judgements if judgement.attention is not None]
            if attending:
                self.clips.setdefault(model, []).extend(attending)

    def show(self, image: np.ndarray, time_s: float) -> np.ndarray:
        """What may be written of the picture (H, W, 3) of a moment, of any size."""
        return image if self.heads is None else hide_heads(image, self.heads.near(time_s), self.size)

    def attended_clips(self, detector: Detector) -> dict[str, list[Judgement]]:
        """By model, the clips whose attention is its own. A model that names crimes is handed what its gate's is."""
        return {model: clips for model, clips in sorted(self.clips.items()) if model in detector.scoring}

    @property
    def times(self) -> np.ndarray:
        """(T,) s."""
        return np.array([moment.time_s for moment in self.moments])

    @property
    def seconds(self) -> float:
        """From the first stored frame to the last."""
        return self.moments[-1].time_s - self.moments[0].time_s if self.moments else 0.0

    def curve(self, detector: str, span: slice = slice(None)) -> np.ndarray:
        """(T,) probability of every moment, or of those of a span; NaN where there is none."""
        scores = [moment.scores.get(detector) for moment in self.moments[span]]
        return np.array([np.nan if score is None or score.p is None else score.p for score in scores], np.float64)

    def highest(self, detector: str) -> float | None:
        """The highest raw score; None where there is none."""
        raw = np.array([moment.scores[detector].raw for moment in self.moments], np.float32)
        return None if not len(raw) or np.isnan(raw).all() else float(np.nanmax(raw))


def video_confidence(detector: Detector, recording: Recording) -> dict[str, float]:
    """By alarming detector, the probability that the whole recording is abnormal."""
    confidence = {}
    for name in detector.alarming:
        raw = recording.highest(name)
        if raw is not None:
            p = detector.calibration(name).probability(np.array([raw]), "video")
            confidence[name] = float(p[0])
    return confidence
