"""What a detector remembers of a source, and what a frame brings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from vigil.core import clock
from vigil.core.clock import Pace
from vigil.detect import frame_features
from vigil.detect.alerts import AlertChange, Finding, FrameScores
from vigil.detect.frame_features import StoredFrame
from vigil.detect.frame_scores import ModelState
from vigil.judging.judgements import Judgement
from vigil.statistics import alerts

NOTHING_FOUND = Finding()


@dataclass(frozen=True, eq=False)
class AlarmState:
    """What is remembered of one detector's alerts."""

    alert: alerts.State = alerts.START
    number: int = 0  # of the newest alert
    p: float | None = None  # its highest
    finding: Finding = NOTHING_FOUND
    members: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class State:
    """All that is remembered of a source."""

    frames: int = 0
    time_s: Fraction | None = None  # of the newest frame
    features: frame_features.State = frame_features.START
    models: Mapping[str, ModelState] = field(default_factory=dict)
    alarms: Mapping[str, AlarmState] = field(default_factory=dict)
    pace: Pace = clock.START  # of the frames that were judged


@dataclass(frozen=True, eq=False)
class Step:
    """What one frame brings. Most frames are not stored: between them nothing is judged."""

    stored: StoredFrame | None = None
    scores: FrameScores | None = None
    changes: Sequence[AlertChange] = ()
    judgements: Mapping[str, Sequence[Judgement]] = field(default_factory=dict)  # that came with it, by model
    ends: bool = False  # whether nothing follows it in its piece
    is_armed: bool = True
