"""The gate: may a new model take the place of an old one?"""

import json
from pathlib import Path

import numpy as np
import pytest
from verdicts import ModelSketch, city, table

from vigil.cli.main import main
from vigil.core.storage import load_arrays, save_arrays

CLASSES = {"normal": ["normal"], "theft": ["theft"], "assault": ["assault"]}


def write_scores(path: Path, skill: float, seed: int = 0, sources: int = 10) -> Path:
    save_arrays(path, **table("m", ModelSketch(CLASSES, skill), city("test", sources), seed))
    return path


def test_a_clearly_better_model_may_and_a_clearly_worse_one_may_not(capsys: pytest.CaptureFixture[str]) -> None:
    weak, strong = write_scores(Path("a/test.npz"), 0.1), write_scores(Path("b/test.npz"), 3.0)
    assert main(["compare", str(weak), str(strong)]) == 0
    assert "better: video AUC" in capsys.readouterr().out
    assert main(["compare", str(strong), str(weak)]) == 1
    assert "worse: video AUC" in capsys.readouterr().out


def test_a_model_against_itself_is_not_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    scores = str(write_scores(Path("m/test.npz"), 1.0))
    assert main(["compare", scores, scores]) == 0
    assert "not told apart" in capsys.readouterr().out
    assert main(["compare", scores, scores, "--better"]) == 1


def test_folders_are_compared_model_by_model(capsys: pytest.CaptureFixture[str]) -> None:
    for run, skill in (("old", 0.1), ("new", 3.0)):
        for model in ("i3d", "pose_lstm"):
            write_scores(Path(f"{run}/{model}/test.npz"), skill)
    write_scores(Path("new/only_here/test.npz"), 1.0)
    assert main(["compare", "old", "new", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)
    assert [model["model"] for model in models] == ["i3d", "pose_lstm"]
    assert all(model["verdict"] == "better" and model["low"] > 0 and model["new"] > model["old"] for model in models)


def test_one_worse_model_among_better_ones_fails_the_gate() -> None:
    write_scores(Path("old/a/test.npz"), 0.1), write_scores(Path("new/a/test.npz"), 3.0)
    write_scores(Path("old/b/test.npz"), 3.0), write_scores(Path("new/b/test.npz"), 0.1)
    assert main(["compare", "old", "new"]) == 1


def test_a_model_that_cannot_be_compared_does_not_hide_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    for run, skill in (("old", 0.1), ("new", 3.0)):
        for model, sources in (("a", 10), ("b", 10 if run == "old" else 6), ("c", 10)):
            write_scores(Path(f"{run}/{model}/test.npz"), skill, sources=sources)
    assert main(["compare", "old", "new"]) == 3
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("a: better") and third.startswith("c: better")
    assert second.startswith("b: not compared: old/b/test.npz and new/b/test.npz: not the same test set: 20 videos")
    assert main(["compare", "old", "new", "--json"]) == 3
    assert [row["verdict"] for row in json.loads(capsys.readouterr().out)] == ["better", "not compared", "better"]
    write_scores(Path("old/c/test.npz"), 3.0), write_scores(Path("new/c/test.npz"), 0.1)
    assert main(["compare", "old", "new"]) == 1, "what is worse weighs more"


def test_videos_in_another_order_are_the_same_test_set() -> None:
    forward, backward = Path("m/test.npz"), Path("n/test.npz")
    save_arrays(forward, **table("m", ModelSketch(CLASSES, 1.0), city("test", 8)))
    save_arrays(backward, **table("m", ModelSketch(CLASSES, 1.0), city("test", 8)[::-1]))
    assert main(["compare", str(forward), str(backward)]) == 0


def test_another_test_set_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    many, few = write_scores(Path("a/test.npz"), 1.0), write_scores(Path("b/test.npz"), 1.0, sources=6)
    assert main(["compare", str(many), str(few)]) == 1
    message = capsys.readouterr().err.strip()
    assert "not the same test set: 20 videos are in one only, such as set/test6-assault" in message
    assert "\n" not in message


@pytest.mark.parametrize("truth", ["label", "source"])
def test_other_truth_is_another_test_set(truth: str, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write_scores(Path("a/test.npz"), 1.0), Path("b/test.npz")
    arrays = load_arrays(old)
    save_arrays(new, **arrays | {truth: np.array(["else", *arrays[truth][1:]])})
    assert main(["compare", str(old), str(new)]) == 1
    assert f"has another {truth}" in capsys.readouterr().err


def test_another_truth_of_the_same_frames_is_another_test_set(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write_scores(Path("a/test.npz"), 1.0), Path("b/test.npz")
    arrays = load_arrays(old)
    arrays |= {"event_truth": arrays["truth"]}
    truth = arrays["truth"].copy()
    first = int(np.flatnonzero(truth == 1)[0])
    truth[first : first + 3] = 0  # somebody moved the start of an event
    save_arrays(old, **arrays)
    hidden = np.where(np.arange(len(truth)) < first + 3, -1, truth).astype(np.int8)  # by the warm-up of the model
    save_arrays(new, **arrays | {"truth": hidden, "event_truth": truth})
    assert main(["compare", str(old), str(new)]) == 1
    assert "has another truth in 3 frames" in capsys.readouterr().err
    unjudged = np.where(np.arange(len(truth)) < 3, -1, arrays["truth"]).astype(
        np.int8
    )  # a later warm-up is no other truth
    save_arrays(new, **arrays | {"truth": unjudged})
    assert main(["compare", str(old), str(new)]) == 0


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (("nothing", "a"), "nothing: no scores. Expected a test.npz"),
        (("old", "new"), "no model in common: x, z and w, y"),
        (("a", "text.npz"), "text.npz: not a readable array archive"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    paths: tuple[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scores(Path("a/test.npz"), 1.0)
    for name in ("old/x", "old/z", "new/w", "new/y"):
        write_scores(Path(name) / "test.npz", 1.0)
    Path("text.npz").write_text("no")
    assert main(["compare", *paths]) == 1
    message = capsys.readouterr().err
    assert words in message and message.count("\n") == 1


def test_a_test_set_of_one_kind_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    normal = [video for video in city("test") if video.label == "normal"]
    save_arrays(Path("m/test.npz"), **table("m", ModelSketch(CLASSES), normal))
    assert main(["compare", "m", "m"]) == 1
    assert "nothing to compare: nothing abnormal here" in capsys.readouterr().err
