"""What is saved is what is loaded; what is not ours fails to load in one line, and never runs."""

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import FEATURES, FOLDER, card, judge, network, poses, save
from safetensors.torch import load_file, save_file

from vigil.core.errors import VigilError
from vigil.models import checkpoint
from vigil.models.checkpoint import CONFIG, WEIGHTS


def test_what_is_saved_is_what_is_loaded() -> None:
    digest = save()
    loaded = checkpoint.load_checkpoint(FOLDER, FEATURES)
    assert loaded.card == card()
    assert list(loaded.card.classes) == ["normal", "theft", "assault"]  # the order is the class number
    assert loaded.sha256 == digest
    for name, values in judge(network()).items():
        assert torch.equal(judge(loaded.model)[name], values)
    assert not loaded.model.training
    assert not any(tensors.requires_grad for tensors in loaded.model.parameters())


def test_the_same_training_gives_the_same_files() -> None:
    save(Path("one"))
    save(Path("two"))
    for name in (WEIGHTS, CONFIG):
        assert (Path("one") / name).read_bytes() == (Path("two") / name).read_bytes()
    assert str(Path.cwd()) not in (Path("one") / CONFIG).read_text()


def test_a_header_may_begin_like_a_pickle() -> None:
    """Its first bytes are its length: 0x0580 of them begin as pickle's protocol 5 does."""
    save()
    for length in range(1, 2000):
        save_file(load_file(FOLDER / WEIGHTS), FOLDER / WEIGHTS, {"a": "b" * length})
        if (FOLDER / WEIGHTS).read_bytes().startswith(b"\x80\x05"):
            break
    else:
        pytest.fail("no such length")
    checkpoint.load_checkpoint(FOLDER)


def test_members_judge_together() -> None:
    save(members=3)
    assert "members.2.head.bias" in load_file(FOLDER / WEIGHTS)
    together = judge(checkpoint.load_checkpoint(FOLDER).model)
    alone = [judge(network(seed)) for seed in range(3)]
    for name, values in together.items():
        torch.testing.assert_close(values, sum(tensors[name] for tensors in alone) / 3)


def test_members_follow_a_stream_each_with_its_own_state() -> None:
    class Counter(torch.nn.Module):
        config = clip = None

        def __init__(self, pace: int) -> None:
            super().__init__()
            self.pace = pace

        def step(self, frame: torch.Tensor, state: int | None) -> tuple[dict[str, torch.Tensor], int]:
            state = (state or 0) + self.pace
            return {"window": frame + state}, state

    members = checkpoint.Members([Counter(1), Counter(3)])
    predictions, state = members.step(torch.zeros(2), None)
    assert (predictions["window"].tolist(), state) == ([2.0, 2.0], (1, 3))
    predictions, state = members.step(torch.zeros(2), state)
    assert (predictions["window"].tolist(), state) == ([4.0, 4.0], (2, 6))


def test_loading_draws_no_random_number() -> None:
    save()
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    checkpoint.load_checkpoint(FOLDER)
    assert torch.equal(torch.rand(1), expected)


def test_features_made_otherwise_are_refused_by_the_first_key_that_differs() -> None:
    save()
    other = {"frames": {"fps": 4.0}, "segments": {"frames": 8, "normalise": "body"}}
    with pytest.raises(VigilError) as caught:
        checkpoint.load_checkpoint(FOLDER, other)
    text = str(caught.value)
    assert text.startswith("models/pose_lstm: the features are not those it was trained on: frames.fps: 8.0 expected")
    assert "4.0 found" in text and "dvc repro train@pose_lstm" in text


def weights(change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(FOLDER / WEIGHTS)
    change(tensors)
    save_file(tensors, FOLDER / WEIGHTS)


class Bomb:
    def __reduce__(self) -> Any:
        return os.mkdir, ("boom",)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: torch.save({"a": torch.ones(1)}, path), "a pickle, which can run code"),
        (lambda path: path.write_bytes(pickle.dumps(Bomb())), "a pickle, which can run code"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "damaged, or no safetensors"),
        (lambda path: path.write_bytes(path.read_bytes()[:4]), "damaged, or no safetensors"),
        (lambda path: path.write_bytes(b""), "damaged, or no safetensors"),
        (lambda path: path.write_text("<html>not found</html>"), "damaged, or no safetensors"),
        (lambda path: path.unlink(), "not found"),
        (
            lambda _path: weights(lambda tensors: tensors.update({"head.bias": torch.zeros(4)})),
            "head.bias: 4 float32 found, 3 float32 expected: weights of another model",
        ),
        (lambda _path: weights(lambda tensors: tensors.pop("head.bias")), "head.bias: nothing found"),
        (
            lambda _path: weights(lambda tensors: tensors.update({"extra": torch.zeros(2)})),
            "extra: 2 float32 found, nothing expected",
        ),
        (
            lambda _path: weights(lambda tensors: tensors.update({"head.bias": torch.zeros(3).half()})),
            "head.bias: 3 float16 found",
        ),
    ],
)
def test_weights_that_are_not_ours_are_one_line(spoil: Callable[[Path], Any], words: str) -> None:
    save()
    spoil(FOLDER / WEIGHTS)
    with pytest.raises(VigilError) as caught:
        checkpoint.load_checkpoint(FOLDER)
    text = str(caught.value)
    assert text.startswith("models/pose_lstm/weights.safetensors: ") and words in text and "\n" not in text
    assert "dvc checkout" in text
    assert not Path("boom").exists()


def config(change: Callable[[dict[str, Any]], Any]) -> None:
    payload = json.loads((FOLDER / CONFIG).read_text())
    change(payload)
    (FOLDER / CONFIG).write_text(json.dumps(payload))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ((FOLDER / CONFIG).unlink, "not found"),
        (lambda: (FOLDER / CONFIG).write_text("{"), "not valid JSON"),
        (lambda: (FOLDER / CONFIG).write_text("[]"), "not what a training writes"),
        (lambda: config(lambda payload: payload.pop("classes")), "not what a training writes: KeyError 'classes'"),
        (lambda: config(lambda payload: payload.update(model="pose_lstn")), "no model 'pose_lstn'"),
        (lambda: config(lambda payload: payload.update(model="layers")), "no model 'layers'"),
        (lambda: config(lambda payload: payload.update(model="../os")), "no model '../os'"),
        (lambda: config(lambda payload: payload["config"].update(hiden=3)), "config: unknown key 'hiden'"),
        (lambda: config(lambda payload: payload["clip"].update(frames=9)), "looks at Clip(frames=8"),
    ],
)
def test_a_description_that_is_not_ours_is_one_line(spoil: Callable[[], Any], words: str) -> None:
    save()
    spoil()
    with pytest.raises(VigilError) as caught:
        checkpoint.load_checkpoint(FOLDER)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_saving_replaces_a_file_that_dvc_made_read_only() -> None:
    save()
    (FOLDER / WEIGHTS).chmod(0o444)
    digest = checkpoint.save_checkpoint(FOLDER, replace(card(), seed=8), [network(5).state_dict()])
    assert checkpoint.load_checkpoint(FOLDER).sha256 == digest
    assert checkpoint.load_checkpoint(FOLDER).card.seed == 8


def test_mlflow_serves_arrays() -> None:
    save()
    served = checkpoint._load_pyfunc(str(FOLDER))
    predictions = served.predict(poses().numpy())
    assert set(predictions) == {"window", "classes"}
    torch.testing.assert_close(torch.tensor(predictions["window"]), judge(network())["window"])
