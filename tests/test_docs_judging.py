"""The worked examples of docs/judging.md: the numbers that stand there are what the code computes."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tables

from vigil.core.clock import arrival_frames, held_frames, tick_counts
from vigil.evaluation.baselines import READINGS, Aids, baseline_tables
from vigil.evaluation.flow_trees import LabelProbabilities
from vigil.evaluation.metrics import evaluate
from vigil.judging.curves import Curve
from vigil.statistics import conformal
from vigil.statistics.events import AFTER_S
from vigil.statistics.intervals import bootstrap, difference, draws, rate_per_hour, ratio
from vigil.statistics.reliability import shift_odds

DOCUMENT = (Path(__file__).parents[1] / "docs/judging.md").read_text(encoding="utf-8")


def example(name: str) -> list[float]:
    """The numbers of one worked example, in the order in which they are written."""
    text = DOCUMENT.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0]
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]


def test_the_example_of_events_and_false_alarms() -> None:
    length_s, start_s, stop_s, first_s, first_end_s, charge, covered, second_s, second_end_s, *numbers = example(
        "events"
    )
    delay_s, normal_s, recall, recall_10s, alarms, minutes, rate, alarmed_s, share = numbers
    times = np.arange(0, length_s, 0.25)
    truth = (times >= start_s) & (times < stop_s)
    on = (times >= first_s) & (times < first_end_s) | (times >= second_s) & (times < second_end_s)
    table = tables.scores([tables.video("v", truth.astype(int), on.astype(float), fps=4.0)])
    operating_point = tables.point_at(1.0, hold_s=0.0)
    outcome, metrics = operating_point.outcome(table), evaluate(table, operating_point).metrics
    assert outcome.false_alarms.tolist() == [charge, 0] and charge == np.ceil(covered)
    assert outcome.delay_s.tolist() == [delay_s] and second_s - stop_s <= AFTER_S
    assert (outcome.normal_s.tolist(), outcome.alarmed_s.tolist()) == ([normal_s], [alarmed_s])
    assert (metrics["event_recall"].value, metrics["event_recall_10s"].value) == (recall, recall_10s)
    false_alarms = metrics["false_alarms_per_hour"]
    assert (false_alarms.alarms, round(false_alarms.minutes or 0, 3)) == (alarms, minutes)
    assert round(false_alarms.value or 0, 3) == rate and round(metrics["alarmed_share"].value or 0, 3) == share


def test_the_example_of_time() -> None:
    length_s, fps, apart_s, watched_s, alerts, alert_s, slow, clock, *numbers = example("time")
    piece = np.arange(0, length_s, 1 / fps)
    times = np.append(piece, apart_s + piece)
    table = tables.scores([tables.video("v", np.zeros(len(times)), np.ones(len(times)), time_s=times)])
    outcome = tables.point_at(1.0, hold_s=2 * apart_s).outcome(table)
    assert outcome.normal_s.tolist() == [watched_s] and len(outcome.alerts.video) == alerts
    assert (outcome.alerts.stop_s - outcome.alerts.start_s).tolist() == [alert_s] * int(alerts)
    counts = tick_counts([Fraction(number, int(slow)) for number in range(4)], Fraction(int(clock)))
    assert counts.tolist() == numbers[:4]
    first, last, *shown, frame = (int(number) for number in numbers[4:])
    assert held_frames(counts)[first : last + 1].tolist() == shown and arrival_frames(counts)[last] == frame


def test_the_example_of_a_rate() -> None:
    alarms, minutes, hours, _, tail, rate, low, high = example("rate")
    interval = bootstrap(rate_per_hour(np.full(4, alarms / 4), np.full(4, hours / 4), "no hours"), draws(4))
    assert (interval.alarms, interval.minutes, interval.low) == (alarms, minutes, low)
    assert round(interval.high or 0, 3) == high == rate and round(np.exp(-hours * rate), 3) == tail


def test_the_example_of_baselines() -> None:
    *motion, maximum, mean, top, deviation, normal, panic, theft, _, _, score = example("baselines")
    readings = [reading(np.array(motion)) for reading in READINGS.values()]
    assert readings == pytest.approx([maximum, mean, top, deviation], abs=1e-3)
    probability = np.array([[normal, panic, theft]])
    trees = LabelProbabilities(np.array(["normal", "panic", "theft"]), {"a": probability, "b": probability})
    table = tables.scores([tables.video("a", [1], [0], label="panic"), tables.video("b", [0], [0])])
    assert baseline_tables(table, None, Aids(trees))["flow_trees"].score == pytest.approx([score, score])


def test_the_example_of_a_promise() -> None:
    cameras, each, total, budget, confidence, v, *numbers = example("promise")
    spread, promised, few, each_of_few, spread_of_few, too_many = (numbers[k] for k in (4, 8, 9, 10, 11, 15))
    hours = np.full(int(cameras), each)
    assert (conformal.dispersion(v, budget, hours), hours.sum()) == (spread, total)
    assert round(conformal.upper_rate(0, total, confidence, spread), 3) == promised
    hours = np.full(int(few), each_of_few)
    assert conformal.dispersion(v, budget, hours) == spread_of_few
    assert round(conformal.upper_rate(0, total, confidence, spread_of_few), 2) == too_many > budget
    assert conformal.hours_to_promise(budget, confidence, v, hours) is None


def test_the_example_of_a_base_rate() -> None:
    share, base_rate, before, odds, minus, plus, shift, after = example("base_rate")
    true = np.arange(100) < 100 * share
    assert round(shift_odds(base_rate, true), 2) == -round(shift, 2) == round(plus - minus, 2)
    curve = Curve(transform="identity", slope=1.0, offset=shift_odds(base_rate, true))
    assert before == 0.5 and round(float(curve(np.array([odds]))[0]), 3) == after


def test_the_example_of_p() -> None:
    first, second, mean, deviation, _, _, _, by_student, p, low, high = example("p")
    values = np.array([first, second])
    weights = np.array([[2.0, 0.0], [1, 1], [1, 1], [0, 2]] * 100)
    change = difference(ratio(values, np.ones(2), ""), ratio(np.zeros(2), np.ones(2), ""), weights)
    assert change.interval.value == mean == by_student and round(float(np.std([1, 2, 2, 3])), 3) == deviation
    assert (change.interval.low, change.interval.high) == (pytest.approx(-low, abs=0.01), pytest.approx(high, abs=0.01))
    assert change.p == pytest.approx(p, abs=0.001)
