"""The part of the report that is about one model at a time: curves, mistakes, and what it looks at."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vigil.evaluation.summary import Entry
from vigil.report import film as films
from vigil.report import plots
from vigil.report.film import Film
from vigil.report.markup import Markup, element, join
from vigil.report.parts import count, figure, folded, image, metrics_table, note, scrolling, seconds, swatch, table
from vigil.report.plots import Line
from vigil.report.results import NOTHING, number
from vigil.report.video_section import Said
from vigil.statistics import reliability
from vigil.statistics.ranking import Ranking

MOMENTS = 2  # of each kind of mistake, per model
ATTENDED, SHOWN = 3, 8  # windows per model, frames of each
MAPS = 3  # best and worst ones


def about(entry: Entry, one: Said | None, colour: int, film: Film) -> Markup:
    """Everything about one model."""
    if entry.test is None:
        why = note(f"Not judged: {entry.reason or 'no scores'}.")
        return element("article", _title(entry, colour), why, id=f"model-{entry.name}")
    told = entry.metrics
    notes = [line for line in told.get("notes", []) if isinstance(line, str)]
    promise = told.get("operating_point", {}).get("promise")
    return element(
        "article",
        _title(entry, colour),
        element("p", f"Promise of the threshold: {promise}.") if promise else None,
        element("div", *[each for each in _charts(entry, one, colour) if each is not None], class_="charts"),
        _confusion(told),
        _moments(one, film),
        _attention(entry, colour, film),
        _maps(entry, film),
        folded("All metrics, with intervals and baselines", metrics_table(f"{entry.name} on the test split", told)),
        _parts(told),
        folded(count(len(notes), "note"), element("ul", *(element("li", line) for line in notes))) if notes else None,
        id=f"model-{entry.name}",
    )


def _title(entry: Entry, colour: int) -> Markup:
    return element("h3", swatch(entry.name, colour))


def _charts(entry: Entry, one: Said | None, colour: int) -> list[Markup | None]:
    assert entry.test is not None
    judged = entry.test.judged()
    lines: list[tuple[str, Ranking]] = []
    if judged.cells.size:
        known = judged.cells_truth >= 0
        lines.append(("cells", _ranking(judged.cells[known], judged.cells_truth[known] == 1)))
    elif judged.has_normal:
        known = (judged.truth >= 0) & judged.abnormal[judged.owner]
        lines.append(("videos", _ranking(judged.video_score, judged.abnormal)))
        lines.append(("frames of abnormal videos", _ranking(judged.score[known], judged.truth[known] == 1)))
    lines = [(name, ranking) for name, ranking in lines if ranking.reason is None]
    charts: list[Markup | None] = []
    if lines:
        names = " (dashed: ".join(name for name, _ in lines) + (")" if len(lines) > 1 else "")
        drawn = [(*ranking.roc(), *ranking.pr(), name) for name, ranking in lines]
        roc = [Line(name, false, true, colour, number > 0) for number, (false, true, _, _, name) in enumerate(drawn)]
        pr = [Line(name, recall, right, colour, number > 0) for number, (_, _, recall, right, name) in enumerate(drawn)]
        charts.append(figure(plots.roc(roc, f"ROC of {names}"), join([element("b", "ROC"), f" of {names}"])))
        charts.append(
            figure(plots.pr(pr, f"precision over recall of {names}"), join([element("b", "Precision"), f" of {names}"]))
        )
    if one is not None:
        known = (one.table.truth >= 0) & (one.table.klass >= 0)[one.table.owner] & np.isfinite(one.p)
        error, bins = reliability.ece(one.p[known], one.table.truth[known] == 1)
        if error is not None:
            picture = plots.reliability([each.told_as() for each in bins], f"calibration error {error:.3f}", colour)
            charts.append(
                figure(picture, join([element("b", "Reliability"), f" of frames: off by {error:.3f} on average"]))
            )
    columns = [name for name in (entry.history[0] if entry.history else {}) if name in ("train_loss", "val_loss")]
    history = plots.history(entry.history, columns, f"losses of {entry.name} by epoch") if columns else None
    charts.append(figure(history, join([element("b", "Training"), ": ", _legend(columns)])))
    return charts


def _legend(names: Sequence[str]) -> Markup:
    return join([swatch(name.replace("_", " "), number) for number, name in enumerate(names)], " ")


def _ranking(score: np.ndarray, positive: np.ndarray) -> Ranking:
    return Ranking.of(score, positive, np.zeros(len(score), np.int64), 1)


def _confusion(told: Mapping[str, Any]) -> Markup | None:
    found = told.get("confusion", {})
    if not found or not found.get("table") or not any(map(any, found["table"])):
        return None
    picture = plots.confusion(found["table"], [str(name) for name in found["classes"]])
    title = "What it takes for what (videos; the shade is the share of the row)"
    return join([element("h4", title), scrolling(picture, title)])


def _moments(one: Said | None, film: Film) -> Markup | None:
    """The worst false alarms, and the worst misses."""
    if one is None or one.outcome is None:
        return None
    outcome, scores = one.outcome, one.table
    false, missed = [], []
    for place in np.flatnonzero(outcome.false).tolist():
        alerts = outcome.alerts
        false.append(_peak(one, int(alerts.video[place]), float(alerts.start_s[place]), float(alerts.stop_s[place])))
    for place in np.flatnonzero(np.isnan(outcome.delay_s)).tolist():
        events = outcome.events
        video, start_s, stop_s = int(events.video[place]), float(events.start_s[place]), float(events.stop_s[place])
        missed.append((_peak(one, video, start_s, stop_s)[0], video, (start_s + stop_s) / 2))
    judged = len(outcome.events.video)
    pictures = [
        _moment(film, str(scores.video[video]), at, f"False alarm, probability {p:.0%}", str(scores.label[video]))
        for p, video, at in _first(sorted(false, key=lambda each: (-each[0], each[1])))
    ] + [
        _moment(film, str(scores.video[video]), at, f"Missed, probability {p:.0%} at most", str(scores.label[video]))
        for p, video, at in _first(sorted(missed))
    ]
    words = f"{count(len(false), 'false alarm')}; {len(missed)} of {count(judged, 'event')} missed."
    more = " The worst of each:" if pictures else ""
    return join([element("h4", "Mistakes"), element("p", words + more), element("div", *pictures, class_="moments")])


def _peak(one: Said, video: int, start_s: float, stop_s: float) -> tuple[float, int, float]:
    """Highest probability within some time of a video: (p, video, when)."""
    part = one.table.part(video)
    times, p = one.table.time_s[part], np.nan_to_num(one.p[part])
    inside = np.flatnonzero((times >= start_s - 1e-9) & (times < stop_s))
    if not len(inside):
        return 0.0, video, start_s
    best = int(inside[np.argmax(p[inside])])
    return float(p[best]), video, float(times[best])


def _first(found: Sequence[tuple[float, int, float]]) -> list[tuple[float, int, float]]:
    """One of each video, the first ones."""
    kept: dict[int, tuple[float, int, float]] = {}
    for each in found:
        kept.setdefault(each[1], each)
    return list(kept.values())[:MOMENTS]


def _moment(film: Film, video: str, at: float, what: str, label: str) -> Markup:
    told = f"{what}. {video.split('/', 1)[-1]} ({label}) at {seconds(at)}"
    return element("figure", image(film.moment(video, at), told), element("figcaption", told))


def _attention(entry: Entry, colour: int, film: Film) -> Markup | None:
    """The windows that it is surest of, frame by frame."""
    arrays, scores = entry.arrays, entry.test
    if "attention" not in arrays or not len(arrays["attention"]) or scores is None:
        return None
    order = np.argsort(-arrays["window_score"], kind="stable")
    rows, seen = list[Markup](), set[int]()
    for row in order.tolist():
        video = int(arrays["window_video"][row])
        if video in seen or scores.klass[video] <= 0 or len(rows) == ATTENDED:
            continue
        seen.add(video)
        rows.append(_window(entry, row, video, colour, film))
    if not rows:
        return None
    words = "The windows that it is surest of, one per abnormal video: frames it was shown, and the attention each got."
    return join([element("h4", "Attention"), element("p", words, class_="small"), *rows])


def _window(entry: Entry, row: int, video: int, colour: int, film: Film) -> Markup:
    scores = entry.test
    assert scores is not None
    shown, weights = entry.arrays["shown"][row], entry.arrays["attention"][row]
    name, part = str(scores.video[video]), scores.part(video)
    truth = scores.truth[part]
    inside = [float(weight) for weight, place in zip(weights, shown, strict=True) if truth[place] == 1]
    total = float(weights.sum()) or 1.0
    told = f"{name.split('/', 1)[-1]} ({scores.label[video]})"
    if (truth >= 0).all() and inside:
        told += f": {sum(inside) / total:.0%} of the attention"
        told += f" on the {len(inside) / len(shown):.0%} of frames that are abnormal"
    picks = np.linspace(0, len(shown) - 1, min(SHOWN, len(shown))).round().astype(int)
    pictures = [image(film.placed(name, int(shown[pick])), f"frame {pick + 1} of {len(shown)}") for pick in picks]
    return element(
        "figure",
        element("div", *pictures, class_="film"),
        plots.bars(weights, f"attention on {len(shown)} frames, most on frame {int(np.argmax(weights)) + 1}", colour),
        element("figcaption", told),
    )


def _maps(entry: Entry, film: Film) -> Markup | None:
    """The maps that agree best with the truth, and the worst, over the frames that they are of."""
    scores, arrays = entry.test, entry.arrays
    if scores is None or not scores.cells.size or "cells_frame" not in arrays:
        return None
    p = shares(scores.cells)
    known = (scores.cells_truth >= 0).all(axis=(1, 2)) & (scores.cells_truth == 1).any(axis=(1, 2))
    error = np.abs(p - (scores.cells_truth == 1)).mean(axis=(1, 2)) / np.maximum(
        (scores.cells_truth == 1).mean(axis=(1, 2)), 0.02
    )
    order = [int(row) for row in np.argsort(error, kind="stable") if known[row]]
    best = _each_video(order, scores.cells_video)
    worst = [row for row in _each_video(order[::-1], scores.cells_video) if row not in best]
    pictures = []
    for row, what in [*((row, "Agrees") for row in best), *((row, "Disagrees") for row in worst)]:
        name = str(scores.video[int(scores.cells_video[row])])
        frame = film.numbered(name, int(arrays["cells_frame"][row]))
        if frame is None:
            continue
        told = f"{what} with the truth: {name.split('/', 1)[-1]}, frame {int(arrays['cells_frame'][row])}"
        pictures.append(
            element(
                "figure",
                image(films.overlay(frame, p[row], scores.cells_truth[row]), told),
                element("figcaption", told),
            )
        )
    if not pictures:
        return None
    side = "x".join(map(str, scores.cells.shape[1:]))
    words = (
        f"Maps of {side} cells over the frame: warm where it says that something moves, outlined where something does."
    )
    return join([element("h4", "Maps"), element("p", words, class_="small"), element("div", *pictures, class_="maps")])


def shares(cells: np.ndarray) -> np.ndarray:
    """Raw maps as 0..1: logits through a sigmoid, what is within 0..1 already as it is."""
    cells = np.nan_to_num(cells, neginf=0.0)
    return cells if cells.min() >= 0 and cells.max() <= 1 else 1 / (1 + np.exp(-np.clip(cells, -30, 30)))


def _each_video(order: Sequence[int], owner: np.ndarray) -> list[int]:
    kept: dict[int, int] = {}
    for row in order:
        kept.setdefault(int(owner[row]), row)
    return list(kept.values())[:MAPS]


def _parts(told: Mapping[str, Any]) -> Markup | None:
    """By class and by source."""
    shown = []
    for key, title in (("classes", "By label"), ("sources", "By source")):
        rows = told.get(key) or {}
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
        if columns:
            lines = [[name, *(_plain(row.get(column)) for column in columns)] for name, row in rows.items()]
            shown.append(table(title, [title[3:], *(column.replace("_", " ") for column in columns)], lines))
    return folded("By label and by source", *shown) if shown else None


def _plain(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    return NOTHING if value is None else str(value)
