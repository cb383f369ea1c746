"""What a training begins with instead of random weights, as `train` in params.yaml says.

start_from     weights alone: a .safetensors file, or a folder with weights.safetensors
resume_from    all that a finished training had come to: a training.safetensors, or a folder with one

A folder may also have one folder per model, as `models` has. Relative paths begin at the project's folder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.storage import sha256_file
from vigil.models.blocks.layers import load_pretrained
from vigil.models.checkpoint import MEMBERS, WEIGHTS, find_mismatch
from vigil.training import training_file
from vigil.training.devices import say
from vigil.training.resume import EndState
from vigil.training.schedules import TrainParams


@dataclass(frozen=True)
class WarmStart:
    """An existing file that a training begins with."""

    key: str  # of params.yaml: start_from or resume_from
    source: str  # what params.yaml says
    path: Path
    sha256: str


def find_warm_start(params: TrainParams, model: str, out: Path) -> WarmStart | None:
    """Finds the file that params.yaml names; None where it names none. `out` is where DVC wants the trained model."""
    if params.resume_from is not None:
        key, source, expected, name = "resume_from", params.resume_from, params.resume_from_sha256, training_file.FILE
    elif params.start_from is not None:
        key, source, expected, name = "start_from", params.start_from, params.start_from_sha256, WEIGHTS
    else:
        return None
    where = f"{model}: train.{key} = {source!r}"
    configured = settings.root() / Path(source).expanduser()
    candidates = (configured, configured / name, configured / model / name)
    if any(candidate.resolve().is_relative_to(out.resolve()) for candidate in (configured, configured / model)):
        raise VigilError(
            f"{where}: lies in {out}, which DVC empties before the training begins. Bring it back "
            f"(`dvc checkout {out}`), copy it to another folder, and name that one."
        )
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise VigilError(
            f"{where}: no such file, and no folder with {name} or {model}/{name} in it. Correct the path, or set it to "
            "null."
        )
    sha256 = sha256_file(path)
    if expected is not None and sha256 != expected:
        raise VigilError(
            f"{where}: {path.name} has sha256 {sha256}, train.{key}_sha256 says {expected}. Bring the right file, or "
            "correct the number."
        )
    return WarmStart(key, source, path, sha256)


def begin_from(
    start: WarmStart, networks: Sequence[Any], model: str, data_hash: str, params: TrainParams
) -> list[EndState] | None:
    """Loads weights into `networks` and returns None, or returns what each of them is to go on with."""
    if start.key == "resume_from":
        return _read_end_states(start, networks, model, data_hash, params)
    _load_weights(start, networks, model)
    return None


def _load_weights(start: WarmStart, networks: Sequence[Any], model: str) -> None:
    """Loads one set of weights into all members, or of several, into each member its own."""
    tensors = load_pretrained(
        start.path,
        "train.start_from",
        if_missing="Correct the path",
        if_broken="Name weights.safetensors of a trained model",
    )
    numbers = sorted({int(name.split(".")[1]) for name in tensors if name.startswith(MEMBERS)})
    members = [_remove_prefix(tensors, f"{MEMBERS}{number}.") for number in numbers] or [tensors]
    if len(members) not in (1, len(networks)):
        _refuse_member_count(start, len(members), len(networks), model)
    for number, network in enumerate(networks):
        weights = members[number % len(members)]
        _check_shapes(start, weights, network, model)
        network.load_state_dict(weights)
    say(f"{model}: starts with the weights of {start.source}")


def _read_end_states(
    start: WarmStart, networks: Sequence[Any], model: str, data_hash: str, params: TrainParams
) -> list[EndState]:
    where = f"{model}: train.resume_from = {start.source!r}"
    saved = training_file.read_training(start.path)
    if saved.model != model:
        raise VigilError(f"{where}: a training of {saved.model}. Name one of {model}.")
    if len(saved.members) != len(networks):
        _refuse_member_count(start, len(saved.members), len(networks), model)
    for end, network in zip(saved.members, networks, strict=True):
        _check_shapes(start, end.state["model"], network, model)
        if saved.data_hash != data_hash:
            end.progress.forget_best()
        end.progress.finished = end.progress.is_over(params)
    epochs = max(end.progress.epoch for end in saved.members)
    if epochs >= params.epochs:
        raise VigilError(
            f"{where}: a training of {epochs} epochs, and train.epochs is {params.epochs}, which counts those too. Set "
            f"it above {epochs}."
        )
    if all(end.progress.finished for end in saved.members):
        raise VigilError(
            f"{where}: it had stopped because nothing became better. Raise train.patience ({params.patience}), or set "
            "it to 0."
        )
    say(f"{model}: goes on after epoch {epochs} of {start.source}")
    if saved.data_hash != data_hash:
        say(f"{model}: its samples are others than those of {start.source}: the best epoch will be a new one")
    return list(saved.members)


def _check_shapes(start: WarmStart, weights: Mapping[str, Tensor], network: Any, model: str) -> None:
    if mismatch := find_mismatch(weights, network):
        raise VigilError(
            f"{model}: train.{start.key} = {start.source!r}: {mismatch}. Give models.{model} the classes and sizes "
            "that these weights were trained with, or set it to null."
        )


def _refuse_member_count(start: WarmStart, count: int, expected: int, model: str) -> None:
    raise VigilError(
        f"{model}: train.{start.key} = {start.source!r}: {count} members found, {expected} expected. Set "
        f"models.{model}.members to {count}."
    )


def _remove_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
