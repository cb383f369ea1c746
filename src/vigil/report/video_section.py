"""The part of the report that shows every test video: its frames, when it was abnormal, and what each model said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vigil.evaluation.summary import FUSED, Entry
from vigil.footage.video_table import Video
from vigil.report import plots
from vigil.report.film import SMALL, Film
from vigil.report.markup import Markup, element, join
from vigil.report.parts import count, folded, image, note, seconds, swatch
from vigil.statistics.events import Outcome
from vigil.statistics.scores import Scores

PICTURES = 4_000_000  # bytes of thumbnails, about
THUMBNAIL = 4_600  # bytes, about, of one in a page
MOST = 6  # thumbnails of a video


@dataclass(frozen=True, eq=False)
class Said:
    """What one model says of the test split, ready to be looked up by video."""

    entry: Entry
    colour: int

    @cached_property
    def table(self) -> Scores:
        assert self.entry.test is not None
        return self.entry.test

    @cached_property
    def places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.table.video.tolist())}

    @cached_property
    def p(self) -> np.ndarray:
        """(N,) calibrated."""
        assert self.entry.calibration is not None
        return self.entry.calibration.probability(self.table.score)

    @cached_property
    def threshold(self) -> float | None:
        """As a probability."""
        made = self.entry.calibration
        if made is None or made.threshold is None:
            return None
        return float(made.probability(np.array([made.threshold]))[0])

    @cached_property
    def outcome(self) -> Outcome | None:
        operating = self.entry.operating
        return None if operating is None else operating.outcome(self.table)

    def judges(self, video: str) -> bool:
        return video in self.places and bool(self.table.klass[self.places[video]] >= 0)

    def alerts(self, video: str) -> list[tuple[float, float]]:
        if self.outcome is None:
            return []
        starts, stops = self.outcome.alerts.of(self.places[video])
        return list(zip(starts.tolist(), stops.tolist(), strict=True))


def said(entries: Sequence[Entry], colours: Mapping[str, int]) -> list[Said]:
    """The models that say how abnormal a frame is."""
    return [Said(one, colours[one.name]) for one in entries if one.alarms and one.test is not None]


def timelines(
    videos: Sequence[Video], models: Sequence[Said], namers: Sequence[Entry], film: Film, most: int
) -> Markup:
    """All videos by label, those that are judged worst first; at most so many of them."""
    kept = sorted(videos, key=lambda video: -_badness(video, models))[:most]
    many = max(1, min(MOST, PICTURES // (THUMBNAIL * max(len(kept), 1))))
    groups: dict[str, list[Video]] = {}
    for video in kept:
        groups.setdefault(video.label, []).append(video)
    shown = [
        folded(
            join([f"{label} ", element("span", _of_label(groups[label], models), class_="soft")]),
            *(_video(video, models, namers, film, many) for video in groups[label]),
            opened=number == 0,
        )
        for number, label in enumerate(sorted(groups, key=lambda label: (label == "normal", label.lower())))
    ]
    left = len(videos) - len(kept)
    return join(
        [_key(), note(f"{count(left, 'more video')}, judged better than these, not shown.") if left else None, *shown]
    )


def _video(video: Video, models: Sequence[Said], namers: Sequence[Entry], film: Film, many: int) -> Markup:
    end_s = float(video.duration_s)
    spans = [(float(start), float(stop)) for start, stop in video.spans] if video.abnormal else []
    rows: list[object] = []
    strip = film.strip(video.video, many, SMALL)
    if strip:
        pictures = [image(address, f"at {seconds(time)}") for time, address in strip]
        rows += [element("span", class_="name"), element("div", *pictures, class_="film")]
    told = "abnormal " + ", ".join(f"{seconds(a)} to {seconds(b)}" for a, b in spans) if spans else "normal throughout"
    if video.abnormal and not spans:
        told = "abnormal, nobody said when"
    rows += [element("span", "truth", class_="name"), plots.truth(spans, 0.0, end_s, told)]
    judging = [one for one in models if one.judges(video.video)]
    for one in judging:
        rows += [
            element("span", swatch(one.entry.name, one.colour), class_="name", title=one.entry.name),
            _track(one, video, end_s),
        ]
    rows.append(
        element("div", element("span", "0 s"), element("span", seconds(end_s)), class_="clock", aria_hidden="true")
    )
    others = [one.entry.name for one in models if not one.judges(video.video)]
    lines = [*_named(video, namers), *([f"Outside the classes of {', '.join(others)}."] if others else [])]
    return element(
        "article",
        element("h4", video.stem, element("span", _verdict(video, models), class_="soft small")),
        element("div", *rows, class_="lanes"),
        element("p", " ".join(lines), class_="soft small") if lines else None,
        class_="video",
    )


def _track(one: Said, video: Video, end_s: float) -> Markup:
    part = one.table.part(one.places[video.video])
    p, alerts = one.p[part], one.alerts(video.video)
    if not np.isfinite(p).any():
        told = f"{one.entry.name}: no score in any frame"
    else:
        peak = int(np.nanargmax(p))
        told = f"{one.entry.name}: highest {p[peak]:.2f} at {seconds(float(one.table.time_s[part][peak]))}; "
        told += "alarm " + ", ".join(f"{seconds(a)} to {seconds(b)}" for a, b in alerts) if alerts else "no alarm"
    times = one.table.time_s[part]
    return plots.track(
        plots.Track(times, max(end_s, float(times[-1]) if len(times) else 0.0), p, one.threshold, alerts),
        told,
        one.colour,
    )


def _verdict(video: Video, models: Sequence[Said]) -> str:
    """Of the fused detector, or of the only model."""
    one = _leader(models)
    if one is None or not one.judges(video.video):
        return f"{video.source}"
    found, missed, false = _tally([video], one)
    words = [f"{count(found, 'event')} found"] * bool(found) + [f"{count(missed, 'event')} missed"] * bool(missed)
    words += [count(false, "false alarm")] * bool(false) or ([] if words else ["quiet, as it should be"])
    return f"{video.source} · {one.entry.name}: {', '.join(words)}"


def _of_label(videos: Sequence[Video], models: Sequence[Said]) -> str:
    one = _leader(models)
    text = f"· {count(len(videos), 'video')}"
    if one is None:
        return text
    found, missed, false = _tally(videos, one)
    parts = [f"{found} of {found + missed} events found"] * bool(found + missed) + [count(false, "false alarm")]
    return f"{text} · {one.entry.name}: {', '.join(parts)}"


def _tally(videos: Sequence[Video], one: Said) -> tuple[int, int, int]:
    """Events found and missed, false alarms."""
    if one.outcome is None:
        return 0, 0, 0
    wanted = [one.places[video.video] for video in videos if one.judges(video.video)]
    events = np.isin(one.outcome.events.video, wanted)
    found = np.isfinite(one.outcome.delay_s)
    false = one.outcome.false[np.isin(one.outcome.alerts.video, wanted)]
    return int((events & found).sum()), int((events & ~found).sum()), int(false.sum())


def _leader(models: Sequence[Said]) -> Said | None:
    return next((one for one in models if one.entry.name == FUSED), models[0] if models else None)


def _badness(video: Video, models: Sequence[Said]) -> float:
    """How much the models that judge it are wrong about it, so that a cut leaves the worst."""
    gaps = []
    for one in models:
        if one.judges(video.video):
            p = one.p[one.table.part(one.places[video.video])]
            top = float(np.nanmax(p)) if np.isfinite(p).any() else 0.0
            gaps.append(1 - top if video.abnormal else top)
    return round(sum(gaps) / len(gaps), 6) if gaps else 0.0


def _named(video: Video, namers: Sequence[Entry]) -> list[str]:
    """What the models that name classes make of it."""
    lines = []
    for one in namers:
        table = one.test
        if table is None or not table.classes.shape[1] or video.video not in table.video.tolist():
            continue
        place = table.video.tolist().index(video.video)
        logits = table.classes[place]
        if table.klass[place] < 0 or not np.isfinite(logits).all():
            continue
        made = one.calibration
        scaled = logits / (made.temperature if made is not None and made.temperature else 1.0)
        share = np.exp(scaled - scaled.max())
        best = int(share.argmax())
        name = one.classes[best] if best < len(one.classes) else str(best)
        right = "right" if best == int(table.klass[place]) else "wrong"
        lines.append(f"{one.name} names it {name} ({share[best] / share.sum():.0%} sure, {right}).")
    return lines


def _key() -> Markup:
    return element(
        "ul",
        element("li", element("i", class_="is-true"), "truly abnormal"),
        element("li", element("i", class_="is-area"), "calibrated probability, 0 to 1"),
        element("li", element("i", class_="is-threshold"), "frozen threshold"),
        element("li", element("i", class_="is-alarm"), "alarm on"),
        class_="key",
    )
