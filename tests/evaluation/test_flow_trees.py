"""Trees as arrays say what scikit-learn's say, and come back from a file as they were."""

from pathlib import Path

import numpy as np
import pytest

from vigil.core.errors import VigilError
from vigil.core.storage import save_arrays
from vigil.evaluation.flow_trees import (
    ForestParams,
    LabelProbabilities,
    balanced_weights,
    fit_forest,
    load_forest,
    save_forest,
    train_trees,
)

PARAMS = ForestParams(window_s=2.0, windows=1000, trees=20, leaf=3, seed=7)


def samples(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(["normal", "panic", "static", "theft"], 300)
    x = rng.normal(size=(300, 6)) + (labels == "panic")[:, None] - 2 * (labels == "static")[:, None]
    return x.astype(np.float32), labels


def test_the_arrays_predict_what_scikit_learn_predicts(tmp_path: Path) -> None:
    x, labels = samples(0)
    trees = train_trees(x, labels, PARAMS)
    save_forest(tmp_path / "f.npz", fit_forest(x, labels, PARAMS))
    forest = load_forest(tmp_path / "f.npz")
    fresh = samples(1)[0]
    assert forest.labels.tolist() == trees.classes_.tolist()
    assert forest.predict(fresh) == pytest.approx(trees.predict_proba(fresh), abs=1e-6)


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        save_forest(tmp_path / name, fit_forest(*samples(0), PARAMS))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_no_forest_is_refused(tmp_path: Path) -> None:
    save_arrays(tmp_path / "x.npz", labels=np.zeros(1))
    with pytest.raises(VigilError, match="no forest"):
        load_forest(tmp_path / "x.npz")


def test_an_unknown_window_has_no_answer() -> None:
    forest = fit_forest(*samples(0), PARAMS)
    answer = forest.predict(np.array([[np.nan] * 6, [0.0] * 6]))
    assert np.isnan(answer[0]).all() and answer[1].sum() == pytest.approx(1)


def test_ordinary_labels_weigh_half_and_within_a_half_labels_weigh_alike() -> None:
    labels = np.array(["normal"] * 6 + ["static"] * 2 + ["theft"] * 3 + ["panic"])
    weight = {label: balanced_weights(labels)[labels == label].sum() for label in np.unique(labels)}
    assert weight == pytest.approx(dict.fromkeys(("normal", "static", "theft", "panic"), 12 / 4))


def test_probabilities_come_back_as_they_were(tmp_path: Path) -> None:
    by_video = {"a": np.eye(2, dtype=np.float32), "b": np.full((3, 2), np.nan, np.float32)}
    LabelProbabilities(np.array(["normal", "panic"]), by_video).write(tmp_path / "v.npz")
    LabelProbabilities(np.zeros(0, str), {}).write(tmp_path / "w.npz")
    back = LabelProbabilities.read(tmp_path / "v.npz")
    assert back.by_video.keys() == by_video.keys()
    assert all(np.array_equal(back.by_video[name], by_video[name], equal_nan=True) for name in by_video)
    assert not LabelProbabilities.read(tmp_path / "w.npz").by_video
