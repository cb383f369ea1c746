"""What a detector sees, drawn into the frames: people, maps, scores with their threshold, and what is alarmed."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vigil.detect.alerts import AlertChange
from vigil.detect.detector import Detector
from vigil.evidence.recording import Moment, Recording
from vigil.features.landmarks.pose_table import Pose
from vigil.features.landmarks.skeleton import BONES, HEAD
from vigil.footage.video.views import read_views
from vigil.footage.video.writing import VideoWriter

CALM, ALARM, INK, PAPER = (46, 160, 110), (214, 48, 49), (245, 246, 250), (24, 26, 32)
ZONE = (255, 220, 90)  # where it looks
COLOURS = ((84, 160, 255), (254, 202, 87), (29, 209, 161), (255, 107, 129), (162, 155, 254), (255, 159, 67))
STRIP = 72  # px, height of the curves below the picture
MAP_S = 1.0  # s that a map is shown
CURVE_S = 20.0  # s that the curves look back
BANNER = 26  # px
MOST_PX = 720  # shorter side of what is written


@dataclass(frozen=True)
class Layout:
    """Sizes of a drawn frame."""

    width: int
    height: int  # of the picture, without banner and curves

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height + BANNER + STRIP


def make_layout(size: tuple[int, int]) -> Layout:
    """A picture of at least 320 px and at most MOST_PX, with even sides."""
    scale = min(MOST_PX / min(size), max(1.0, 320 / size[0]))
    width, height = (2 * max(1, round(side * scale / 2)) for side in size)
    return Layout(width, height)


def write_overlay(path: Path, source: Path, detector: Detector, recording: Recording, fps: Fraction) -> None:
    """Writes the recording with everything drawn into it; `fps` is that of the video that is written."""
    layout = make_layout(recording.size)
    with VideoWriter(path, fps, layout.size) as video:
        for image, position in _steady_frames(source, recording, fps):
            video.write(draw_frame(image, recording, position, detector, layout))


def draw_frame(
    image: np.ndarray, recording: Recording, position: int, detector: Detector, layout: Layout
) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a frame (any size), with what was known at the moment `position`."""
    moment = recording.moments[position]
    picture = cv2.resize(image, (layout.width, layout.height), interpolation=cv2.INTER_AREA)
    scale = layout.width / recording.size[0]
    alerts = [alert for alert in recording.alerts if _is_on(alert, moment.time_s)]
    for cells in _newest_maps(recording, position).values():
        _tint(picture, cells)
    if detector.plan.zones is not None:
        outlines = detector.plan.zones.outlines((layout.width, layout.height))
        cv2.polylines(picture, outlines, True, ZONE, 1, cv2.LINE_AA)
    for pose in moment.people:
        alarmed = any(alert.finding.person == pose.person for alert in alerts)
        _draw_pose(picture, pose, scale, ALARM if alarmed else CALM)
    for alert in alerts:
        if alert.finding.box is not None:
            left, top, right, bottom = (round(edge * scale) for edge in alert.finding.box)
            cv2.rectangle(picture, (left, top), (right, bottom), ALARM, 2)
    banner = _draw_banner(moment, alerts, layout.width)
    curves = _draw_curves(recording, position, detector, layout.width)
    return np.vstack([banner, picture, curves])


def _steady_frames(source: Path, recording: Recording, fps: Fraction) -> Iterator[tuple[np.ndarray, int]]:
    """Frames at a steady rate, each with the moment that is known by then; pauses are left out."""
    times, due = recording.times, Fraction(0)
    for view in read_views(source):
        if view.time_s < due:
            continue
        position = int(np.searchsorted(times, float(view.time_s) + 1e-6, side="right")) - 1
        yield recording.show(view.rgb(MOST_PX), float(view.time_s)), max(position, 0)
        due = max(due + 1 / fps, view.time_s)


def _is_on(alert: AlertChange, time_s: float) -> bool:
    return alert.alert.start_s <= time_s + 1e-6 and time_s < alert.alert.stop_s + 1e-6


def _newest_maps(recording: Recording, position: int) -> dict[str, np.ndarray]:
    """The last map of each model, if it is no older than MAP_S: a map comes with some frames only."""
    maps: dict[str, np.ndarray] = {}
    now = recording.moments[position].time_s
    for moment in reversed(recording.moments[: position + 1]):
        if now - moment.time_s > MAP_S:
            break
        maps = dict(moment.cells) | maps
    return maps


def _tint(picture: np.ndarray, cells: np.ndarray) -> None:
    """Lays a map over the picture, the warmer the higher."""
    spread = float(np.ptp(cells))
    if spread <= 0:
        return
    heat = cv2.resize(
        ((cells - cells.min()) / spread).astype(np.float32), (picture.shape[1], picture.shape[0]),
        interpolation=cv2.INTER_LINEAR,
    )  # fmt: skip
    share = (0.45 * heat**2)[..., None]
    picture[:] = (picture * (1 - share) + np.array(ALARM) * share).astype(np.uint8)


def _draw_pose(picture: np.ndarray, pose: Pose, scale: float, colour: tuple[int, int, int]) -> None:
    joints = pose.joints * scale
    seen = np.isfinite(joints[:, 0])
    if not seen.any():
        return
    for bone in BONES:
        if seen[list(bone)].all():
            ends = [tuple(int(value) for value in np.rint(joints[joint])) for joint in bone]
            cv2.line(picture, ends[0], ends[1], colour, 2, cv2.LINE_AA)
    if seen[HEAD]:
        head = tuple(int(value) for value in np.rint(joints[HEAD]))
        cv2.circle(picture, head, 4, colour, -1, cv2.LINE_AA)
    low, high = np.nanmin(joints, axis=0) - 6, np.nanmax(joints, axis=0) + 6
    corner = (int(low[0]), int(low[1]))
    cv2.rectangle(picture, corner, (int(high[0]), int(high[1])), colour, 1, cv2.LINE_AA)
    _write(picture, str(pose.person), (corner[0] + 2, max(10, corner[1] - 3)), colour, 0.38)


def _draw_banner(moment: Moment, alerts: Sequence[AlertChange], width: int) -> np.ndarray:
    banner = np.full((BANNER, width, 3), ALARM if alerts else PAPER, np.uint8)
    minutes, seconds = divmod(moment.time_s, 60)
    words = " | ".join(f"{alert.detector}: {alert.finding.name}" for alert in alerts) or "normal"
    clock = f"{int(minutes):02d}:{seconds:04.1f}"
    _write(banner, f"{clock}  {words}"[: width // 8], (6, 17), INK, 0.45)
    return banner


def _draw_curves(recording: Recording, position: int, detector: Detector, width: int) -> np.ndarray:
    """The probabilities of the alarming detectors in the last seconds, each with its threshold dashed.

    They grow from the left until the strip is full, and run to the left then; a shorter recording fills it just so.
    """
    strip = np.full((STRIP, width, 3), PAPER, np.uint8)
    span = min(CURVE_S, max(recording.seconds, 1.0))
    start = max(recording.moments[0].time_s, recording.moments[position].time_s - span)
    first = bisect_left(recording.moments, start, key=lambda moment: moment.time_s)
    shown = recording.moments[first : position + 1]
    across = ((np.array([moment.time_s for moment in shown]) - start) / span * (width - 1)).astype(int)
    for number, name in enumerate(detector.alarming):
        colour = COLOURS[number % len(COLOURS)]
        threshold = detector.threshold_probability(name)
        line = round((STRIP - 4) * (1 - threshold)) + 2
        _write(strip, f"{threshold:.2f}", (width - 28, line - 3 if line > 14 else line + 12), colour, 0.32)
        for left in range(0, width, 8):
            cv2.line(strip, (left, line), (left + 3, line), colour, 1)
        down = (STRIP - 4) * (1 - recording.curve(name, slice(first, position + 1))) + 2
        is_seen = np.isfinite(down)
        points = np.stack([across[is_seen], down[is_seen].astype(int)], axis=1).astype(np.int32)
        cv2.polylines(strip, [points.reshape(-1, 1, 2)], False, colour, 1, cv2.LINE_AA)
        _write(strip, name, (6 + 84 * number, 12), colour, 0.36)
    return strip


def _write(image: np.ndarray, text: str, at: tuple[int, int], colour: tuple[int, int, int], size: float) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
