"""What changes no metric: the order of videos, a rising map of the scores. And what does: labels without meaning."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import city, point_at, scores, video

from vigil.evaluation.metrics import evaluate, statistics
from vigil.statistics.scores import Scores


@given(st.integers(0, 10**6), st.randoms())
def test_the_order_of_the_videos_changes_nothing(seed: int, random) -> None:
    table = city(seed, sources=5, each=2, frames=12)
    order = list(range(len(table.video)))
    random.shuffle(order)
    mixed = shuffled(table, order)
    first, other = evaluate(table, point_at(1.0), rounds=40), evaluate(mixed, point_at(1.0), rounds=40)
    for name, interval in first.metrics.items():
        for bound in ("value", "low", "high"):
            value_before, value_after = getattr(interval, bound), getattr(other.metrics[name], bound)
            assert value_before == value_after or value_before == pytest.approx(value_after), name
    assert (first.counts, first.confusion, first.classes, first.sources) == (
        other.counts, other.confusion, other.classes, other.sources,
    )  # fmt: skip


def shuffled(table: Scores, order: list[int]) -> Scores:
    frames = np.concatenate([np.arange(table.offsets[k], table.offsets[k + 1]) for k in order])
    columns = {name: getattr(table, name)[order] for name in ("video", "label", "source", "class_index", "video_score")}
    columns |= {name: getattr(table, name)[frames] for name in ("time_s", "truth", "score")}
    return Scores.of(columns | {"offsets": np.append(0, np.cumsum(table.frames[order]))})


@given(st.integers(0, 10**6))
def test_a_rising_map_of_scores_and_threshold_changes_nothing(seed: int) -> None:
    table = city(seed, sources=4, each=2, frames=12)
    mapped = replace(table, **{n: np.exp(getattr(table, n)) - 3 for n in ("score", "noncausal", "video_score")})
    first, other = statistics(table, point_at(1.0)), statistics(mapped, point_at(float(np.exp(1.0)) - 3))
    assert {name: statistic.value for name, statistic in first.items()} == {
        name: pytest.approx(statistic.value) for name, statistic in other.items()
    }


def test_scaling_by_video_is_not_done_here() -> None:
    # trap 5: min-max by video would tell that the flat, low video b peaks somewhere too
    table = scores([video("a", [0, 1], [0, 10]), video("b", [0, 0], [0, 0.1])])
    scaled = scores([video("a", [0, 1], [0, 1]), video("b", [0, 0], [0, 1])])
    assert statistics(table)["frame_auc_micro"].value == 1
    assert statistics(scaled)["frame_auc_micro"].value == pytest.approx(5 / 6)


def test_shuffled_labels_score_chance_within_the_interval() -> None:
    table = city(1, sources=30, each=4, skill=0, camera=0)
    area = evaluate(table, point_at(2.0)).metrics["frame_auc_micro"]
    assert area.low is not None and area.high is not None and area.low <= 0.5 <= area.high
    assert area.high - area.low < 0.1


def test_what_is_told_is_rounded_and_the_same_again() -> None:
    table = city(3)
    metrics = evaluate(table, point_at(1.5)).to_json()
    assert metrics == evaluate(table, point_at(1.5)).to_json()
    assert set(metrics["video_auc"]) == {"value", "low", "high", "n"}
    assert metrics["frame_ap"]["value"] == round(metrics["frame_ap"]["value"], 6)
