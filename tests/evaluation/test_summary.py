"""Several models as one: what `calibrate.base_rate` may change, and what it may not."""

from dataclasses import replace

import numpy as np
import pytest
from tables import city, params_of

from vigil.evaluation.summary import Entry, Fused, fuse
from vigil.judging.calibration_fit import fit_calibration
from vigil.statistics.reliability import logit
from vigil.statistics.scores import Scores


def entry(name: str, val: Scores, test: Scores, base_rate: float | None) -> Entry:
    calibration = fit_calibration(val, "logits", params_of(budget=60.0, base_rate=base_rate), name, "s")
    return Entry(name, {}, test, val, {}, calibration)


def fused_at(base_rate: float | None) -> tuple[list[Entry], Fused]:
    """Two models of opposite errors; their scores are so far apart that a low base rate leaves the range of odds."""
    entries = []
    for seed, name in enumerate(("a", "b")):
        val, test = (city(number, sources=12, skill=3.0, camera=0.0) for number in (0, 1))
        rng = np.random.default_rng(seed)
        noisy = [
            replace(table, score=score, noncausal=score, video_score=np.maximum.reduceat(score, table.offsets[:-1]))
            for table in (val, test)
            for score in [table.score + 0.5 * rng.normal(size=len(table.score))]
        ]
        entries.append(entry(name, *noisy, base_rate))
    fused = fuse(entries, rounds=100, seed=7)
    assert fused is not None
    return entries, fused


def alarms(entries: list[Entry], fused: Fused) -> list[list[tuple[int, float, float]]]:
    tables = [(each.operating_point, each.test) for each in entries]
    tables.append((fused.calibration.operating_point, fused.test))
    found = []
    for operating_point, table in tables:
        assert operating_point is not None and table is not None
        alerts = operating_point.outcome(table).alerts
        found.append(list(zip(alerts.video.tolist(), alerts.start_s.tolist(), alerts.stop_s.tolist(), strict=True)))
    return found


@pytest.mark.parametrize("base_rate", [0.3, 1e-3, 1e-6])
def test_the_base_rate_moves_no_alarm_of_a_model_or_of_the_fused_detector(base_rate: float) -> None:
    (entries, fused), (moved_entries, moved) = fused_at(None), fused_at(base_rate)
    assert alarms(entries, fused) == alarms(moved_entries, moved)
    assert all(alarms(entries, fused)), "there are alarms to move"
    assert fused.fusion.frame == moved.fusion.frame and fused.fusion.video == moved.fusion.video
    assert fused.test.score.tolist() == moved.test.score.tolist()


def test_the_base_rate_moves_the_probabilities_of_the_fused_detector_once() -> None:
    fused, moved = fused_at(None)[1].calibration, fused_at(1e-3)[1].calibration
    raw = np.linspace(-2, 2, 5)
    assert fused.base_rate is not None
    shift = logit(1e-3) - logit(fused.base_rate)
    assert logit(moved.probability(raw)) == pytest.approx(logit(fused.probability(raw)) + shift)
