"""What the report says about the data."""

from typing import Any

from verdicts import card

from vigil.report.data_section import describe_data, describe_features


def test_shortcuts_that_could_not_be_measured_are_told_with_the_reason() -> None:
    """As the card of a small set has them: a sentence in place of numbers."""
    reason = "not measured: 8 videos from 7 sources"
    shortcuts: dict[str, Any] = {"small": reason}
    section = describe_data({**card(), "shortcuts": shortcuts})
    assert section.not_measured == [f"small: shortcuts {reason}."] and section.shortcuts is None
    shortcuts["large"] = {"clip_length": {"auc": 0.5, "accuracy": 0.2, "chance": 0.2}}
    section = describe_data({**card(), "shortcuts": shortcuts})
    assert section.shortcuts is not None
    assert section.shortcuts.rows == [["large: clip length", "0.500", "0.200", "0.200"]]


def test_figures_of_features_lie_flat_and_breakdowns_stay_in_the_files() -> None:
    metrics = {
        "texture": {"error_px": 0.25},
        "recall": {"value": 0.9, "low": 0.8, "high": 0.95},
        "by_label": {"a": {"n": 1}},
    }
    section = describe_features({"flow": metrics, "people": {"reason": "no truth"}})
    assert section[0].table is not None
    assert section[0].table.rows == [["texture: error px", "0.25", "–"], ["recall", "0.900", "0.8 to 0.95"]]
    assert section[1].table is None and section[1].reason == "no truth"
