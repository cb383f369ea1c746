"""The pictures: curves, timelines, bars and tables of colour, as SVG and HTML that needs no script.

Colours are classes and variables (`c0` to `c7`, `--line`, `--bad`), so that a page gives them for light and for dark.
What is as wide as a line of text is stretched to it, and has its words outside the picture, so that they stay readable
on a phone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from vigil.report.markup import Markup, element

COLOURS = 8
WIDTH, HEIGHT = 260, 210  # of a chart
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 8, 32  # margins of a chart
WIDE, TALL = 1000, 100  # of a picture that is stretched
MOST = 240  # points of a line


@dataclass(frozen=True)
class Line:
    """One curve; x and y of equal length, NaN where it is broken."""

    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    colour: int = 0
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Axis:
    name: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Row:
    """A value with its interval on a scale, and what else is marked on it."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    mark: float | None = None  # the best baseline
    told: str = ""  # the same in words
    colour: int = 0


@dataclass(frozen=True)
class Track:
    """What a model says along a video. Times are where each frame begins, and `end_s` where the last one ends."""

    times: np.ndarray
    end_s: float
    p: np.ndarray  # NaN: no score
    threshold: float | None
    alerts: Sequence[tuple[float, float]] = field(default_factory=list)


def chart(lines: Sequence[Line], x: Axis, y: Axis, told: str, *, diagonal: bool = False) -> Markup:
    """Curves over two axes; `told` says the same in words."""
    parts = [_grid(x, y)]
    if diagonal:
        parts.append(element("path", d=_path([x.low, x.high], [y.low, y.high], x, y), class_="reference"))
    for line in lines:
        style = f"curve c{line.colour % COLOURS}" + (" dashed" if line.dashed else "")
        parts.append(element("path", element("title", line.name), d=_path(line.x, line.y, x, y), class_=style))
        if line.dots:
            places = zip(*_places(line.x, line.y, x, y), strict=True)
            parts += [
                element("circle", cx=_short(cx), cy=_short(cy), r=2.5, class_=f"dot c{line.colour % COLOURS}")
                for cx, cy in places
                if np.isfinite(cx) and np.isfinite(cy)
            ]
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="chart", role="img", aria_label=told)


def roc(lines: Sequence[Line], told: str) -> Markup:
    return chart(lines, Axis("false alarm rate"), Axis("found"), told, diagonal=True)


def pr(lines: Sequence[Line], told: str) -> Markup:
    return chart(lines, Axis("found (recall)"), Axis("right (precision)"), told)


def reliability(bins: Sequence[Mapping[str, float | None]], told: str, colour: int = 0) -> Markup:
    """How often it was so, over how probable it was told to be; bins as `reliability.Bin.told_as` gives them."""
    there = [one for one in bins if one["told"] is not None and one["true"] is not None]
    line = Line("told and true", [one["told"] or 0.0 for one in there], [one["true"] or 0.0 for one in there], colour)
    shown = Line(line.name, line.x, line.y, colour, dots=True)
    return chart([shown], Axis("probability told"), Axis("share that was so"), told, diagonal=True)


def history(rows: Sequence[Mapping[str, str]], columns: Sequence[str], told: str) -> Markup | None:
    """Columns of a model's history.csv over epochs, a line per member; None where no number is."""
    lines = []
    for number, column in enumerate(columns):
        for member in dict.fromkeys(row.get("member", "0") for row in rows):
            mine = [row for row in rows if row.get("member", "0") == member and row.get(column)]
            values = [float(row[column]) for row in mine]
            lines += [Line(column.replace("_", " "), [float(row["epoch"]) for row in mine], values, number)] * bool(
                mine
            )
    values = [float(value) for line in lines for value in line.y if np.isfinite(value)]
    if not values:
        return None
    low, high = min(values), max(values)
    last = max(float(value) for line in lines for value in line.x)
    room = 0.05 * ((high - low) or abs(high) or 1.0)
    return chart(lines, Axis("epoch", 1, max(last, 2)), Axis("", low - room, high + room), told)


def interval(row: Row, low: float = 0.0, high: float = 1.0) -> Markup:
    """A dot with its interval on a stretched scale, and a tick where the best baseline is."""

    def at(value: float) -> str:
        return f"{100 * min(max((value - low) / (high - low), 0.0), 1.0):.2f}%"

    parts = [element("line", x1="0", x2="100%", y1="50%", y2="50%", class_="rail")]
    if row.low is not None and row.high is not None:
        parts.append(element("line", x1=at(row.low), x2=at(row.high), y1="50%", y2="50%", class_=f"span c{row.colour}"))
    if row.mark is not None:
        parts.append(element("line", x1=at(row.mark), x2=at(row.mark), y1="10%", y2="90%", class_="mark"))
    if row.value is not None:
        parts.append(element("circle", cx=at(row.value), cy="50%", r=5, class_=f"dot c{row.colour}"))
    return element("svg", *parts, class_="interval", role="img", aria_label=row.told or row.name)


def track(one: Track, told: str, colour: int = 0) -> Markup:
    """Probability over time, filled; above it where the alarm is on."""
    length = max(one.end_s - (float(one.times[0]) if len(one.times) else 0.0), 1e-9)
    start = float(one.times[0]) if len(one.times) else 0.0
    until = np.append(one.times[1:], one.end_s)

    def x(seconds: float) -> float:
        return WIDE * (seconds - start) / length

    shapes = []
    there = np.isfinite(one.p)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    keep = max(1, int(np.ceil(len(one.p) / MOST)))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        points = [f"M{_short(x(float(one.times[first])))} {TALL}"]
        for begin in range(first, last, keep):
            end = min(begin + keep, last)
            height = _short(TALL * (1 - 0.94 * float(one.p[begin:end].max())))
            points.append(f"L{_short(x(float(one.times[begin])))} {height}H{_short(x(float(until[end - 1])))}")
        shapes.append(element("path", d="".join(points) + f"V{TALL}Z", class_=f"area c{colour % COLOURS}"))
    if one.threshold is not None:
        y = _short(TALL * (1 - 0.94 * one.threshold))
        shapes.append(element("line", x1=0, x2=WIDE, y1=y, y2=y, class_="threshold"))
    for begin_s, end_s in one.alerts:
        width = max(x(end_s) - x(begin_s), 4.0)
        shapes.append(element("rect", x=_short(x(begin_s)), y=0, width=_short(width), height=9, class_="alarm"))
    return _stretched(shapes, "track", told)


def truth(spans: Sequence[tuple[float, float]], start_s: float, end_s: float, told: str) -> Markup:
    """When it is abnormal."""
    length = max(end_s - start_s, 1e-9)
    bars = [
        element(
            "rect",
            x=_short(WIDE * (begin - start_s) / length),
            y=0,
            width=_short(max(WIDE * (end - begin) / length, 2.0)),
            height=TALL,
            class_="true",
        )
        for begin, end in spans
    ]
    return _stretched(bars, "truth", told)


def bars(weights: Sequence[float] | np.ndarray, told: str, colour: int = 0) -> Markup:
    """One bar for each of some frames, the highest as high as the picture."""
    top = max([float(value) for value in weights], default=0.0) or 1.0
    step = WIDE / max(len(weights), 1)
    shapes = [
        element(
            "rect",
            x=_short(number * step + 0.06 * step),
            y=_short(TALL * (1 - float(value) / top)),
            width=_short(0.88 * step),
            height=_short(TALL * float(value) / top),
            class_=f"bar c{colour % COLOURS}",
        )
        for number, value in enumerate(weights)
    ]
    return _stretched(shapes, "bars", told)


def confusion(table: Sequence[Sequence[int]], names: Sequence[str]) -> Markup:
    """True classes by row, told ones by column; the shade is the share of the row."""
    head = element(
        "tr", element("th", "true / told", scope="col"), *(element("th", name, scope="col") for name in names)
    )
    rows = []
    for number, (name, counts) in enumerate(zip(names, table, strict=True)):
        total = sum(counts) or 1
        cells = [
            element(
                "td",
                count or "·",
                class_="right" if place == number else "wrong",
                style=f"--share:{round(100 * count / total)}%" if count else None,
            )
            for place, count in enumerate(counts)
        ]
        rows.append(element("tr", element("th", name, scope="row"), *cells))
    return element("table", element("thead", head), element("tbody", *rows), class_="confusion")


def _stretched(shapes: Sequence[Markup], kind: str, told: str) -> Markup:
    """As wide as it may be; lines keep their width by `vector-effect` of the page's style."""
    return element(
        "svg",
        *shapes,
        viewBox=f"0 0 {WIDE} {TALL}",
        preserveAspectRatio="none",
        class_=kind,
        role="img",
        aria_label=told,
    )


def _grid(x: Axis, y: Axis) -> Markup:
    """Two axes with ticks at round numbers."""
    parts = []
    for tick in ticks(x):
        at = _short(float(_places([tick], [y.low], x, y)[0][0]))
        parts.append(element("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, class_="grid"))
        parts.append(element("text", f"{tick:g}", x=at, y=HEIGHT - BOTTOM + 13, class_="tick middle"))
    for tick in ticks(y):
        at = _short(float(_places([x.low], [tick], x, y)[1][0]))
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid"))
        parts.append(element("text", f"{tick:g}", x=LEFT - 5, y=at, dy="0.35em", class_="tick end"))
    middle = (LEFT + WIDTH - RIGHT) // 2
    parts.append(element("text", x.name, x=middle, y=HEIGHT - 3, class_="axis middle"))
    height = (TOP + HEIGHT - BOTTOM) // 2
    if y.name:
        turned = f"rotate(-90 9 {height})"
        parts.append(element("text", y.name, x=9, y=height, transform=turned, class_="axis middle"))
    return element("g", *parts, aria_hidden="true")


def ticks(axis: Axis) -> list[float]:
    """At most six round numbers within."""
    width = axis.high - axis.low
    raw = width / 5
    magnitude = 10.0 ** np.floor(np.log10(raw))
    step = next(float(magnitude * factor) for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= raw * 0.999)
    if axis.name == "epoch":
        step = max(1.0, float(np.round(step)))
    first = int(np.ceil(axis.low / step - 1e-9))
    return [round(number * step, 10) for number in range(first, int(np.floor(axis.high / step + 1e-9)) + 1)]


def _places(
    xs: Sequence[float] | np.ndarray, ys: Sequence[float] | np.ndarray, x: Axis, y: Axis
) -> tuple[np.ndarray, np.ndarray]:
    across = (np.asarray(xs, np.float64) - x.low) / (x.high - x.low)
    up = (np.asarray(ys, np.float64) - y.low) / (y.high - y.low)
    return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def _path(xs: Sequence[float] | np.ndarray, ys: Sequence[float] | np.ndarray, x: Axis, y: Axis) -> str:
    """Straight from point to point; a NaN lifts the pen, and what lies on the way is left out."""
    across, up = _places(xs, ys, x, y)
    kept: list[tuple[str, str] | None] = []
    for one, other in zip(across.tolist(), up.tolist(), strict=True):
        kept.append((_short(one), _short(other)) if np.isfinite(one) and np.isfinite(other) else None)
    kept = [one for before, one in pairwise([None, *kept]) if one != before]
    parts, down = [], False
    for place in kept:
        if place is not None:
            parts.append(("L" if down else "M") + " ".join(place))
        down = place is not None
    return "".join(parts)


def _short(value: float) -> str:
    """Few digits: a tenth of a unit is less than a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
