"""What the train stage has trained before is restored from the store, and nothing else is."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from segment_training import FEATURES, LABELS, OUT, TABLE, USUAL, contents, draw, run

from vigil.core.storage import load_arrays, save_arrays
from vigil.engine import tracking


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracking.SWITCH, "off")


def trains(capsys: pytest.CaptureFixture[str], **changes: Any) -> bool:
    """Whether the stage trained; when it did not, it says that it restored what was trained before."""
    capsys.readouterr()
    run(**changes)
    printed = capsys.readouterr().out
    assert ("restored from the store" in printed) != ("epoch 1 of" in printed)
    return "epoch 1 of" in printed


def test_what_was_trained_before_is_restored(capsys: pytest.CaptureFixture[str]) -> None:
    """And a switch back to yesterday's settings trains nothing."""
    draw(USUAL)
    assert trains(capsys)
    first, table = contents(OUT), TABLE.read_bytes()
    shutil.rmtree(OUT)
    TABLE.unlink()
    assert not trains(capsys)
    assert (contents(OUT), TABLE.read_bytes()) == (first, table)
    assert trains(capsys, shared={"lr": 0.02})
    assert contents(OUT) != first
    assert not trains(capsys)
    assert (contents(OUT), TABLE.read_bytes()) == (first, table)
    assert not trains(capsys, shared={"report_every": 3, "workers": 1})


def test_only_videos_that_it_learns_from_count(capsys: pytest.CaptureFixture[str]) -> None:
    """`arson` is no class of the model, so its video is no more to it than one of the test split."""
    draw(USUAL | {"train": (*LABELS * 2, "arson"), "test": LABELS})
    assert trains(capsys)

    def change(split: str, video: str) -> None:
        arrays = load_arrays(FEATURES / f"{split}.npz")
        row = int(np.flatnonzero(arrays["video"] == video)[0])
        arrays["x"][row, 0, 0] += 1
        save_arrays(FEATURES / f"{split}.npz", **arrays)

    change("test", "set/test0")
    change("train", "set/train6")
    assert not trains(capsys)
    change("train", "set/train0")
    assert trains(capsys)
    change("val", "set/val0")
    assert trains(capsys)


def test_a_damaged_result_is_trained_again(capsys: pytest.CaptureFixture[str]) -> None:
    draw(USUAL)
    run()
    first = contents(OUT)
    (stored,) = Path(".vigil/store").glob("*/*/weights.safetensors")
    damaged = bytearray(stored.read_bytes())
    damaged[-1] ^= 1
    stored.chmod(0o644)
    stored.write_bytes(damaged)
    assert trains(capsys)
    assert contents(OUT) == first
    assert not trains(capsys)


def test_a_restored_training_has_a_run_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv(tracking.SWITCH, "on")
    draw(USUAL)
    run()
    run()
    client = MlflowClient(tracking_uri=tracking.uri())
    experiment = client.get_experiment_by_name(tracking.EXPERIMENT)
    restored, trained = client.search_runs(
        [experiment.experiment_id], "tags.model = 'pose_lstm'", order_by=["attributes.start_time DESC"]
    )
    assert (restored.data.tags.get("restored"), trained.data.tags.get("restored")) == ("true", None)
    for tag in (tracking.MODEL, "stage_hash", "data_hash"):
        assert restored.data.tags[tag] == trained.data.tags[tag]
    assert restored.data.metrics == trained.data.metrics
    assert restored.info.status == "FINISHED"
