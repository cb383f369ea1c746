"""The protocol on small tables: deeds are told apart, shuffled labels are not, and nothing is computed twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deeds import draw_deeds

from vigil.benchmark.landmarks import members, protocol
from vigil.benchmark.landmarks.judging import Setup
from vigil.benchmark.sealing import SEAL
from vigil.cli.params_layers import lay_over, read_keys
from vigil.cli.project_files import PARAMS, read_preset, read_project_file
from vigil.core.errors import VigilError

WORK = Path("work")


def setup(say: Callable[[str], None] = lambda _line: None, **train: Any) -> Setup:
    """That of the preset, with one seed and less to do."""
    params = read_keys(lay_over(read_project_file(PARAMS), [read_preset("landmarks")]))
    params["train"] |= {"epochs": 2, "warmup": 0} | train
    for name in ("pose_lstm", "pose_cnn"):
        params["models"][name]["train"] |= {"epochs": None, "batch": 16, "lr": 0.02}
    params["baselines"] |= {"trees": 30, "leaf": 1}
    return Setup(params, WORK, "code", say, (7,))


def test_the_preset_reads_no_place_in_the_picture() -> None:
    assert setup().segment_settings.normalise == "body"


def test_deeds_are_told_apart_and_a_second_table_is_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data, test = Path("a.csv"), Path("b.csv")
    draw_deeds(data)
    draw_deeds(test, clips=3, seed=1)
    said: list[str] = []
    record = protocol.run(data, test, setup(said.append))
    assert list(record["folds"]) == ["3 classes", "4 classes"]
    three = record["folds"]["3 classes"]
    assert (three["classes"], three["clips"], three["sources"]) == (["theft", "assault", "damage"], 18, 15)
    assert three["models"]["ensemble"]["balanced_accuracy"]["value"] > 0.9
    assert three["models"]["trees"]["lead"]["clear"] == 1
    assert set(three["models"]) == {"pose_lstm", "pose_cnn", "trees", "ensemble"}
    assert set(three["baselines"]) == {"majority", "clip length", "position"}
    assert three["baselines"]["majority"]["value"] == pytest.approx(1 / 3)
    assert "another extractor" in record["folds"]["4 classes"]["notes"][0] and not three["notes"]
    assert record["test"]["tables"]["3 classes"]["models"]["ensemble"]["balanced_accuracy"]["value"] > 0.9
    assert len(record["test"]["frozen_sha256"]) == 64
    assert "ensemble" in protocol.describe(record)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(members, "fit", refuse)
    monkeypatch.setattr(members, "fit_forest", refuse)
    said.clear()
    assert protocol.run(data, test, setup(said.append)) == record
    assert any("was scored before" in line for line in said)


def test_labels_that_say_nothing_give_chance() -> None:
    data = Path("shuffled.csv")
    draw_deeds(data, clips=15, shuffled=True, deeds=("theft", "assault", "damage"))
    record = protocol.run(data, None, setup())
    assert list(record["folds"]) == ["3 classes"]
    for row in record["folds"]["3 classes"]["models"].values():
        assert row["balanced_accuracy"]["value"] == pytest.approx(1 / 3, abs=0.2)
        assert row["lead"]["clear"] <= 0


def test_what_is_kept_is_of_these_settings_and_this_table() -> None:
    data = Path("a.csv")
    draw_deeds(data)
    one = setup().open_cache(data)
    other = setup(epochs=3).open_cache(data)
    assert one.path("x", ".npz") == setup().open_cache(data).path("x", ".npz") != other.path("x", ".npz")
    draw_deeds(data, seed=1)
    assert setup().open_cache(data).path("x", ".npz") != one.path("x", ".npz")


def test_a_frozen_model_that_was_changed_is_refused() -> None:
    data, test = Path("a.csv"), Path("b.csv")
    deeds = ("theft", "assault", "damage")
    draw_deeds(data, clips=3, deeds=deeds)
    draw_deeds(test, clips=1, seed=1, deeds=deeds)
    protocol.run(data, test, setup())
    [seal] = WORK.rglob(SEAL)
    [scores] = seal.parent.glob("scores-*.json")
    scores.unlink()
    forest = next(seal.parent.rglob("trees.npz"))
    arrays = dict(np.load(forest))
    arrays["threshold"] = arrays["threshold"] + 1
    np.savez(forest, **arrays)
    with pytest.raises(VigilError, match="has changed since it was frozen"):
        protocol.run(data, test, setup())


def test_a_second_table_with_clips_of_the_first_is_refused() -> None:
    data, test = Path("a.csv"), Path("b.csv")
    draw_deeds(data, clips=3, deeds=("theft", "assault", "damage"))
    test.write_text(data.read_text())
    with pytest.raises(VigilError, match=r"b\.csv: 9 of its 9 clips are in the table that was learnt from"):
        protocol.run(data, test, setup())


def test_a_table_of_one_label_is_refused() -> None:
    data = Path("a.csv")
    draw_deeds(data, deeds=("theft",))
    with pytest.raises(VigilError, match="its clips are of theft; expected the classes of preset `landmarks`"):
        protocol.run(data, None, setup())


@pytest.mark.slow
def test_deeds_of_real_landmarks_are_told_apart_by_trees(real_data: Path) -> None:
    """Blocks of the real table, one seed of the trees alone: above 0.8 of three classes."""
    from vigil.benchmark.landmarks.decisions import clip_logits
    from vigil.benchmark.landmarks.folds import make_folds, number_folds
    from vigil.benchmark.landmarks.judging import judge

    params = read_keys(lay_over(read_project_file(PARAMS), [read_preset("landmarks")]))
    whole = Setup(params, WORK, "code", lambda _line: None, (7,))
    classes = whole.class_sets()["3 classes"]
    table = whole.read(real_data / "landmarks/aihub-landmarks.csv").select(classes)
    truth, right = table.truth(classes), np.zeros(len(table.clips), bool)
    for fold in make_folds(table.clips, number_folds(table.clips), 0):
        rows = fold.test[table.owner]
        forest = whole.fit("trees", table, truth, fold, 3, 7, WORK / "x.pt")
        decided = clip_logits(judge(forest, table.x[rows], 3), table.owner[rows], classes).argmax(axis=1)
        right[fold.test] = decided == truth[fold.test]
    assert np.mean([right[truth == index].mean() for index in range(3)]) > 0.8
