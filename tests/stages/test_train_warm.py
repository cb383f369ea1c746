"""The train stage that goes on from a finished training, or starts from older weights."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from segment_training import LABELS, OUT, TABLE, USUAL, contents, draw, forget, refused, run

from vigil.core.storage import read_json, read_table, sha256_file
from vigil.engine import tracking
from vigil.models import checkpoint

KEPT = Path("kept")


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracking.SWITCH, "off")


def keep(name: str = "pose_lstm") -> None:
    shutil.copytree(OUT, KEPT / name)


def trains(capsys: pytest.CaptureFixture[str], **changes: Any) -> bool:
    capsys.readouterr()
    run(**changes)
    return "restored from the store" not in capsys.readouterr().out


def test_six_epochs_and_six_more_leave_the_files_of_twelve() -> None:
    draw(USUAL)
    whole = contents(run(shared={"epochs": 12})), TABLE.read_bytes()
    run(shared={"epochs": 6})
    keep()
    run(shared={"epochs": 12, "resume_from": "kept"})
    assert (contents(OUT), TABLE.read_bytes()) == whole
    assert read_json(OUT / "config.json")["epochs"] == [12]


def test_the_contents_of_the_file_count_and_not_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    draw(USUAL)
    run()
    keep()
    shutil.copytree(KEPT, "elsewhere")
    assert trains(capsys, shared={"epochs": 5, "resume_from": "kept"})
    first = contents(OUT)
    assert not trains(capsys, shared={"epochs": 5, "resume_from": "elsewhere/pose_lstm"})
    assert contents(OUT) == first
    run(shared={"lr": 0.02})
    shutil.rmtree(KEPT)
    keep()
    assert trains(capsys, shared={"epochs": 5, "resume_from": "kept"})
    assert contents(OUT) != first
    assert trains(capsys, shared={"start_from": "kept"})
    assert trains(capsys, shared={"start_from": "elsewhere"})
    assert not trains(capsys, shared={"start_from": "elsewhere/pose_lstm/weights.safetensors"})


def test_a_start_takes_weights_for_a_new_training(capsys: pytest.CaptureFixture[str]) -> None:
    draw(USUAL)
    run()
    keep()
    before = load_file(KEPT / "pose_lstm/weights.safetensors")
    run(train={"start_from": "kept", "epochs": 1, "freeze": ["layers"]})
    assert "pose_lstm: starts with the weights of kept" in capsys.readouterr().out
    after = load_file(OUT / "weights.safetensors")
    for name, tensor in after.items():
        assert torch.equal(tensor, before[name]) == name.startswith("layers"), name
    assert [row["epoch"] for row in read_table(TABLE)] == ["1"]


def test_what_cannot_be_is_one_line_before_anything_is_read() -> None:
    draw(USUAL)
    run()
    assert "train.resume_from = 'models/pose_lstm': lies in models/pose_lstm" in refused(
        shared={"resume_from": "models/pose_lstm"}
    )
    keep()
    shutil.rmtree("data")
    draw(USUAL)
    Path("data/manifest/train.csv").unlink()
    assert "train.start_from = 'old': no such file" in refused(train={"start_from": "old"})
    weights = sha256_file(KEPT / "pose_lstm/weights.safetensors")
    assert f"has sha256 {weights}, train.start_from_sha256 says" in refused(
        shared={"start_from": "kept", "start_from_sha256": "0" * 64}
    )


def test_other_shapes_are_refused_by_the_name_of_the_tensor() -> None:
    draw(USUAL)
    run()
    keep()
    assert "'kept': head.weight: 3x16 float32 found, 3x8 float32 expected." in refused(
        shared={"start_from": "kept"}, hidden=[8, 4]
    )
    assert "Did you mean 'layers'?" in refused(train={"freeze": ["layer"]})
    assert "train.epochs is 3, which counts those too" in refused(shared={"resume_from": "kept"})


def test_curves_and_pictures_arrive_in_mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    from vigil.training import pictures

    def draw_anything(path: Path, *_: Any) -> bool:
        path.write_bytes(b"picture")
        return True

    draw(USUAL)
    plain = contents(run())
    forget()
    monkeypatch.setenv(tracking.SWITCH, "on")
    monkeypatch.setattr(pictures, "draw_samples", draw_anything)
    assert contents(run(shared={"pictures_every": 2})) == plain
    run(shared={"epochs": 4, "start_from": None})
    keep()
    run(shared={"epochs": 6, "resume_from": "kept", "schedule": "cosine"})
    client = MlflowClient(tracking_uri=tracking.uri())
    experiment = client.get_experiment_by_name(tracking.EXPERIMENT)
    resumed, _, first = client.search_runs(
        [experiment.experiment_id], "tags.model = 'pose_lstm'", order_by=["attributes.start_time DESC"]
    )
    assert {"lr", "train_accuracy", "val_accuracy", "val_balanced_accuracy"} <= set(first.data.metrics)
    artifacts = {file.path for file in client.list_artifacts(first.info.run_id, "pictures")}
    assert artifacts == {"pictures/history.png", "pictures/member-0-epoch-0002.png"}
    rates = client.get_metric_history(resumed.info.run_id, "lr")
    assert [rate.step for rate in rates] == [1, 2, 3, 4, 5, 6]  # the earlier epochs too
    assert [rate.value for rate in rates[:4]] == [0.01] * 4 and rates[5].value < rates[4].value < 0.01


def test_pictures_are_no_part_of_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    draw(USUAL)
    assert trains(capsys)
    assert not trains(capsys, shared={"pictures_every": 1})


def test_what_serves_a_model_is_all_that_is_loaded() -> None:
    """And the state of the training may be deleted."""
    draw(USUAL)
    run()
    (OUT / "training.safetensors").unlink()
    assert list(checkpoint.load_checkpoint(OUT).card.classes) == list(LABELS)
