"""What a window is called."""

import numpy as np
import pytest

from footage import CLASSES
from vigil.clips.labels import abnormal_share, find_unnamed_labels, label_to_class
from vigil.core.errors import VigilError


def test_what_is_abnormal_in_a_window() -> None:
    event = np.zeros(40, bool)
    event[10:20] = True
    assert abnormal_share((0, 40), event) == 1.0  # holds all of it
    assert abnormal_share((12, 16), event) == 1.0  # lies in it
    assert abnormal_share((0, 10), event) == 0.0
    assert abnormal_share((6, 14), event) == 0.5  # 4 of 8


def test_a_label_belongs_to_one_class() -> None:
    assert label_to_class(CLASSES) == {"normal": 0, "static": 0, "Arson": 1, "Fighting": 1}
    with pytest.raises(VigilError, match="label 'a' is in 'x' and in 'y'"):
        label_to_class({"x": ["a"], "y": ["a"]})


def test_a_label_that_no_model_names_is_told_with_the_nearest_and_its_place() -> None:
    models = {"i3d": {"normal": ["normal"], "abnormal": ["anomaly"]}, "gate": {"crime": ["anomaly", "Arson"]}}
    assert find_unnamed_labels({"normal": 3, "Arson": 1}, models) == []
    typo, strange = find_unnamed_labels({"normal": 3, "anomali": 2, "zzz": 1}, models)
    assert typo.startswith("no model learns from the 2 videos labelled 'anomali'")
    assert "Did you mean 'anomaly' (models.i3d.classes.abnormal)?" in typo
    assert strange.startswith("no model learns from the 1 video labelled 'zzz'") and "Did you mean" not in strange
