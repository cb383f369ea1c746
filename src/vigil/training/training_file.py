"""training.safetensors: all that a finished training had come to, so that one of more epochs goes on. No pickle.

The tensors of member N are named members.N. and then

    model.<weight>               weights after the last epoch
    best.<weight>                the best weights
    average.<weight>             the running mean of the weights, where there is one
    optimiser.<weight>.<word>    what the optimiser remembers of a weight, such as exp_avg

All else is JSON in the header. The same training gives the same bytes, whether or not it was interrupted.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from vigil.core.errors import VigilError
from vigil.core.storage import replacing
from vigil.training.resume import EndState, Progress

FILE = "training.safetensors"
HEADER = "training"


@dataclass(frozen=True)
class SavedTraining:
    """The contents of the file."""

    model: str
    data_hash: str  # of what it learnt from and was judged on
    members: Sequence[EndState]


def write_training(path: Path, saved: SavedTraining) -> None:
    """Replaces the file `path`."""
    from safetensors.torch import save_file

    tensors, members = {}, []
    for number, end in enumerate(saved.members):
        for name, tensor in _named_tensors(end):
            tensors[f"members.{number}.{name}"] = tensor.detach().cpu().contiguous().clone()
        fields = end.progress.to_fields()
        del fields["best_weights"]
        members.append(fields | {"scaler": end.state["scaler"]})
    header = json.dumps({"model": saved.model, "data_hash": saved.data_hash, "members": members}, sort_keys=True)
    with replacing(path) as temporary:
        save_file({name: tensors[name] for name in sorted(tensors)}, temporary, {HEADER: header})


def read_training(path: Path) -> SavedTraining:
    """Reads what `write_training` wrote; VigilError where the file is another."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {})[HEADER])
            tensors: list[dict[str, Tensor]] = [{} for _ in header["members"]]
            for key in file.keys():  # noqa: SIM118  it is no mapping
                _, number, name = key.split(".", 2)
                tensors[int(number)][name] = file.get_tensor(key).clone()
        members = [_make_end_state(fields, named) for fields, named in zip(header["members"], tensors, strict=True)]
        return SavedTraining(header["model"], header["data_hash"], members)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError) as error:
        problem = " ".join(str(error).split())
        raise VigilError(
            f"{path}: not the state of a training ({type(error).__name__}: {problem}). Name the {FILE} that a training "
            "has written."
        ) from None


def _named_tensors(end: EndState) -> Iterator[tuple[str, Tensor]]:
    sections = {"model": end.state["model"], "best": end.progress.best_weights, "average": end.state["average"] or {}}
    for section, weights in sections.items():
        for name, tensor in weights.items():
            yield f"{section}.{name}", tensor
    for name, memory in end.state["optimiser"].items():
        for word, tensor in memory.items():
            yield f"optimiser.{name}.{word}", tensor


def _make_end_state(fields: dict[str, Any], tensors: dict[str, Tensor]) -> EndState:
    scaler = fields.pop("scaler")
    sections: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "average": {}, "optimiser": {}}
    for key, tensor in tensors.items():
        section, _, name = key.partition(".")
        sections[section][name] = tensor
    memory: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, tensor in sections["optimiser"].items():
        name, _, word = key.rpartition(".")
        memory[name][word] = tensor
    state = {
        "model": sections["model"],
        "optimiser": dict(memory),
        "scaler": scaler,
        "average": sections["average"] or None,
    }
    return EndState(Progress.from_fields(fields | {"best_weights": sections["best"]}), state)
