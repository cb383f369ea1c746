"""The part of the report that is about what the models look at: videos, splits, leaks, and the quality of features."""

from collections.abc import Mapping
from typing import Any

from vigil.footage.video_table import SPLITS
from vigil.report.markup import element
from vigil.report.parts import count, folded, note, table
from vigil.report.results import NOTHING, number, within


def contents(card: Mapping[str, Any] | None) -> list[object]:
    if card is None:
        return [note("There is no dataset card: metrics/data.json is missing. Run `dvc repro manifest`.")]
    splits = card["splits"]
    shown = (("videos", "videos"), ("sources", "sources"), ("hours", "minutes"), ("abnormal_hours", "abnormal minutes"))
    rows = []
    for split in SPLITS:
        cells = [
            f"{60 * splits[split].get(key, 0):.1f}" if "hours" in key else splits[split].get(key, 0) for key, _ in shown
        ]
        rows.append([split, *cells])
    classes = [
        [label, *(f"{of[split].get('videos', 0)} / {of[split].get('sources', 0)}" for split in SPLITS)]
        for label, of in card["classes"].items()
    ]
    leaks = card["leaks"]
    pairs = [element("li", str(pair)) for pair in leaks.get("pairs", [])]
    audit = (
        f"Leak audit: {count(leaks['found'], 'pair')} of videos alike across splits found, "
        f"{leaks['allowed']} allowed by name, "
        f"{leaks.get('not_compared', 0)} not compared. Rejected videos: {card['rejects']}."
    )
    return [
        table("Splits; no source is in two of them", ["split", *(name for _, name in shown)], rows),
        element("p", audit),
        element("ul", *pairs) if pairs else None,
        folded("Every label: videos / sources by split", table("Videos / sources", ["label", *SPLITS], classes)),
        *_shortcuts(card.get("shortcuts", {})),
    ]


def _shortcuts(found: Mapping[str, Any]) -> list[object]:
    """A set in which they could not be measured has a sentence that says why."""
    reasons: list[object] = [
        element("p", f"{name}: shortcuts {kinds}.") for name, kinds in found.items() if isinstance(kinds, str)
    ]
    rows = [
        [
            f"{name}: {what.replace('_', ' ')}",
            number(of.get("auc")),
            number(of.get("accuracy")),
            number(of.get("chance")),
        ]
        for name, kinds in found.items()
        if not isinstance(kinds, str)
        for what, of in kinds.items()
    ]
    if not rows:
        return reasons
    caption = "What gives the label away without a look at the content"
    shown = table(caption, ["set: what", "AUC", "accuracy", "chance"], rows)
    return [folded("Shortcuts in the data", shown), *reasons]


def features(quality: Mapping[str, Mapping[str, Any]]) -> list[object]:
    if not quality:
        return [element("p", "Nothing is known of how good the features are: no set has a truth to compare them with.")]
    shown: list[object] = [
        element(
            "p",
            "How good the features are that the models look at, where the truth is known (the drawn sample). "
            "Nothing is chosen by these numbers.",
        )
    ]
    for name, told in quality.items():
        rows = _flat(told)
        if rows:
            shown.append(folded(name, table(f"{name}, against the truth", ["figure", "value", "95 % interval"], rows)))
        elif told.get("reason"):
            shown.append(element("p", f"{name}: {told['reason']}."))
    return shown


def _flat(told: Mapping[str, Any], above: str = "") -> list[list[object]]:
    """Figures of any depth; breakdowns by source and label stay in the files."""
    rows: list[list[object]] = []
    for key, of in told.items():
        name = f"{above}{key.replace('_', ' ')}"
        if isinstance(of, Mapping) and "value" in of:
            rows.append([name, number(of["value"]), within(of) or NOTHING])
        elif isinstance(of, Mapping) and not key.startswith("by_"):
            rows += _flat(of, f"{name}: ")
        elif isinstance(of, int | float) and not isinstance(of, bool):
            rows.append([name, f"{of:g}", NOTHING])
    return rows
