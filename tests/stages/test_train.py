"""The train stage on segments drawn so that the class is easy to see: what it writes, and what it refuses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from segment_training import (
    COLUMNS,
    FEATURES,
    LABELS,
    MODEL,
    OUT,
    SHARED,
    TABLE,
    TRAIN,
    TRUTH,
    USUAL,
    VAL,
    contents,
    draw,
    forget,
    refused,
    run,
)

from vigil.core.lineage import record
from vigil.core.skipping import why_skipped
from vigil.core.storage import load_arrays, read_json, read_table, save_arrays
from vigil.engine import tracking
from vigil.features.times import write_times
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.models import checkpoint
from vigil.stages.train import main
from vigil.training.schedules import TrainParams


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracking.SWITCH, "off")


def test_a_training_writes_a_model_and_how_it_came_about(capsys: pytest.CaptureFixture[str]) -> None:
    draw(USUAL)
    run()
    names = {"weights.safetensors", "config.json", "training.safetensors", "history.png"}
    assert {path.name for path in OUT.iterdir()} == names
    loaded = checkpoint.load_checkpoint(OUT, {"segments": {"normalise": "body"}})
    assert (loaded.card.model, list(loaded.card.classes)) == ("pose_lstm", list(LABELS))
    assert (loaded.card.config.features, loaded.card.config.hidden) == (COLUMNS, (8, 8))
    rows = read_table(TABLE)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["val_balanced_accuracy"]) > 0.6
    assert (OUT / "history.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr()
    assert printed.out.startswith("pose_lstm: 72 sequences to learn from, 36 to validate on\npose_lstm: epoch 1 of 3: ")
    assert "pose_lstm: best of 3 epochs: epoch 3: val loss" in printed.out
    assert printed.err.startswith("pose_lstm: warning: fewer than 500 sequences") and printed.err.count("\n") == 1
    assert not (Path(".vigil/resume")).exists() or not list(Path(".vigil/resume").iterdir())


def test_the_same_training_writes_the_same_bytes() -> None:
    draw(USUAL)
    first = contents(run())
    forget()
    assert contents(run()) == first


def test_the_test_split_is_not_opened() -> None:
    draw(USUAL | {"test": LABELS})
    first = (run() / "weights.safetensors").read_bytes()
    forget()
    (FEATURES / "test.npz").write_bytes(b"not to be opened")
    Path("data/manifest/test.csv").unlink()
    assert (run() / "weights.safetensors").read_bytes() == first


def test_a_models_own_settings_win_over_the_shared_ones() -> None:
    draw(USUAL)
    run(train={"epochs": 2, "batch": None})
    assert checkpoint.load_checkpoint(OUT).card.epochs == [2]
    run(shared={"epochs": 4}, train={})
    assert checkpoint.load_checkpoint(OUT).card.epochs == [4]


def test_a_model_learns_from_the_sets_that_it_names_alone(capsys: pytest.CaptureFixture[str]) -> None:
    draw({"train": LABELS * 2, "val": LABELS * 2})
    for split, table in (("train", TRAIN), ("val", VAL)):
        videos = video_table.read(table)
        names = {each.video: each.video.replace("set/", "street/") for each in videos[3:]}
        video_table.write(table, [replace(each, video=names.get(each.video, each.video)) for each in videos])
        arrays = load_arrays(FEATURES / f"{split}.npz")
        arrays["video"] = np.array([names.get(name, name) for name in arrays["video"].tolist()], np.str_)
        save_arrays(FEATURES / f"{split}.npz", **arrays)
    for sets, words in ((("street",), "36 sequences to learn from, 36"), (None, "72 sequences to learn from, 72")):
        run(datasets=sets)
        assert words in "".join(capsys.readouterr())
        assert read_json(OUT / "config.json")["datasets"] == (list(sets) if sets else None)
    run(datasets=("elsewhere",))
    assert "training split is empty" in str(why_skipped(OUT))


def test_an_interrupted_stage_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    draw(USUAL)
    whole = contents(run())
    forget()

    def stop(_run: Any, row: Mapping[str, Any], member: int = 0) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tracking.Run, "log_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert len(list(Path(".vigil/resume").iterdir())) == 1
    capsys.readouterr()
    run(shared={"report_every": 2})  # what changes no result does not make it start again
    assert "goes on after epoch 2" in capsys.readouterr().out
    assert contents(OUT) == whole


def test_what_changes_the_result_starts_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(USUAL)

    def stop(_run: Any, row: Mapping[str, Any], member: int = 0) -> None:
        raise KeyboardInterrupt

    def interrupted(**changes: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(tracking.Run, "log_epoch", stop)
            with pytest.raises(KeyboardInterrupt):
                run(**changes)

    interrupted()
    interrupted(shared={"lr": 0.02})
    interrupted(hidden=[8, 4])
    arrays = load_arrays(FEATURES / "train.npz")
    arrays["x"][0, 0, 0] += 1  # the same size, the same name
    save_arrays(FEATURES / "train.npz", **arrays)
    interrupted()
    assert "goes on" not in capsys.readouterr().out
    assert len(list(Path(".vigil/resume").iterdir())) == 4


@pytest.mark.parametrize(
    ("videos", "words"),
    [
        (USUAL | {"train": ()}, "the training split is empty"),
        (USUAL | {"val": ()}, "the validation split is empty"),
        (USUAL | {"train": ("theft",)}, "one single video"),
        (USUAL | {"train": ("theft", "theft")}, "samples of one class alone (theft)"),
        (USUAL | {"train": ("normal", "theft")}, "has no sample of assault"),
        (USUAL | {"train": ("arson", "arson")}, "no video with a label that is wanted"),
    ],
)
def test_a_split_that_teaches_nothing_is_skipped_and_the_model_comes_back_with_examples(
    videos: Mapping[str, Sequence[str]], words: str
) -> None:
    draw(USUAL)
    run()
    draw(videos)
    run()
    assert [path.name for path in OUT.iterdir()] == ["skipped.json"]
    assert words in (why_skipped(OUT) or "")
    assert read_table(TABLE) == []
    draw(USUAL)
    run()
    assert why_skipped(OUT) is None
    assert (OUT / checkpoint.WEIGHTS).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "pose_lstn"}, "[models.pose_lstn]: no such model. Known: pose_lstm. Did you mean 'pose_lstm'?"),
        ({"hiden": [8]}, "[models.pose_lstm]: unknown key 'hiden'"),
        ({"train": {"epoch": 3}}, "[models.pose_lstm.train]: unknown key 'epoch'"),
        ({"train": {"epochs": "abc"}}, "[models.pose_lstm.train]: epochs = 'abc'"),
        ({"classes": {"normal": "normal"}}, "[models.pose_lstm]: classes.normal = 'normal'"),
        ({"classes": {"a": ["normal"], "b": ["normal", "theft"]}}, "label 'normal' is in 'a' and in 'b'"),
        ({"classes": ...}, "missing key 'classes'"),
        ({"input": "flows"}, "unknown input 'flows'"),
        ({"frames": 16}, "segments of 8 frames, the model looks at 16"),
    ],
)
def test_a_wrong_section_is_one_line(changes: dict[str, Any], words: str) -> None:
    draw(USUAL)
    assert words in refused(**changes)


def test_features_of_unknown_making_are_refused() -> None:
    draw(USUAL)
    (FEATURES / "settings.json").unlink()
    assert "nobody knows how data/segments was made" in refused()


def test_missing_segments_say_what_to_run() -> None:
    draw(USUAL)
    (FEATURES / "train.npz").unlink()
    assert "data/segments/train.npz: not found. Run `dvc repro segments`" in refused()


def test_a_class_that_validation_lacks_is_no_reason_to_stop() -> None:
    draw(USUAL | {"val": ("normal", "normal")})
    run()
    assert checkpoint.load_checkpoint(OUT).card.best[0]["value"] is None  # the loss has chosen
    assert {row["val_balanced_accuracy"] for row in read_table(TABLE)} == {""}


def test_members_learn_normal_video_alone_from_seeds_of_their_own() -> None:
    """Flow of two normal videos to a split, and a wild one that would spoil the scale of the loss."""
    random, flow = np.random.default_rng(2), Path("data/flow")
    for split, path in (("train", TRAIN), ("val", VAL)):
        videos = []
        for name, label, most in (("a", "normal", 20), ("b", "normal", 20), ("c", "panic", 127)):
            video = Video(
                f"set/{split}{name}", "x.mp4", name, label, (), split, Fraction(8), 12, 64, 48, Fraction(9), "0" * 64
            )
            videos.append(video)
            (flow / "set").mkdir(parents=True, exist_ok=True)
            np.save(flow / f"{video.video}.npy", random.integers(-most, most, (12, 3, 8, 8)).astype(np.int8))
            write_times(flow / f"{video.video}.npz", [Fraction(number, 8) for number in range(12)])
        video_table.write(path, videos)
    record(Path("data/frames"), "frames", {"fps": 8.0})
    record(flow, "flow", {"size": 8, "clip": 8.0}, Path("data/frames"))
    section = {
        "input": "flow",
        "classes": {"normal": ["normal"], "panic": ["panic"]},
        "frames": 4,
        "size": 8,
        "hidden": [4],
        "members": 2,
    }
    main(
        model="panic",
        train=TRAIN,
        val=VAL,
        features=flow,
        truth=TRUTH,
        out=OUT,
        table=TABLE,
        params=TrainParams.read(SHARED, "params.yaml [train]"),
        models={"panic": section},
    )
    loaded = checkpoint.load_checkpoint(OUT)
    first, second = loaded.model.members
    assert not torch.equal(first.drawing.weight, second.drawing.weight)
    assert [best["metric"] for best in loaded.card.best] == [None, None]
    rows = read_table(TABLE)
    assert [row["member"] for row in rows] == ["0"] * 3 + ["1"] * 3
    assert max(float(row["val_loss"]) for row in rows) < 0.1  # uniform up to 127 alone would be 0.33
    x = torch.zeros(1, 4, 3, 8, 8)
    alone = [each.judge(each(x), x)["frames"] for each in (first, second)]
    torch.testing.assert_close(loaded.model.judge(loaded.model(x), x)["frames"], (alone[0] + alone[1]) / 2)


@pytest.mark.slow
def test_two_processes_and_a_real_kill() -> None:
    """As DVC runs it, in a process of its own."""
    draw(USUAL)
    sections = {"train": SHARED | {"epochs": 8}, "models": {"pose_lstm": MODEL}}
    YAML().dump(sections, Path("params.yaml"))
    command = [sys.executable, "-m", "vigil.stages.train", "--model", "pose_lstm", "--train", str(TRAIN), "--val"]
    command += [str(VAL), "--features", str(FEATURES), "--truth", str(TRUTH), "--table", str(TABLE), "--out"]
    subprocess.run([*command, "one"], check=True)
    forget()
    running = subprocess.Popen([*command, "two"])
    while not list(Path(".vigil").glob("resume/*/0.pt")) and running.poll() is None:
        time.sleep(0.005)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    ran = subprocess.run([*command, "two"], check=True, capture_output=True, text=True)
    assert "goes on after epoch" in ran.stdout
    for path in Path("one").iterdir():
        assert (Path("two") / path.name).read_bytes() == path.read_bytes()
    sections["train"] |= {"devices": 2, "strategy": "ddp"}
    sections["models"]["pose_lstm"] = MODEL | {"dropout": 0.0}
    YAML().dump(sections, Path("params.yaml"))
    ran = subprocess.run(
        [*command, "three"], check=True, capture_output=True, text=True, env={**os.environ, tracking.SWITCH: "off"}
    )
    assert ran.stdout.count("best of 8 epochs") == 1
    assert read_json(Path("three/config.json"))["epochs"] == [8]
