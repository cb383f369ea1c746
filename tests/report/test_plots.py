"""Pictures as text: what is drawn where."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

from vigil.report import plots
from vigil.report.plots import Axis, Chart, Interval, Line, Strip, score_track
from vigil.report.rendering import environment


def draw(macro: str, *records: Any) -> str:
    return str(getattr(environment().get_template("plots.html.j2").module, macro)(*records))


def track(times: list[float], p: list[float], end_s: float, **more: Any) -> Strip:
    options = {"threshold": None, "alerts": [], "words": "words"} | more
    return score_track(np.array(times), end_s, np.array(p), **options)


class TestCharts:
    def test_the_corners_of_a_curve_are_the_corners_of_the_chart(self) -> None:
        chart = plots.roc_chart([Line("all", [0, 0, 1], [0, 1, 1])], "a perfect curve")
        corners = [(chart.left, chart.bottom), (chart.left, chart.top), (chart.right, chart.top)]
        assert chart.path(chart.lines[0]) == "M{} {}L{} {}L{} {}".format(*(value for xy in corners for value in xy))
        assert 'aria-label="a perfect curve"' in draw("chart", chart)

    @pytest.mark.parametrize(
        ("macro", "records"),
        [
            (
                "chart",
                [plots.precision_recall_chart([Line("a & b", [0, 1], [1, 0.5], dashed=True, dots=True)], "<words>")],
            ),
            ("strip", [track([0, 1, 2, 3], [np.nan, 0.2, 0.9, np.nan], 4, threshold=0.5, alerts=[(2.0, 3.0)])]),
            ("strip", [plots.truth_track([(1.0, 2.0)], 4.0, "words")]),
            ("strip", [plots.attention_bars([0.1, 0.9], "words")]),
            ("interval", [Interval("panic", 0.8, 0.7, 0.9, 0.75)]),
            ("interval", [Interval("panic", None)]),
            ("confusion", [["normal", "<bad>"], [[3, 1], [0, 2]]]),
        ],
    )
    def test_every_picture_is_well_formed(self, macro: str, records: list[Any]) -> None:
        ET.fromstring(draw(macro, *records))

    def test_a_nan_lifts_the_pen(self) -> None:
        chart = Chart("words", Axis("x"), Axis("y"), [Line("x", [0, 0.5, 1], [0, np.nan, 1])])
        assert re.fullmatch(r"M[\d. ]+M[\d. ]+", chart.path(chart.lines[0]))

    def test_every_point_of_a_reliability_is_a_dot(self) -> None:
        assert draw("chart", plots.reliability_chart([0.2, 0.8], [0.1, 0.9], "words")).count("<circle") == 2

    def test_a_training_has_a_line_for_each_member_and_column(self) -> None:
        rows = [
            {"member": str(member), "epoch": str(epoch), "train_loss": str(1 / epoch), "val_loss": ""}
            for member in range(2)
            for epoch in (1, 2, 3)
        ]
        chart = plots.history_chart(rows, ["train_loss", "val_loss"], "words")
        assert chart is not None and len(chart.lines) == draw("chart", chart).count('class="curve') == 2
        assert plots.history_chart(rows, ["val_loss"], "words") is None
        assert plots.history_chart([], ["val_loss"], "words") is None

    def test_a_training_of_one_epoch_can_be_drawn(self) -> None:
        assert plots.history_chart([{"epoch": "1", "train_loss": "0.5"}], ["train_loss"], "words")

    @pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 7.9), (0.001, 0.0023), (0, 123456)])
    def test_ticks_are_few_and_within(self, low: float, high: float) -> None:
        ticks = Axis("x", low, high).ticks()
        assert 2 <= len(ticks) <= 7
        assert min(ticks) >= low - 1e-9 and max(ticks) <= high + 1e-9

    def test_an_interval_stays_on_its_scale(self) -> None:
        assert [Interval.percent(value) for value in (-0.1, 0.25, 1.1)] == ["0.00%", "25.00%", "100.00%"]

    def test_the_shade_of_a_confusion_is_the_share_of_its_row(self) -> None:
        table = draw("confusion", ["a", "b"], [[3, 1], [0, 0]])
        assert 'class="right" style="--share:75%">3<' in table and 'class="wrong" style="--share:25%">1<' in table
        assert table.count("·") == 2


class TestTracks:
    def test_a_frame_is_as_wide_as_it_lasts(self) -> None:
        areas = track([0.0, 1.0], [1.0, 0.0], 4.0).areas
        assert f"L0 6H{plots.WIDTH // 4}" in areas[0]  # a second of four; p = 1 leaves 6 of 100 for the alarm

    def test_a_gap_without_scores_is_a_gap(self) -> None:
        assert len(track([0, 1, 2], [0.5, np.nan, 0.5], 3.0).areas) == 2

    def test_a_long_video_is_thinned_and_keeps_its_peaks(self) -> None:
        p = [0.0] * 10_000
        p[5_003] = 1.0
        area = track(list(range(10_000)), p, 10_000.0).areas[0]
        assert len(area) < 10_000 and re.search(r"L[\d.]+ 6H", area)

    def test_truth_and_alarm_share_their_clock(self) -> None:
        truth = plots.truth_track([(1.0, 3.0)], 4.0, "words").bars[0]
        alarm = track([0, 1, 2, 3], [0.0] * 4, 4.0, alerts=[(1.0, 3.0)]).bars[0]
        assert (truth.x, truth.width) == (alarm.x, alarm.width) == ("250", "500")

    def test_no_frames_no_picture_no_error(self) -> None:
        assert track([], [], 0.0).areas == []
        assert "<rect" not in draw("strip", plots.attention_bars([], "words"))
