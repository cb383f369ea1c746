"""Pictures as text: what is drawn where."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from vigil.report import plots
from vigil.report.markup import Markup, element, join
from vigil.report.plots import Axis, Line, Row, Track


def points(svg: str) -> list[tuple[float, float]]:
    """Of the first curve."""
    found = re.search(r'd="([^"]*)" class="curve', svg)
    assert found
    numbers = [part.split() for part in re.findall(r"[ML]([\d. -]+)", found[1])]
    return [(float(x), float(y)) for x, y in numbers]


class TestMarkup:
    def test_text_is_escaped_and_markup_is_not(self) -> None:
        assert element("p", "<b>", Markup("<i>x</i>"), None) == "<p>&lt;b&gt;<i>x</i></p>"
        assert element("img", alt='"><script>', src=None, hidden=True) == (
            '<img alt="&quot;&gt;&lt;script&gt;" hidden/>'
        )

    def test_names_of_attributes_that_python_has_taken(self) -> None:
        assert element("a", "x", class_="c", aria_label="l", open=False) == '<a class="c" aria-label="l">x</a>'
        assert join(["a", None, "b"], " & ") == "a & b"


class TestCharts:
    def test_the_corners_of_a_curve_are_the_corners_of_the_chart(self) -> None:
        svg = plots.roc([Line("all", [0, 0, 1], [0, 1, 1])], "a perfect curve")
        assert points(svg) == [
            (plots.LEFT, plots.HEIGHT - plots.BOTTOM),
            (plots.LEFT, plots.TOP),
            (plots.WIDTH - plots.RIGHT, plots.TOP),
        ]
        assert 'aria-label="a perfect curve"' in svg

    def test_every_picture_is_well_formed(self) -> None:
        track = Track(np.arange(4.0), 4.0, np.array([np.nan, 0.2, 0.9, np.nan]), 0.5, [(2.0, 3.0)])
        for svg in (
            plots.pr([Line("a & b", [0, 1], [1, 0.5], dashed=True, dots=True)], "<told>"),
            plots.track(track, "told"),
            plots.truth([(1.0, 2.0)], 0.0, 4.0, "told"),
            plots.bars([0.1, 0.9], "told"),
            plots.interval(Row("panic", 0.8, 0.7, 0.9, 0.75, "told")),
            plots.interval(Row("panic", None)),
            plots.confusion([[3, 1], [0, 2]], ["normal", "<bad>"]),
        ):
            ET.fromstring(svg)

    def test_a_nan_lifts_the_pen(self) -> None:
        svg = plots.chart([Line("x", [0, 0.5, 1], [0, np.nan, 1])], Axis("x"), Axis("y"), "told")
        assert re.search(r'd="M[\d. ]+M[\d. ]+" class="curve', svg)

    def test_reliability_leaves_empty_bins_out(self) -> None:
        bins = [{"told": 0.2, "true": 0.1}, {"told": None, "true": None}, {"told": 0.8, "true": 0.9}]
        assert len(points(plots.reliability(bins, "told"))) == 2

    def test_a_history_has_a_line_for_each_member_and_column(self) -> None:
        rows = [
            {"member": str(member), "epoch": str(epoch), "train_loss": str(1 / epoch), "val_loss": ""}
            for member in range(2)
            for epoch in (1, 2, 3)
        ]
        svg = plots.history(rows, ["train_loss", "val_loss"], "told")
        assert svg is not None and svg.count('class="curve') == 2
        assert plots.history(rows, ["val_loss"], "told") is None
        assert plots.history([], ["val_loss"], "told") is None

    def test_one_epoch_and_one_loss_can_be_drawn(self) -> None:
        assert plots.history([{"epoch": "1", "train_loss": "0.5"}], ["train_loss"], "told")

    @pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 7.9), (0.001, 0.0023), (0, 123456)])
    def test_ticks_are_few_and_within(self, low: float, high: float) -> None:
        found = plots.ticks(Axis("x", low, high))
        assert 2 <= len(found) <= 7
        assert min(found) >= low - 1e-9 and max(found) <= high + 1e-9

    def test_the_shade_of_a_confusion_is_the_share_of_its_row(self) -> None:
        table = plots.confusion([[3, 1], [0, 0]], ["a", "b"])
        assert "--share:75%" in table and "--share:25%" in table
        assert table.count("·") == 2


class TestTimelines:
    def test_a_frame_is_as_wide_as_it_lasts(self) -> None:
        svg = plots.track(Track(np.array([0.0, 1.0]), 4.0, np.array([1.0, 0.0]), None), "told")
        assert f"L0 6H{plots.WIDE // 4}" in svg  # the first lasts a second of four; p = 1 leaves 6 of 100 for the alarm

    def test_a_gap_without_scores_is_a_gap(self) -> None:
        p = np.array([0.5, np.nan, 0.5])
        assert plots.track(Track(np.arange(3.0), 3.0, p, None), "told").count('class="area') == 2

    def test_a_long_video_is_thinned_and_keeps_its_peaks(self) -> None:
        p = np.zeros(10_000)
        p[5_003] = 1.0
        svg = plots.track(Track(np.arange(10_000.0), 10_000.0, p, 0.5), "told")
        assert len(svg) < 10_000 and re.search(r"L[\d.]+ 6H", svg)

    def test_truth_and_alarm_share_their_clock(self) -> None:
        truth = plots.truth([(1.0, 3.0)], 0.0, 4.0, "told")
        track = plots.track(Track(np.arange(4.0), 4.0, np.zeros(4), None, [(1.0, 3.0)]), "told")
        assert 'x="250" y="0" width="500"' in truth and 'x="250" y="0" width="500"' in track

    def test_no_frames_no_picture_no_error(self) -> None:
        assert "area" not in plots.track(Track(np.zeros(0), 0.0, np.zeros(0), None), "told")
        assert "<rect" not in plots.bars([], "told")
