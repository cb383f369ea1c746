"""One page that says what was found and how far to believe it. It needs no network, no script and no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigil.evaluation.summary import FUSED, Entry
from vigil.footage.video_table import Video
from vigil.report.data_section import describe_data, describe_features
from vigil.report.film import Film
from vigil.report.model_scores import scores_by_model
from vigil.report.model_section import describe_model
from vigil.report.rendering import render
from vigil.report.results_section import describe_pairs, describe_results
from vigil.report.video_section import group_videos
from vigil.report.words import NOTHING, format_basis, format_number, quantity

SECTIONS = {
    "results": "Results",
    "protocol": "How to read this",
    "pairs": "Model against model",
    "data": "Data",
    "videos": "Every test video",
    "models": "Model by model",
    "features": "Features",
    "caveats": "Caveats",
}


@dataclass(frozen=True, eq=False)
class Findings:
    """The results that the page is made of."""

    summary: Mapping[str, Any]
    entries: Sequence[Entry]  # the fused detector first, if there is one
    videos: Sequence[Video]  # of the test split
    card: Mapping[str, Any] | None = None  # metrics/data.json
    features: Mapping[str, Mapping[str, Any]] | None = None  # metrics of the features, by name


def render_report(findings: Findings, film: Film, video_limit: int) -> str:
    """Renders the page, with at most `video_limit` videos."""
    fused_last = sorted(findings.entries, key=lambda entry: entry.name == FUSED)
    colours = {entry.name: number for number, entry in enumerate(fused_last)}
    scores = scores_by_model(findings.entries, colours)
    namers = [entry for entry in findings.entries if entry.test is not None and entry.test.classes.shape[1] > 2]
    summary = findings.summary
    fused = {FUSED: summary[FUSED]} if FUSED in summary else {}
    models = {**fused, **summary["models"]}
    return render(
        "page.html.j2",
        sections=SECTIONS,
        lead=_lead(findings.videos, models),
        facts=_facts(findings.videos, models),
        results=describe_results(models, colours),
        fused_models=summary[FUSED]["models"] if fused else [],
        pairs=describe_pairs(summary.get("pairs", {})),
        data=None if findings.card is None else describe_data(findings.card),
        video_count=len(findings.videos),
        hidden_videos=max(len(findings.videos) - video_limit, 0),
        video_groups=group_videos(findings.videos, list(scores.values()), namers, film, video_limit),
        models=[describe_model(entry, scores.get(entry.name), colours[entry.name], film) for entry in findings.entries],
        features=None if not findings.features else describe_features(findings.features),
        warnings=[
            f"{line[0].upper()}{line[1:]}."
            for line in (*summary.get("unnamed_labels", []), *(findings.card or {}).get("warnings", []))
        ],
        weaknesses=[
            (entry.name, note)
            for entry in findings.entries
            for note in entry.metrics.get("notes", [])
            if "does not beat" in str(note)
        ],
        source_count=_source_count(findings.videos),
        drawn=any(video.drawn for video in findings.videos),
    )


def _lead(videos: Sequence[Video], models: Mapping[str, Any]) -> str:
    if not videos:
        return "There is no video in the test split, so nothing can be said of any model."
    measured = [name for name, model in models.items() if model["value"] is not None and name != FUSED]
    better = [name for name in measured if models[name].get("beats_baselines")]
    verdict = (
        f"Clearly better than what needs no model: {', '.join(better)}."
        if better
        else "None is clearly better than what needs no model."
    )
    return (
        f"{quantity(len(measured), 'model')} judged {quantity(len(videos), 'video')} of "
        f"{quantity(_source_count(videos), 'source')} (cameras) that none of them was trained on. {verdict}"
    )


def _facts(videos: Sequence[Video], models: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns counts of videos, and the few numbers of the fused detector, each with its name."""
    minutes = float(sum(video.watched_s for video in videos)) / 60
    facts = [
        ("test videos", f"{len(videos)}"),
        ("of them abnormal", f"{sum(video.abnormal for video in videos)}"),
        ("sources", f"{_source_count(videos)}"),
        ("minutes", f"{minutes:.1f}"),
    ]
    fused = models.get(FUSED, {"value": None})
    if fused["value"] is not None:
        facts.append(("fused, video AUC", format_number(fused["value"])))
        for metric, words in (
            ("event_recall", "fused, events found"),
            ("false_alarms_per_hour", "fused, false alarms/h"),
            ("alarmed_share", "fused, normal time alarmed"),
        ):
            measured = fused.get(metric, {})
            if measured.get("value") is not None:
                facts.append((words, format_number(measured["value"], metric)))
                facts.append(("its 95 % interval", format_basis(measured) or NOTHING))
    return facts


def _source_count(videos: Sequence[Video]) -> int:
    return len({video.source for video in videos})
