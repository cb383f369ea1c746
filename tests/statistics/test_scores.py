"""Tables of scores: whatever a file holds, the fields are what the metrics expect."""

import numpy as np

from vigil.statistics.scores import Scores

FILE = {
    "video": np.array(["a", "b"]),
    "label": np.array(["normal", "Arson"]),
    "source": np.array(["a", "b"]),
    "class_index": np.array([0, 1], np.int32),
    "offsets": np.array([0, 2, 3], np.int32),
    "time_s": np.array([0, 1, 0], np.float32),
    "truth": np.array([0, 0, 1], np.int64),
    "score": np.array([0.5, np.nan, 1], np.float16),
    "video_score": np.array([np.nan, 1], np.float32),
}


def test_what_only_some_models_have_may_be_absent() -> None:
    scores = Scores.of(FILE)
    assert scores.has_normal and scores.classes.shape == (2, 0) and scores.cells.shape == (0, 1, 1)
    assert scores.event_truth.tolist() == [0, 0, 1]
    assert scores.score.tolist() == scores.noncausal.tolist() == [0.5, -np.inf, 1]
    assert scores.video_score.tolist() == [-np.inf, 1]
    assert all(np.isnan(values).all() for values in (scores.people, scores.motion, scores.unusual))
    assert not Scores.of(FILE, has_normal=False).has_normal
    assert not Scores.of(FILE | {"has_normal": np.array(False)}).has_normal


def test_people_who_were_not_counted_are_unknown() -> None:
    people = Scores.of(FILE | {"people": np.array([2, -1, 0], np.int16)}).people
    assert np.array_equal(people, [2, np.nan, 0], equal_nan=True)


def test_every_field_has_its_type_whatever_the_file_has() -> None:
    scores = Scores.of(FILE)
    types = {name: getattr(scores, name).dtype for name in vars(scores) if name != "has_normal"}
    whole = {"class_index", "offsets", "cells_video", "person_video", "person_class_index"}
    assert {name for name, dtype in types.items() if dtype == np.int64} == whole
    assert {name for name, dtype in types.items() if dtype == np.int8} == {"truth", "event_truth", "cells_truth"}
    assert {name for name, dtype in types.items() if dtype.kind == "U"} == {"video", "label", "source"}
    assert {dtype for dtype in types.values() if dtype.kind == "f"} == {np.dtype(np.float64)} and len(types) == 21
