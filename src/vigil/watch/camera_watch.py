"""One camera: its frames to a detector, its alerts to the outbox with a picture and a clip, its state to the page."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from vigil.capture.frames import Event, Frame, Gone, Piece
from vigil.capture.live.camera import Camera
from vigil.core.errors import VigilError
from vigil.core.storage import replacing
from vigil.delivery.alert import Alert, Ended, utc_text
from vigil.delivery.page.cameras import CameraSnapshot, CameraState, DetectorReading
from vigil.detect.alerts import AlertChange, FrameScores
from vigil.detect.detector import Detector
from vigil.detect.states import Step
from vigil.evidence import clips
from vigil.evidence.hiding import HeadTimes, hide_heads
from vigil.features.frames import encode_jpeg
from vigil.watch.alert_records import AlertRecords
from vigil.watch.camera_clips import ClipWriter, PendingClip
from vigil.watch.health_alerts import HealthAlerts
from vigil.watch.replay_files import ReplayFiles, write_alert

BEFORE_S, AFTER_S = Fraction(clips.BEFORE_S), Fraction(clips.AFTER_S)  # of an alert, in its clip
TILE_PX = 480  # width of a picture on the page
TILE_QUALITY = 70
PICTURE_QUALITY = 85
TIMES = 1 << 16  # of an alert of two hours the peak is still found
LAGS = 4096  # newest lags that are remembered
RATE_S = 10.0  # s over which frames a second are counted
Put = Callable[[Alert], object]
Tell = Callable[[str, AlertChange | None], object]


class CameraWatch:
    """Feed it what a camera gives, in order; `tell` gets a line for everything that happens."""

    def __init__(self, camera: Camera, detector: Detector, evidence: Path | None, put: Put, tell: Tell) -> None:
        """`tell` gets an alert, or else a line about the camera itself."""
        self.camera, self.detector = camera, detector
        self._evidence, self._put, self._tell = evidence, put, tell
        source = camera.source
        self._health = HealthAlerts(source.name, source.address, detector.settings_sha256, put)
        self._records = AlertRecords(source, detector.settings_sha256)
        self._hours = source.entry.watched_hours if source.entry else None
        self._clips: list[PendingClip] = []
        self._frame: Frame | None = None
        self._times: deque[tuple[int, float]] = deque(maxlen=TIMES)  # position and time of the newest stored frames
        self._piece = -1
        self._state: CameraState = "connecting"
        self._reason: str | None = None
        self._heads = HeadTimes(TIMES) if detector.finds_heads else None  # hidden in what is written and shown
        self._shown: Frame | None = None  # the newest stored frame: of it alone it is known where heads are
        self._clip_writer = ClipWriter(self._heads)
        self._replays = None if evidence is None else ReplayFiles(detector)
        self._tile: tuple[Frame, bytes] | None = None  # the newest frame that the page has shown, as it shows it
        self._scores: FrameScores | None = None
        self._judged: deque[float] = deque(maxlen=LAGS)
        self.lags: deque[float] = deque(maxlen=LAGS)  # s from a frame to its scores
        self.alerts = 0

    def take(self, item: Frame | Event) -> Step | None:
        """A frame, which is looked at, or something that has happened to the camera."""
        if isinstance(item, Event):
            if isinstance(item, Gone):
                self._state, self._reason = "lost", item.reason
                self._end_piece("source ended")
            if isinstance(item, Piece):
                self._end_piece("source ended")
            if line := self._health.take(item):
                self._tell(line, None)
            return None
        if item.piece != self._piece:
            self._end_piece("source ended")
            self._piece = item.piece
        self._state, self._reason, self._frame = "live", None, item
        is_armed = self._hours is None or self._hours.include(item.utc)
        step = self.detector.step(item, is_armed)
        if step.stored is not None:
            self._times.append((step.stored.position, float(item.time_s)))
            if self._heads is not None and step.stored.heads is not None:
                self._heads.add(float(item.time_s), step.stored.heads)  # before another thread shows the frame
            self._scores, self._shown = step.scores, item
            self.lags.append((datetime.now(UTC) - item.utc).total_seconds())
            self._judged.append(time.monotonic())
        self._deliver(step, "released")
        self._cut_clips(item.time_s)
        return step

    def finish(self) -> None:
        """Ends what is open: nobody watches any more."""
        self._end_piece("interrupted")
        self._health.finish(datetime.now(UTC))
        if self._frame is not None:
            self._cut_clips(self._frame.time_s + AFTER_S + BEFORE_S + 1)
        self._clip_writer.close(self._put_clip)
        self._state = "ended"

    def snapshot(self) -> CameraSnapshot:
        """What the page shows of it."""
        frame = self._shown
        return CameraSnapshot(
            name=self.camera.source.name,
            state=self._state,
            reason=self._reason,
            fps=measure_rate(tuple(self._judged), time.monotonic()),
            lag_s=round(self.lags[-1], 3) if self.lags else None,
            frame_utc=utc_text(frame.utc.timestamp()) if frame else None,
            frame_index=frame.index if frame else 0,
            jpeg=None if frame is None else self._encode_tile(frame),
            readings=self._readings(),
        )

    def _encode_tile(self, frame: Frame) -> bytes:
        """The frame as the page shows it, once for all pages that ask; several threads may."""
        newest = self._tile
        if newest is None or newest[0] is not frame:
            self._tile = newest = frame, encode_jpeg(_shrink(self._hide(frame), TILE_PX), TILE_QUALITY)
        return newest[1]

    def _readings(self) -> tuple[DetectorReading, ...]:
        if self._scores is None:
            return ()
        readings = []
        for name in self.detector.alarming:
            score = self._scores.scores[name]
            raw = score.raw if np.isfinite(score.raw) else None
            threshold = self.detector.rule(name).threshold
            readings.append(DetectorReading(name, raw, score.p, threshold, self._threshold_p(name)))
        return tuple(readings)

    def _threshold_p(self, name: str) -> float | None:
        p = self.detector.threshold_probability(name)
        return p if np.isfinite(p) else None

    def _end_piece(self, ended: Ended) -> None:
        """Nothing goes on from here: a piece, or the watch, is over."""
        self._deliver(Step(changes=self.detector.finish()), ended)
        self.detector.reset()
        if self._replays is not None:
            self._replays.reset()
        self._times.clear()

    def _deliver(self, step: Step, ended: Ended) -> None:
        """Puts the alerts of a step into the outbox, with their evidence."""
        if self._replays is not None:
            self._replays.add(step)
        for change in step.changes:
            frame, raised = self._frame, change.change == "raised"
            assert frame is not None
            peak_s = dict(self._times).get(change.alert.peak_index, change.alert.start_s)
            alert = self._records.revise(
                change, self._clock, frame.size, peak_s, ended, partial(self._add_picture, frame=frame, change=change)
            )
            self.alerts += raised
            if self._evidence is not None and self._replays is not None:
                self._replays.write(self._evidence / alert.camera / alert.id, change, alert)
            if not raised and self._evidence is not None:
                start_s, stop_s = Fraction(change.alert.start_s) - BEFORE_S, Fraction(change.alert.stop_s) + AFTER_S
                self._clips.append(PendingClip(alert, max(start_s, Fraction(0)), stop_s))
            self._put(alert)
            self._tell("", change)

    def _add_picture(self, alert: Alert, frame: Frame, change: AlertChange) -> Alert:
        """The frame with which it was raised, with the place where that is known; written before the alert is put."""
        if self._evidence is None:
            return alert
        name = f"{alert.camera}/{alert.id}.jpg"
        image = self._hide(frame).copy()
        if change.finding.box is not None:
            scale = frame.image.shape[1] / frame.size[0]
            left, top, right, bottom = (round(edge * scale) for edge in change.finding.box)
            cv2.rectangle(image, (left, top), (right, bottom), (214, 48, 49), 2)
        try:
            with replacing(self._evidence / name) as partial_path:
                partial_path.write_bytes(encode_jpeg(image, PICTURE_QUALITY))
        except OSError as error:
            self._tell(f"{alert.camera}: the picture of an alert cannot be written: {error.strerror}", None)
            return alert
        return alert.model_copy(update={"picture": name})

    def _cut_clips(self, now_s: Fraction) -> None:
        """Cuts the clips whose time has come; an alert without one stays an alert."""
        self._clip_writer.settle(self._put_clip)
        due = [pending for pending in self._clips if now_s >= pending.due_s]
        self._clips = [pending for pending in self._clips if now_s < pending.due_s]
        for pending in due:
            assert self._evidence is not None and self._frame is not None
            try:
                self._clip_writer.write(self.camera, pending, self._evidence, self._frame.size, self._put_clip)
            except VigilError as error:
                self._tell(str(error), None)

    def _put_clip(self, alert: Alert) -> None:
        """An alert that has got its clip, which its evidence says too."""
        self._put(alert)
        if self._evidence is not None:
            with suppress(VigilError):
                write_alert(self._evidence / alert.camera / alert.id, alert)

    def _hide(self, frame: Frame) -> np.ndarray:
        """(H, W, 3) uint8 of what may be written of a frame."""
        if self._heads is None:
            return frame.image
        return hide_heads(frame.image, self._heads.near(float(frame.time_s)), frame.size)

    def _clock(self, time_s: float) -> str | None:
        frame = self._frame
        if frame is None:
            return None
        return utc_text(frame.utc.timestamp() + time_s - float(frame.time_s))


def measure_rate(moments: Sequence[float], now: float) -> float | None:
    """How many of these moments there were a second, lately; None before there is a second to tell it by."""
    recent = [moment for moment in moments if now - moment <= RATE_S]
    if not recent:
        return None
    seconds = RATE_S if len(recent) < len(moments) else now - recent[0]
    return round(len(recent) / seconds, 2) if seconds >= 1 else None


def _shrink(image: np.ndarray, width: int) -> np.ndarray:
    """The image, at most so wide."""
    if image.shape[1] <= width:
        return image
    height = round(image.shape[0] * width / image.shape[1])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
