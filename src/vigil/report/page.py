"""One page that says what was found and how far to believe it. It needs no network, no script and no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigil.evaluation.summary import FUSED, Entry
from vigil.footage.video_table import Video
from vigil.report import plots
from vigil.report.data_section import contents, features
from vigil.report.film import Film
from vigil.report.markup import Markup, element, join
from vigil.report.model_section import about
from vigil.report.parts import count, facts, note, section, swatch, table, value
from vigil.report.results import NOTHING, beats, number, within, word
from vigil.report.style import STYLE
from vigil.report.video_section import said, timelines

CONTENTS = (
    ("results", "Results"),
    ("protocol", "How to read this"),
    ("pairs", "Model against model"),
    ("data", "Data"),
    ("videos", "Every test video"),
    ("models", "Model by model"),
    ("features", "Features"),
    ("caveats", "Caveats"),
)
BESIDE = ("frame_auc_abnormal", "event_recall", "delay_s", "false_alarms_per_hour")
PROTOCOL = (
    "The test split was opened once thresholds had been frozen on validation; each calibration carries a hash, and is "
    "refused with other weights or settings.",
    "A score of a moment knows no later one. Numbers of scores that do are called non-causal, and are in no headline.",
    "Intervals are of 95 %: whole sources (cameras) are drawn anew, for videos of one source are alike. With few "
    "sources they are wide, and should be.",
    "Baselines need no model: length of the video, place in the video, motion, motion where normal video has none, "
    "number of people, chance. What does not beat them has shown nothing. The oracle that knows each video's label is "
    "shown too, and is no rival.",
    "Where nobody is seen, or nothing is known yet, there is no score, and no alarm.",
)


@dataclass(frozen=True, eq=False)
class Found:
    """All that the page tells."""

    summary: Mapping[str, Any]
    entries: Sequence[Entry]  # the fused detector first, if there is one
    videos: Sequence[Video]  # of the test split
    card: Mapping[str, Any] | None = None  # metrics/data.json
    quality: Mapping[str, Mapping[str, Any]] | None = None  # metrics of the features, by name


def page(found: Found, film: Film, most: int) -> str:
    """The whole file. `most` videos are shown at most."""
    colours = {entry.name: number for number, entry in enumerate(_last_first(found.entries))}
    models = said(found.entries, colours)
    by_name = {one.entry.name: one for one in models}
    namers = [entry for entry in found.entries if entry.test is not None and entry.test.classes.shape[1] > 2]
    told = {**({FUSED: found.summary[FUSED]} if FUSED in found.summary else {}), **found.summary["models"]}
    body = [
        section("results", "Results", *_results(told, colours)),
        section("protocol", "How to read this", element("ul", *(element("li", line) for line in PROTOCOL))),
        section("pairs", "Model against model", *_pairs(found.summary)),
        section("data", "Data", *contents(found.card)),
        section("videos", "Every test video", *_videos(found, timelines(found.videos, models, namers, film, most))),
        section(
            "models",
            "Model by model",
            *(about(entry, by_name.get(entry.name), colours[entry.name], film) for entry in found.entries),
        ),
        section("features", "Features", *features(found.quality or {})),
        section("caveats", "Caveats", *_caveats(found)),
    ]
    return _whole(found, told, body)


def _last_first(entries: Sequence[Entry]) -> list[Entry]:
    """The fused detector takes the last, neutral colour."""
    return sorted(entries, key=lambda entry: entry.name == FUSED)


def _whole(found: Found, told: Mapping[str, Any], body: Sequence[Markup]) -> str:
    title = "vigil: what was found"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        ),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", Markup(STYLE.strip())),
    )
    links = element(
        "nav",
        element("ul", *(element("li", element("a", name, href=f"#{key}")) for key, name in CONTENTS)),
        aria_label="Contents",
    )
    banner = element(
        "header",
        element("a", "Skip to the results", href="#results", class_="skip"),
        element("h1", "What vigil found, and how far to believe it"),
        element("p", _lead(found, told), class_="lead"),
        _facts(found, told),
        links,
    )
    footer = element(
        "footer", "Made by stage compare from metrics/ and data/scores/. Anybody can recompute every number from there."
    )
    page = element("html", head, element("body", banner, element("main", *body), footer), lang="en")
    return f"<!doctype html>\n{page}\n"


def _lead(found: Found, told: Mapping[str, Any]) -> str:
    if not found.videos:
        return "There is no video in the test split, so nothing can be said of any model."
    sources = len({video.source for video in found.videos})
    rated = [name for name, model in told.items() if model["value"] is not None and name != FUSED]
    clear = [name for name in rated if told[name].get("beats_baselines")]
    return (
        f"{count(len(rated), 'model')} judged {count(len(found.videos), 'video')} of {count(sources, 'source')} "
        "(cameras) "
        "that none of them was trained on. "
        + (
            f"Clearly better than what needs no model: {', '.join(clear)}."
            if clear
            else "None is clearly better than what needs no model."
        )
    )


def _facts(found: Found, told: Mapping[str, Any]) -> Markup:
    seconds = float(sum(video.duration_s for video in found.videos))
    pairs: list[tuple[str, object]] = [
        ("test videos", len(found.videos)),
        ("of them abnormal", sum(video.abnormal for video in found.videos)),
        ("sources", len({video.source for video in found.videos})),
        ("minutes", f"{seconds / 60:.1f}"),
    ]
    if FUSED in told and told[FUSED]["value"] is not None:
        pairs += [("fused, video AUC", number(told[FUSED]["value"]))]
        for key, name in (("event_recall", "fused, events found"), ("false_alarms_per_hour", "fused, false alarms/h")):
            if (one := told[FUSED].get(key, {}).get("value")) is not None:
                pairs.append((name, f"{one:.0%}" if key == "event_recall" else number(one, key)))
    return facts(pairs)


def _results(told: Mapping[str, Any], colours: Mapping[str, int]) -> list[object]:
    if not any(model["value"] is not None for model in told.values()):
        reasons = [f"{name}: {model.get('reason', 'nothing to measure')}." for name, model in told.items()]
        return [note("No model has a result.", *reasons)]
    forest: list[object] = []
    for name, model in told.items():
        best = model.get("baseline") or {}
        heard = (
            f"{name}: {word(model['headline']).name} {number(model['value'])}, interval {within(model) or 'unknown'}"
        )
        row = plots.Row(
            name, model["value"], model.get("low"), model.get("high"), best.get("value"), heard, colours.get(name, 7)
        )
        caption = join([number(model["value"]), " ", element("span", word(model["headline"]).name, class_="soft")])
        cells = (
            element("span", swatch(name, row.colour), class_="name"),
            plots.interval(row),
            element("span", caption, class_="value"),
        )
        forest.append(element("div", *cells, class_="row"))
    scale = element("div", *(element("span", f"{tick:g}") for tick in (0, 0.25, 0.5, 0.75, 1)), class_="scale")
    forest.append(element("div", scale, class_="row", aria_hidden="true"))
    legend = "Each dot is a model, its bar the 95 % interval, the dashed tick the best that needs no model."
    head = ["model, known by", "value", "best without a model", "beats it", *(word(key).name for key in BESIDE)]
    rows = []
    for name, model in told.items():
        best = model.get("baseline")
        verdict = beats(model)
        beside = (
            element("td", number(best["value"]), element("small", best["name"].replace("_", " "))) if best else NOTHING
        )
        rows.append(
            [
                join([element("a", name, href=f"#model-{name}"), element("small", word(model["headline"]).name)]),
                value(model, model["headline"]),
                beside,
                element("td", verdict, class_={"yes": "good", "no": "bad"}.get(verdict)),
                *(value(model.get(key), key) for key in BESIDE),
            ]
        )
    missing = [f"{name}: {model['reason']}." for name, model in told.items() if model.get("reason")]
    return [
        element("p", legend, class_="small soft"),
        element("div", *forest, class_="forest"),
        table("All models on the test split, at frozen thresholds", head, rows),
        note(*missing) if missing else None,
    ]


def _pairs(summary: Mapping[str, Any]) -> list[object]:
    pairs = summary.get("pairs", {})
    fused = summary.get(FUSED)
    text = [
        element(
            "p",
            "The fused detector is a logistic regression over the calibrated probabilities of "
            f"{', '.join(fused['models'])}, fitted on validation.",
        )
        if fused
        else element("p", "There is no fused detector: it takes two models that say how abnormal a moment is.")
    ]
    if not pairs:
        return [*text, element("p", "No two models answer the same question on the same videos.")]
    rows = []
    for name, apart in pairs.items():
        one, other = name.split(" over ")
        verdict = {1: f"{one} is better", -1: f"{other} is better", 0: "not told apart"}[apart["clear"]]
        signed = f"{apart['value']:+.3f}"
        span = f"{apart['low']:+.3f} to {apart['high']:+.3f}" if apart.get("low") is not None else NOTHING
        rows.append([f"{one} – {other}", word(apart["metric"]).name, signed, span, number(apart.get("p")), verdict])
    odds = (
        f"Of {count(len(rows), 'comparison')}, one in twenty would look clear by chance alone."
        if len(rows) > 4
        else None
    )
    caption = "Differences on the videos that both judge, both under the same draws of the sources"
    return [
        *text,
        table(caption, ["pair", "metric", "difference", "95 % interval", "p", "verdict"], rows),
        element("p", odds) if odds else None,
    ]


def _videos(found: Found, shown: Markup) -> list[object]:
    if not found.videos:
        return [note("The test split holds no video.")]
    return [
        element(
            "p", "Folded by label. Each lane is one model; those that answer another question are left out of a video."
        ),
        shown,
    ]


def _caveats(found: Found) -> list[object]:
    lines: list[object] = [f"{line[0].upper()}{line[1:]}." for line in (found.card or {}).get("warnings", [])]
    for entry in found.entries:
        weak = [line for line in entry.metrics.get("notes", []) if "does not beat" in str(line)]
        lines += [join([element("b", entry.name), f" {line}."]) for line in weak]
    sources = len({video.source for video in found.videos})
    if found.videos:
        lines.append(
            f"Results hold for {count(sources, 'source')} like these. A camera of another height, light or lens is "
            "another test: judge on your own video before you rely on it (`vigil evaluate`)."
        )
    if any(video.set == "sample" for video in found.videos):
        lines.append(
            "The sample is drawn, not filmed: it shows that every part works and what each can learn, "
            "not how well it does on real footage."
        )
    return [element("ul", *(element("li", line) for line in lines))]
