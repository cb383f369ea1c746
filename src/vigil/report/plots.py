"""The pictures of the report as records for templates/plots.html.j2, which draws them as SVG without a script.

Colours are classes and variables (`c0` to `c7`, `--line`, `--bad`), so that the stylesheet gives them for light and for
dark. What is as wide as a line of text is stretched to it, and has its words outside the picture, so that they stay
readable on a phone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np

COLOURS = 8
WIDTH, HEIGHT = 1000, 100  # of a strip, which is stretched
TRACK_POINTS = 240  # of a track at most; more are finer than a pixel

Numbers = Sequence[float] | np.ndarray


class Line(NamedTuple):
    """A curve; x and y of equal length, NaN where it is broken."""

    name: str
    x: Numbers
    y: Numbers
    colour: int = 0
    dashed: bool = False
    dots: bool = False


class Axis(NamedTuple):
    name: str
    low: float = 0.0
    high: float = 1.0

    def share(self, values: Numbers) -> np.ndarray:
        """Returns where values lie on the axis, 0 at its low end and 1 at its high one."""
        return (np.asarray(values, np.float64) - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Returns at most seven round numbers within the axis."""
        rough = (self.high - self.low) / 5
        magnitude = 10.0 ** np.floor(np.log10(rough))
        step = next(float(magnitude * factor) for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= rough * 0.999)
        if self.name == "epoch":
            step = max(1.0, float(np.round(step)))
        first, last = int(np.ceil(self.low / step - 1e-9)), int(np.floor(self.high / step + 1e-9))
        return [round(number * step, 10) for number in range(first, last + 1)]


@dataclass(frozen=True)
class Chart:
    """Curves over two axes, in units of which a chart is 260 wide."""

    width: ClassVar[int] = 260
    height: ClassVar[int] = 210
    left: ClassVar[int] = 44  # from here to `right` and from `top` to `bottom` is the plane of the curves
    right: ClassVar[int] = 252
    top: ClassVar[int] = 8
    bottom: ClassVar[int] = 176

    words: str  # what the chart shows, for who cannot see it
    x: Axis
    y: Axis
    lines: Sequence[Line]
    diagonal: bool = False

    def x_ticks(self) -> list[tuple[str, str]]:
        """Returns (x, text) of each tick."""
        ticks = self.x.ticks()
        return [(_format_coordinate(x), f"{tick:g}") for x, tick in zip(self._across(ticks), ticks, strict=True)]

    def y_ticks(self) -> list[tuple[str, str]]:
        """Returns (y, text) of each tick."""
        ticks = self.y.ticks()
        return [(_format_coordinate(y), f"{tick:g}") for y, tick in zip(self._down(ticks), ticks, strict=True)]

    def reference(self) -> str:
        return self.path(Line("", [self.x.low, self.x.high], [self.y.low, self.y.high]))

    def points(self, line: Line) -> list[tuple[str, str] | None]:
        """Returns where the points of a line are drawn; None where it is broken."""
        return [
            (_format_coordinate(x), _format_coordinate(y)) if np.isfinite(x) and np.isfinite(y) else None
            for x, y in zip(self._across(line.x), self._down(line.y), strict=True)
        ]

    def path(self, line: Line) -> str:
        """Returns an SVG path through the points, which jumps where the line is broken, without repeated points."""
        steps, is_drawing = [], False
        for before, point in pairwise([None, *self.points(line)]):
            if point is not None and point != before:
                steps.append(("L" if is_drawing else "M") + " ".join(point))
            is_drawing = point is not None
        return "".join(steps)

    def _across(self, values: Numbers) -> list[float]:
        return (self.left + self.x.share(values) * (self.right - self.left)).tolist()

    def _down(self, values: Numbers) -> list[float]:
        return (self.bottom - self.y.share(values) * (self.bottom - self.top)).tolist()


def roc_chart(lines: Sequence[Line], words: str) -> Chart:
    return Chart(words, Axis("false alarm rate"), Axis("found"), lines, diagonal=True)


def precision_recall_chart(lines: Sequence[Line], words: str) -> Chart:
    return Chart(words, Axis("found (recall)"), Axis("right (precision)"), lines)


def reliability_chart(predicted: Numbers, observed: Numbers, words: str, colour: int = 0) -> Chart:
    """Draws the share that was abnormal over the predicted probability, by bin."""
    line = Line("probability and share", predicted, observed, colour, dots=True)
    return Chart(words, Axis("predicted probability"), Axis("observed share"), [line], diagonal=True)


def history_chart(rows: Sequence[Mapping[str, str]], columns: Sequence[str], words: str) -> Chart | None:
    """Draws columns of a model's history over epochs, with a line for each member; None where there is no number."""
    lines = []
    for colour, column in enumerate(columns):
        for member in dict.fromkeys(row.get("member", "0") for row in rows):
            epochs = [row for row in rows if row.get("member", "0") == member and row.get(column)]
            if epochs:
                x, y = ([float(row[key]) for row in epochs] for key in ("epoch", column))
                lines.append(Line(column.replace("_", " "), x, y, colour))
    losses = [float(loss) for line in lines for loss in line.y if np.isfinite(loss)]
    if not losses:
        return None
    low, high = min(losses), max(losses)
    margin = 0.05 * ((high - low) or abs(high) or 1.0)
    last = max(float(epoch) for line in lines for epoch in line.x)
    return Chart(words, Axis("epoch", 1, max(last, 2)), Axis("", low - margin, high + margin), lines)


@dataclass(frozen=True)
class Interval:
    """A value between 0 and 1 with its interval on a stretched scale, and a mark where the best baseline is."""

    words: str
    value: float | None
    low: float | None = None
    high: float | None = None
    mark: float | None = None
    colour: int = 0

    @staticmethod
    def percent(value: float) -> str:
        return f"{100 * min(max(value, 0.0), 1.0):.2f}%"


class Bar(NamedTuple):
    x: str
    y: str
    width: str
    height: str


class Strip(NamedTuple):
    """A picture along a video, stretched to the width of the text."""

    kind: str  # class of the stylesheet
    words: str
    bars: Sequence[Bar] = ()
    bar_style: str = ""  # class
    areas: Sequence[str] = ()  # paths
    colour: int = 0
    threshold: str | None = None  # y


def score_track(
    times: np.ndarray,
    end_s: float,
    p: np.ndarray,
    threshold: float | None,
    alerts: Sequence[tuple[float, float]],
    words: str,
    colour: int = 0,
) -> Strip:
    """Draws the probability (NaN: no score) over the times at which frames begin; above it where the alarm is on.

    The last frame ends at `end_s`.
    """
    start_s = float(times[0]) if len(times) else 0.0
    ends_s = np.append(times[1:], end_s)

    def x(time_s: float) -> float:
        return WIDTH * (time_s - start_s) / max(end_s - start_s, 1e-9)

    def y(probability: float) -> str:
        return _format_coordinate(HEIGHT * (1 - 0.94 * probability))  # the alarm is drawn above

    scored = np.isfinite(p)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], scored, [False]]).astype(np.int8)))
    step = max(1, int(np.ceil(len(p) / TRACK_POINTS)))
    areas = []
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        points = [f"M{_format_coordinate(x(float(times[first])))} {HEIGHT}"]
        for begin in range(first, last, step):
            end = min(begin + step, last)
            points.append(f"L{_format_coordinate(x(float(times[begin])))} {y(float(p[begin:end].max()))}")
            points.append(f"H{_format_coordinate(x(float(ends_s[end - 1])))}")
        areas.append("".join(points) + f"V{HEIGHT}Z")
    alarms = [
        Bar(_format_coordinate(x(begin_s)), "0", _format_coordinate(max(x(stop_s) - x(begin_s), 4.0)), "9")
        for begin_s, stop_s in alerts
    ]
    return Strip("track", words, alarms, "alarm", areas, colour, None if threshold is None else y(threshold))


def truth_track(spans: Sequence[tuple[float, float]], end_s: float, words: str) -> Strip:
    """Draws when a video is abnormal."""
    scale = WIDTH / max(end_s, 1e-9)
    bars = [
        Bar(_format_coordinate(scale * start), "0", _format_coordinate(max(scale * (stop - start), 2.0)), f"{HEIGHT}")
        for start, stop in spans
    ]
    return Strip("truth", words, bars, "true")


def attention_bars(weights: Numbers, words: str, colour: int = 0) -> Strip:
    """Draws a bar for each weight, the highest as high as the picture."""
    top = max([float(weight) for weight in weights], default=0.0) or 1.0
    step = WIDTH / max(len(weights), 1)
    bars = []
    for number, weight in enumerate(weights):
        height = HEIGHT * float(weight) / top
        bars.append(Bar(*map(_format_coordinate, (number * step + 0.06 * step, HEIGHT - height, 0.88 * step, height))))
    return Strip("bars", words, bars, f"bar c{colour % COLOURS}")


def _format_coordinate(value: float) -> str:
    """Formats a coordinate with few digits: a tenth of a unit is less than a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
