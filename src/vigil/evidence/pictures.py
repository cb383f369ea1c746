"""Pictures of a judged recording: its scores over time, what the gate attended to, and where things moved."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.storage import replacing
from vigil.detect.detector import Detector
from vigil.evidence.recording import Recording
from vigil.footage.video.views import read_views
from vigil.judging.attention import select_clips
from vigil.judging.judgements import Judgement

TIMELINE, ATTENTION = "timeline.png", "attention_visualization.png"
CLIPS = 3  # of the gate that are drawn
FRAMES = 8  # of each, those with the most attention, in the order of time
THUMB_PX = 200
THUMB_IN, LINE_IN, BAR_IN, GAP_IN = 1.7, 0.19, 0.06, 0.08  # of the picture of attention


def write_pictures(folder: Path, source: Path, detector: Detector, recording: Recording) -> list[Path]:
    """Writes all pictures that there is something for, and returns their paths."""
    if not recording.moments:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    written = [draw_timeline(folder / TIMELINE, detector, recording)]
    clips = {model: select_clips(clips, CLIPS, 0.0) for model, clips in recording.attended_clips(detector).items()}
    maps = _highest_maps(recording)
    indices = {
        recording.moments[position].index for chosen in clips.values() for clip in chosen for position in clip.shown
    }
    indices |= {recording.moments[position].index for position, _ in maps.values()}
    images = dict(_pick_frames(source, indices, recording))
    drawable = {model: chosen for model, chosen in clips.items() if chosen}
    if drawable:
        written.append(draw_attention(folder / ATTENTION, detector, recording, drawable, images))
    for model, (position, cells) in maps.items():
        path = folder / f"heatmap_{model}.png"
        _save(path, draw_map(images[recording.moments[position].index], cells))
        written.append(path)
    return written


def draw_timeline(path: Path, detector: Detector, recording: Recording) -> Path:
    """The probability of every alarming detector over time, its threshold, and its alerts as bars."""
    figure, axes = _subplots(len(detector.alarming), 1, (10, 1.6 * len(detector.alarming) + 0.6))
    times = recording.times
    for axis, name in zip(axes, detector.alarming, strict=True):
        threshold = detector.threshold_probability(name)
        axis.step(times, recording.curve(name), where="post", linewidth=1.2, color="#1f4e9e")
        axis.axhline(threshold, color="#444444", linestyle="--", linewidth=0.8)
        for alert in recording.alerts:
            if alert.detector == name:
                axis.axvspan(alert.alert.start_s, alert.alert.stop_s, color="#d63031", alpha=0.25, linewidth=0)
                axis.annotate(alert.finding.name, (alert.alert.start_s, 0.86), fontsize=8, color="#a01f20")
        axis.set_ylim(0, 1)
        axis.set_xlim(times[0], max(times[-1], times[0] + 1e-3))
        axis.set_ylabel(name, fontsize=9)
        axis.grid(visible=True, alpha=0.25)
    axes[-1].set_xlabel("seconds")
    figure.suptitle(f"{Path(recording.name).name}: probability, threshold (dashed), alerts (red)", fontsize=10)
    return _write_figure(figure, path)


def draw_attention(
    path: Path,
    detector: Detector,
    recording: Recording,
    clips: dict[str, list[Judgement]],
    images: dict[int, np.ndarray],
) -> Path:
    """The surest clips of each model that attends: the frames that weighed most, each over a bar of its share."""
    from matplotlib.figure import Figure

    rows = [(model, clip) for model, chosen in clips.items() for clip in chosen]
    columns = min(FRAMES, max(len(clip.shown) for _, clip in rows))
    thumb_in = THUMB_IN * max((image.shape[0] / image.shape[1] for image in images.values()), default=1.0)
    row_in = 2 * LINE_IN + thumb_in + BAR_IN + GAP_IN
    width_in, height_in = columns * (THUMB_IN + GAP_IN) + GAP_IN, len(rows) * row_in + GAP_IN
    figure = Figure(figsize=(width_in, height_in))
    for row, (model, clip) in enumerate(rows):
        assert clip.attention is not None
        top_in = height_in - GAP_IN - row * row_in
        figure.text(
            GAP_IN / width_in,
            top_in / height_in,
            _describe_clip(detector, recording, model, clip),
            fontsize=9,
            va="top",
        )
        strongest = sorted(np.argsort(-clip.attention, kind="stable")[:columns].tolist())
        highest = float(clip.attention.max())
        for column, number in enumerate(strongest):
            moment, weight = recording.moments[clip.shown[number]], float(clip.attention[number])
            left_in, bottom_in = GAP_IN + column * (THUMB_IN + GAP_IN), top_in - 2 * LINE_IN - thumb_in
            box = (left_in / width_in, bottom_in / height_in, THUMB_IN / width_in, thumb_in / height_in)
            axis = figure.add_axes(box)
            axis.set_axis_off()
            axis.set_title(f"{moment.time_s:.1f} s: {weight:.0%}", fontsize=8, pad=2)
            if moment.index in images:
                axis.imshow(images[moment.index])
            bar = figure.add_axes((box[0], box[1] - BAR_IN / height_in, box[2], BAR_IN / height_in))
            bar.set_axis_off()
            bar.set_xlim(0, 1)
            bar.barh(0, 1, color="#dddddd")
            bar.barh(0, weight / highest, color="#d63031")
    return _write_figure(figure, path)


def _describe_clip(detector: Detector, recording: Recording, model: str, clip: Judgement) -> str:
    """From when to when it reaches, and how probable it is that something is abnormal in it."""
    start_s, stop_s = (recording.moments[position].time_s for position in (clip.start, clip.stop - 1))
    p = float(detector.calibration(model).probability(np.array([clip.score]))[0])
    return (
        f"{model}, {start_s:.1f} to {stop_s:.1f} s, probability {p:.2f}: the frames that weighed most, and their share"
    )


def draw_map(image: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB: the frame with a map laid over it, from cool to warm."""
    spread = max(float(np.ptp(cells)), 1e-9)
    levels = (255 * (cells.astype(np.float32) - cells.min()) / spread).astype(np.uint8)
    large = cv2.resize(levels, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    colours = cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return cv2.addWeighted(image, 0.55, colours, 0.45, 0)


def _highest_maps(recording: Recording) -> dict[str, tuple[int, np.ndarray]]:
    """By model, the map with the highest cell, and its moment."""
    highest: dict[str, tuple[int, np.ndarray]] = {}
    for position, moment in enumerate(recording.moments):
        for model, cells in moment.cells.items():
            if model not in highest or cells.max() > highest[model][1].max():
                highest[model] = position, cells
    return highest


def _pick_frames(source: Path, indices: set[int], recording: Recording) -> Iterator[tuple[int, np.ndarray]]:
    left = set(indices)
    for view in read_views(source) if left else ():
        if view.index in left:
            yield view.index, recording.show(view.rgb(THUMB_PX), float(view.time_s))
            left.discard(view.index)
            if not left:
                return


def _subplots(rows: int, columns: int, inches: tuple[float, float]) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    return figure, list(np.ravel(figure.subplots(rows, columns, squeeze=False)))


def _write_figure(figure: Any, path: Path) -> Path:
    with replacing(path) as partial_path:
        figure.savefig(partial_path, format="png", dpi=100, metadata={"Software": None})
    return path


def _save(path: Path, image: np.ndarray) -> None:
    _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    with replacing(path) as partial_path:
        partial_path.write_bytes(data.tobytes())
