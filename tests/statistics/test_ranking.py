"""Areas, precision and errors: on paper, against scikit-learn, and whatever the order or the scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from vigil.statistics.intervals import draws
from vigil.statistics.ranking import LEVELS, Ranking, ap, area, auc, eer, precision_at, precision_at_k

MEASURES = {"auc": auc, "ap": ap, "eer": eer, "precision_at_k": precision_at_k}


def value(measure: str, score: list[float] | np.ndarray, positive: list[int] | np.ndarray) -> float | None:
    ranking = Ranking.pooled(np.asarray(score, float), np.asarray(positive, bool))
    return ranking.statistic(MEASURES[measure]).value


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    # abnormal 4 and 2; normal 3 and 1: of the pairs 4>3, 4>1, 2<3, 2>1 three are right
    assert value("auc", [4, 3, 2, 1], [1, 0, 1, 0]) == 0.75


def test_a_tie_counts_half() -> None:
    # abnormal 2, 1; normal 2, 0: 2=2 (1/2), 2>0 (1), 1<2 (0), 1>0 (1): 2.5 of 4
    assert value("auc", [2, 1, 2, 0], [1, 1, 0, 0]) == 0.625


def test_average_precision_is_not_the_area_under_the_roc_curve() -> None:
    # trap 14. From the top: + (1/1), -, + (2/3), -: mean of 1 and 2/3
    assert value("ap", [4, 3, 2, 1], [1, 0, 1, 0]) == pytest.approx(5 / 6)
    # one abnormal under nine normal of a hundred: 90 of 99 pairs are right, but only every tenth alarm
    score, positive = np.arange(100.0)[::-1], np.arange(100) == 9
    assert value("auc", score, positive) == pytest.approx(90 / 99)
    assert value("ap", score, positive) == pytest.approx(0.1)


def test_constant_scores_have_the_area_of_chance_and_the_precision_of_the_base_rate() -> None:
    assert value("auc", [1, 1, 1, 1], [1, 0, 0, 0]) == 0.5
    assert value("ap", [1, 1, 1, 1], [1, 0, 0, 0]) == 0.25
    assert value("eer", [1, 1, 1, 1], [1, 0, 0, 0]) == 0.5
    assert value("precision_at_k", [1, 1, 1, 1], [1, 0, 0, 0]) == 0.25


def test_equal_errors_on_paper() -> None:
    # thresholds 4, 3, 2, 1: false rates 0, 1/2, 1/2, 1; missed 1/2, 1/2, 0, 0: they meet at 1/2
    assert value("eer", [4, 3, 2, 1], [1, 0, 1, 0]) == 0.5
    assert value("eer", [4, 3, 2, 1], [1, 1, 0, 0]) == 0
    assert value("eer", [4, 3, 2, 1], [0, 0, 1, 1]) == 1
    # false 0, 1/3, 1/3, 1/3, 2/3, 1 against missed 2/3, 2/3, 1/3, 0: equal at 1/3
    assert value("eer", [6, 5, 4, 3, 2, 1], [1, 0, 1, 1, 0, 0]) == pytest.approx(1 / 3)


def test_precision_at_k_takes_as_many_as_there_are_abnormal_ones() -> None:
    assert value("precision_at_k", [5, 4, 3, 2, 1], [1, 0, 1, 0, 0]) == 0.5  # of 5 and 4 one is
    # K = 2 cuts a tie of three in which one is abnormal: 1 + 1/3 are expected, of 2
    assert value("precision_at_k", [5, 4, 4, 4, 1], [1, 0, 1, 0, 0]) == pytest.approx(2 / 3)


def test_precision_at_a_count_is_the_share_of_abnormal_ones_among_so_many() -> None:
    def at(count: int, score: list[float], positive: list[int]) -> float | None:
        ranking = Ranking.pooled(np.asarray(score, float), np.asarray(positive, bool))
        return ranking.statistic(precision_at(count)).value

    assert [at(count, [5, 4, 3, 2, 1], [1, 0, 1, 0, 0]) for count in (1, 2, 3, 5)] == pytest.approx(
        [1, 1 / 2, 2 / 3, 2 / 5]
    )
    assert at(3, [5, 4, 4, 4, 1], [1, 0, 1, 0, 0]) == pytest.approx(
        (1 + 2 / 3) / 3
    )  # two of three that tie, one abnormal
    assert np.isnan(precision_at(3)(np.array([[1.0, 0]]), np.array([[0.0, 1]]))).all()  # a draw of two


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("positive", [[1, 1], [0, 0], []])
def test_one_kind_alone_has_no_value_but_a_reason(measure: str, positive: list[int]) -> None:
    ranking = Ranking.pooled(np.zeros(len(positive)), np.array(positive, bool))
    statistic = ranking.statistic(MEASURES[measure])
    assert statistic.value is None
    assert statistic.reason in {"nothing abnormal here", "nothing normal here", "nothing with a known truth here"}
    assert np.isnan(statistic.weigh(draws(1, 3))).all()


mixed = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: 0 < sum(positive for _, positive in rows) < len(rows)
)


@given(mixed)
def test_scikit_learn_agrees_ties_and_all(rows: list[tuple[int, bool]]) -> None:
    score, positive = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    assert value("auc", score, positive) == pytest.approx(roc_auc_score(positive, score))
    assert value("ap", score, positive) == pytest.approx(average_precision_score(positive, score))
    false, true, _ = roc_curve(positive, score, drop_intermediate=False)
    at = int(np.argmax(false >= 1 - true))
    low, high = sorted([false[at], max(false[at - 1], 0)])
    rate = value("eer", score, positive)
    assert rate is not None and low - 1e-12 <= rate <= high + 1e-12


@given(mixed, st.randoms())
def test_rising_maps_and_other_orders_change_nothing(rows: list[tuple[int, bool]], random) -> None:
    shuffled = random.sample(rows, len(rows))
    for measure in MEASURES:
        first = value(measure, [row[0] for row in rows], [row[1] for row in rows])
        assert value(measure, [np.exp(row[0]) - 7 for row in rows], [row[1] for row in rows]) == pytest.approx(first)
        assert value(measure, [row[0] for row in shuffled], [row[1] for row in shuffled]) == pytest.approx(first)


@given(mixed)
def test_turned_round_the_area_is_what_is_left_of_one(rows: list[tuple[int, bool]]) -> None:
    score, positive = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    assert area(-score, positive) == pytest.approx(1 - (area(score, positive) or 0))


@given(mixed, st.integers(1, 5), st.data())
def test_a_weight_is_a_repetition(rows: list[tuple[int, bool]], sources: int, data: st.DataObject) -> None:
    score, positive = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    group = np.array(data.draw(st.lists(st.integers(0, sources - 1), min_size=len(rows), max_size=len(rows))))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=sources, max_size=sources)))
    repeated = np.repeat(np.arange(len(rows)), weights[group])
    ranking = Ranking.of(score, positive, group, sources)
    for name, measure in MEASURES.items():
        expected = value(name, score[repeated], positive[repeated])
        weighed = ranking.statistic(measure).weigh(weights[None].astype(float))[0]
        assert (np.isnan(weighed) and expected is None) or weighed == pytest.approx(expected)


@given(mixed, st.integers(1, 5), st.data())
def test_scikit_learn_agrees_on_every_draw(rows: list[tuple[int, bool]], sources: int, data: st.DataObject) -> None:
    score, positive = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    group = np.array(data.draw(st.lists(st.integers(0, sources - 1), min_size=len(rows), max_size=len(rows))))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=sources, max_size=sources)), float)
    weight, ranking = weights[group], Ranking.of(score, positive, group, sources)
    weighed = {name: ranking.statistic(MEASURES[name]).weigh(weights[None])[0] for name in ("auc", "ap")}
    if not weight[positive].any() or not weight[~positive].any():
        assert np.isnan(list(weighed.values())).all(), "scikit-learn would warn, and give 0 or nothing"
        return
    assert weighed["auc"] == pytest.approx(roc_auc_score(positive, score, sample_weight=weight))
    assert weighed["ap"] == pytest.approx(average_precision_score(positive, score, sample_weight=weight))


def test_coarse_levels_of_the_draws_hardly_move_them() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(60_000) < 0.05
    score = rng.normal(size=60_000) + 1.5 * positive
    ranking = Ranking.of(score, positive, np.arange(60_000) % 10, 10)
    assert ranking.by_source[0].shape[1] == LEVELS < len(ranking.score)
    for measure, most in ((auc, 2e-4), (ap, 1e-3), (precision_at_k, 2e-3), (eer, 2e-3)):
        statistic = ranking.statistic(measure)
        assert statistic.weigh(np.ones((1, 10)))[0] == pytest.approx(statistic.value, abs=most)
    assert ranking.statistic(auc).value == pytest.approx(roc_auc_score(positive, score))
    assert ranking.statistic(ap).value == pytest.approx(average_precision_score(positive, score))


def test_curves_for_pictures_have_the_right_ends_and_area() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(20_000) < 0.3
    ranking = Ranking.pooled(rng.normal(size=20_000) + positive, positive)
    false, true = ranking.roc()
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert len(false) <= 402
    assert np.trapezoid(true, false) == pytest.approx(ranking.statistic(auc).value, abs=1e-4)
    recall, precision = ranking.pr()
    assert recall[-1] == 1 and precision[-1] == pytest.approx(0.3, abs=0.02)
