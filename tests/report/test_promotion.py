"""The gate: may a new model take the place of an old one?"""

import json
from pathlib import Path

import numpy as np
import pytest
from verdicts import Made, city, table

from vigil.cli.main import main
from vigil.core.storage import load_arrays, save_arrays

CLASSES = {"normal": ["normal"], "theft": ["theft"], "assault": ["assault"]}


def scored(path: Path, skill: float, seed: int = 0, sources: int = 10) -> Path:
    save_arrays(path, **table("m", Made(CLASSES, skill), city("test", sources), seed))
    return path


def test_a_clearly_better_model_may_and_a_clearly_worse_one_may_not(capsys: pytest.CaptureFixture[str]) -> None:
    weak, strong = scored(Path("a/test.npz"), 0.1), scored(Path("b/test.npz"), 3.0)
    assert main(["compare", str(weak), str(strong)]) == 0
    assert "better: video AUC" in capsys.readouterr().out
    assert main(["compare", str(strong), str(weak)]) == 1
    assert "worse: video AUC" in capsys.readouterr().out


def test_a_model_against_itself_is_not_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    one = scored(Path("m/test.npz"), 1.0)
    assert main(["compare", str(one), str(one)]) == 0
    assert "not told apart" in capsys.readouterr().out
    assert main(["compare", str(one), str(one), "--better"]) == 1


def test_folders_are_compared_model_by_model(capsys: pytest.CaptureFixture[str]) -> None:
    for run, skill in (("old", 0.1), ("new", 3.0)):
        for model in ("i3d", "pose_lstm"):
            scored(Path(f"{run}/{model}/test.npz"), skill)
    scored(Path("new/only_here/test.npz"), 1.0)
    assert main(["compare", "old", "new", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["model"] for one in told] == ["i3d", "pose_lstm"]
    assert all(one["verdict"] == "better" and one["low"] > 0 and one["new"] > one["old"] for one in told)


def test_one_worse_model_among_better_ones_fails_the_gate() -> None:
    scored(Path("old/a/test.npz"), 0.1), scored(Path("new/a/test.npz"), 3.0)
    scored(Path("old/b/test.npz"), 3.0), scored(Path("new/b/test.npz"), 0.1)
    assert main(["compare", "old", "new"]) == 1


def test_videos_in_another_order_are_the_same_test_set() -> None:
    one = Path("m/test.npz")
    save_arrays(one, **table("m", Made(CLASSES, 1.0), city("test", 8)))
    other = Path("n/test.npz")
    save_arrays(other, **table("m", Made(CLASSES, 1.0), city("test", 8)[::-1]))
    assert main(["compare", str(one), str(other)]) == 0


def test_another_test_set_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = scored(Path("a/test.npz"), 1.0), scored(Path("b/test.npz"), 1.0, sources=6)
    assert main(["compare", str(one), str(other)]) == 1
    told = capsys.readouterr().err.strip()
    assert "not the same test set: 20 videos are in one only, such as set/test6-assault" in told
    assert "\n" not in told


@pytest.mark.parametrize("what", ["label", "source"])
def test_other_truth_is_another_test_set(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = scored(Path("a/test.npz"), 1.0), Path("b/test.npz")
    arrays = load_arrays(one)
    save_arrays(other, **arrays | {what: np.array(["else", *arrays[what][1:]])})
    assert main(["compare", str(one), str(other)]) == 1
    assert f"has another {what}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (("nothing", "a"), "nothing: no scores. Expected a test.npz"),
        (("old", "new"), "no model in common: x, z and y, w"),
        (("a", "text.npz"), "text.npz: not a readable array archive"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    paths: tuple[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(Path("a/test.npz"), 1.0)
    for name in ("old/x", "old/z", "new/w", "new/y"):
        scored(Path(name) / "test.npz", 1.0)
    Path("text.npz").write_text("no")
    assert main(["compare", *paths]) == 1
    told = capsys.readouterr().err
    assert words.replace("y, w", "w, y") in told and told.count("\n") == 1


def test_a_test_set_of_one_kind_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    normal = [one for one in city("test") if one.label == "normal"]
    save_arrays(Path("m/test.npz"), **table("m", Made(CLASSES), normal))
    assert main(["compare", "m", "m"]) == 1
    assert "nothing to compare: nothing abnormal here" in capsys.readouterr().err
