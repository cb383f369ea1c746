"""One model against another, and against what needs no model."""

from dataclasses import replace

import numpy as np
import pytest

from tables import city
from vigil.comparison import compare, unbeaten, verdict
from vigil.errors import VigilError
from vigil.events import Operating


def test_a_better_model_is_better_on_the_same_sources() -> None:
    weak = city(5, sources=15, skill=0.5)
    strong = replace(weak, score=weak.score + 1.5 * (weak.truth == 1), noncausal=weak.score + 1.5 * (weak.truth == 1))
    found = compare(strong, weak, (Operating(1.5), Operating(1.5)))
    assert verdict("frame_auc_micro", found["frame_auc_micro"]) == 1
    assert found["frame_auc_micro"].p is not None and found["frame_auc_micro"].p < 0.01
    assert all(verdict(name, one) == 0 for name, one in compare(weak, weak, (Operating(1.0), Operating(1.0))).items())
    more = Operating(0.0)  # alarms far more often, which is worse though the number is higher
    assert verdict("alarmed_share", compare(weak, weak, (more, Operating(1.5)))["alarmed_share"]) == -1


def test_a_comparison_is_on_the_videos_of_both() -> None:
    first, second = city(5), city(5)
    half = second.select(np.arange(len(second.video)) % 2 == 0)
    assert compare(first, half)["video_auc"].interval.value == 0
    with pytest.raises(VigilError, match="no video is judged by both"):
        compare(first, replace(second, video=np.char.add("other-", second.video)))
    with pytest.raises(VigilError, match="of another source"):
        compare(first, replace(second, source=second.video))


def test_a_model_that_does_not_beat_a_baseline_is_reported() -> None:
    found = city(5, sources=15)
    flat = replace(found, score=np.zeros(len(found.score)), noncausal=np.zeros(len(found.score)))
    assert unbeaten(found, {"chance": flat}) == [] or not any(
        "frame" in line for line in unbeaten(found, {"chance": flat})
    )
    lines = unbeaten(flat, {"people_count": found})
    assert any(line.startswith("frame_auc_micro is below the baseline people count: -0.") for line in lines)
