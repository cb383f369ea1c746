"""Segments to the class of a clip: as the pipeline does it, and with an offset that only the inner fold has chosen."""

import numpy as np
import pytest

from vigil.benchmark.landmarks.decisions import choose_offset, clip_logits, decide
from vigil.benchmark.outcome import Verdicts, draw_within_classes, summarise
from vigil.judging.judgements import Judgement
from vigil.judging.scoring import class_logits
from vigil.models.blocks.layers import Clip
from vigil.models.checkpoint import Card
from vigil.models.pose_lstm import Config

DEEDS = {"theft": ("theft",), "assault": ("assault",)}
LIFE = {"normal": ("normal",), **DEEDS}


@pytest.mark.parametrize("classes", [DEEDS, LIFE])
def test_a_clip_is_decided_as_the_pipeline_decides_a_video(classes: dict[str, tuple[str, ...]]) -> None:
    logits = np.random.default_rng(0).normal(size=(11, len(classes))).astype(np.float32)
    card = Card("pose_lstm", Config(), classes, Clip(16), "segments", {}, "", 0, [], [])
    odds = np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0]
    judgements = [
        Judgement(number, number + 16, float(score), float(score), classes=row)
        for number, (score, row) in enumerate(zip(odds, logits, strict=True))
    ]
    expected = class_logits(card, judgements)
    assert clip_logits(logits, np.zeros(11, int), classes)[0] == pytest.approx(expected, abs=1e-6)
    mean = logits.mean(axis=0)
    assert (clip_logits(logits, np.zeros(11, int), classes)[0] == pytest.approx(mean, abs=1e-6)) == (classes is DEEDS)


def test_normal_life_may_have_to_look_more_normal_than_it_thinks() -> None:
    """Margins of normal clips are 1 and 2, of deeds 4 and 5: with 3 more for normal all are told apart."""
    logits = np.array([[0.0, 1, -9], [0, 2, -9], [0, 4, -9], [0, -9, 5]])
    truth = np.array([0, 0, 1, 2])
    assert decide(logits, 0.0, LIFE).tolist() == [1, 1, 1, 2]
    offset = choose_offset(logits, truth, LIFE)
    assert offset == pytest.approx(3.0)
    assert decide(logits, offset, LIFE).tolist() == truth.tolist()
    assert choose_offset(logits[:, 1:], truth[2:] - 1, DEEDS) == 0


def test_balanced_accuracy_counts_classes_and_not_clips() -> None:
    truth, source = np.array([0, 0, 0, 1]), np.array(["a", "b", "b", "c"])
    verdicts = Verdicts(np.array([[0, 0, 0, 0], [0, 0, 1, 1]]), truth, source)
    assert verdicts.accuracy_by_seed() == pytest.approx([0.5, (2 / 3 + 1) / 2])
    assert verdicts.statistic(["a", "b", "c"], 2).value == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert verdicts.confusion(2) == [[2.5, 0.5], [0.5, 0.5]]


def test_no_draw_loses_a_class() -> None:
    truth = np.repeat([0, 1], [10, 2])
    source = np.array([f"s{number:02d}" for number in range(12)])
    weights = draw_within_classes(Verdicts(truth[None], truth, source), sorted(source), 200, 0)
    assert (weights[:, :10].sum(axis=1) == 10).all() and (weights[:, 10:].sum(axis=1) == 2).all()


def test_a_model_no_better_than_a_baseline_has_no_clear_lead() -> None:
    truth = np.repeat([0, 1], 20)
    source = np.array([f"s{number:02d}" for number in range(40)])
    rng = np.random.default_rng(0)
    right, coin = (Verdicts(predicted[None], truth, source) for predicted in (truth, rng.integers(0, 2, 40)))
    record = summarise(
        {"good": right, "coin": coin}, {}, {"majority": Verdicts(truth[None] * 0, truth, source)}, ["a", "b"]
    )
    assert record["models"]["good"]["lead"]["clear"] == 1
    assert record["models"]["coin"]["lead"]["clear"] == 0
    assert record["baselines"]["majority"]["value"] == 0.5
