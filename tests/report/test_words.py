"""Metrics in words."""

import pytest

from vigil.report.words import (
    baseline_verdict,
    describe_metric,
    format_basis,
    format_interval,
    format_number,
    quantity,
)


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (None, "video_auc", "–"),
        (0.5, "video_auc", "0.500"),
        (78.5, "false_alarms_per_hour", "78.5"),
    ],
)
def test_a_number_has_the_digits_that_mean_something(value: float | None, metric: str, text: str) -> None:
    assert format_number(value, metric) == text


def test_a_metric_with_later_frames_in_view_is_called_so() -> None:
    assert describe_metric("noncausal_frame_ap").name == "frame AP (non-causal)"
    assert describe_metric("new_metric").name == "new metric"
    assert describe_metric("video_precision_at_5")[:2] == (
        "precision at 5", "abnormal ones among the 5 videos that score highest",
    )  # fmt: skip


def test_an_interval_with_an_open_end_is_not_shown() -> None:
    assert format_interval({"low": 0.8, "high": 0.97}) == "0.8 to 0.97"
    assert format_interval({"low": 219.4, "high": 1884.2}) == "219 to 1884"
    assert format_interval({"low": 0.8, "high": None}) == format_interval({}) == ""


def test_a_rate_stands_with_what_it_was_counted_from() -> None:
    assert format_basis({"low": 33.7, "high": 427.6, "alarms": 5, "minutes": 1.637}) == "33.7 to 428; 5 in 1.6 min"
    assert format_basis({"low": 0.8, "high": 0.97}) == "0.8 to 0.97" and format_basis({}) == ""


@pytest.mark.parametrize(
    ("beats", "difference", "verdict"),
    [(True, 0.2, "yes"), (False, 0.2, "not clearly"), (False, -0.1, "no"), (None, None, "–")],
)
def test_a_model_below_its_baseline_does_not_beat_it(
    beats: bool | None, difference: float | None, verdict: str
) -> None:
    baseline = None if difference is None else {"apart": {"value": difference}}
    assert baseline_verdict({"beats_baselines": beats, "baseline": baseline}) == verdict


def test_only_one_is_singular() -> None:
    assert [quantity(count, "video") for count in (0, 1, 1200)] == ["0 videos", "1 video", "1,200 videos"]
