"""A trained model on disk: weights.safetensors, and config.json with all that is needed to run it. No pickles.

    save_checkpoint(folder, card, members)
    checkpoint = load_checkpoint(folder, features=lineage.read(data))

The same training gives the same bytes: there are no times, paths or versions in it. A process reads it once, however
often it is asked for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from vigil import models
from vigil.core import lineage
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.core.storage import read_json, replacing, sha256_file, write_json
from vigil.models.blocks.layers import Clip, Predictions

WEIGHTS, CONFIG = "weights.safetensors", "config.json"
MEMBERS = "members."  # members.<number>.<name> where several were trained
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how torch.save and pickle begin


@dataclass(frozen=True)
class Card:
    """The contents of config.json."""

    model: str  # module of vigil.models
    config: Frozen
    classes: Mapping[str, Sequence[str]]  # name -> labels of the table of videos; in order
    clip: Clip  # what one sample of the model is
    input: str  # kind of features
    features: Mapping[str, Any]  # how they were made; see core/lineage.py
    data_hash: str  # of what it was trained on
    seed: int
    best: Sequence[Mapping[str, Any]]  # of each member: epoch, metric, value, loss
    epochs: Sequence[int]  # among which validation chose each member
    datasets: Sequence[str] | None = None  # sets that it learnt from and is judged on in the pipeline; None: all


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to judge, in eval mode on the CPU. All who load it share it, so nobody may change it."""

    model: Any  # has forward, judge and clip, whether it is one or several
    card: Card
    sha256: str  # of the weights: the model's name in alerts, calibrations and tracking
    folder: Path  # where its files are


class Members(nn.Module):
    """Models of one kind that were trained from different seeds; what they judge is the mean of what each does."""

    def __init__(self, members: Sequence[Any]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.config, self.clip = members[0].config, members[0].clip

    def forward(self, x: Tensor) -> tuple[Any, ...]:
        return tuple(member(x) for member in self.members)

    @torch.no_grad()
    def judge(self, outputs: Sequence[Any], x: Tensor) -> Predictions:
        return mean_predictions([member.judge(output, x) for member, output in zip(self._models, outputs, strict=True)])

    @torch.no_grad()
    def step(self, frame: Tensor, states: Sequence[Any] | None) -> tuple[Predictions, tuple[Any, ...]]:
        """Judges the newest frame of a stream; for models that have a step."""
        states = states or [None] * len(self.members)
        steps = [member.step(frame, state) for member, state in zip(self._models, states, strict=True)]
        return mean_predictions([predictions for predictions, _ in steps]), tuple(state for _, state in steps)

    @property
    def _models(self) -> list[Any]:
        return list(self.members)


def mean_predictions(predictions: Sequence[Predictions]) -> Predictions:
    """Averages what several members say of the same samples."""
    return {key: torch.stack([member[key] for member in predictions]).mean(dim=0) for key in predictions[0]}


def find_module(name: str, where: str) -> ModuleType:
    """Returns `vigil.models.<name>`, which has `Config` and `Model`; `where` names who asked in the error."""
    names = sorted(path.stem for folder in models.__path__ for path in Path(folder).glob("[a-z]*.py"))
    module = None
    if re.fullmatch("[a-z][a-z0-9_]*", name) and find_spec(f"vigil.models.{name}"):
        module = import_module(f"vigil.models.{name}")
    if module is None or not (hasattr(module, "Config") and hasattr(module, "Model")):
        raise VigilError(f"{where}: no model '{name}' in src/vigil/models.{near_miss(name, names)}")
    return module


def save_checkpoint(folder: Path, card: Card, members: Sequence[Mapping[str, Tensor]]) -> str:
    """Writes both files and returns the digest of the weights."""
    from safetensors.torch import save_file

    tensors = members[0] if len(members) == 1 else {}
    if not tensors:
        tensors = {
            f"{MEMBERS}{number}.{name}": tensor
            for number, member in enumerate(members)
            for name, tensor in member.items()
        }
    with replacing(folder / WEIGHTS) as partial_path:
        save_file({name: tensors[name].detach().cpu().contiguous().clone() for name in sorted(tensors)}, partial_path)
    payload = asdict(card) | {
        "config": card.config.model_dump(mode="json"),
        "classes": [{"name": name, "labels": list(labels)} for name, labels in card.classes.items()],  # order counts
        "members": len(members),
    }
    write_json(folder / CONFIG, payload)
    return sha256_file(folder / WEIGHTS)


def load_checkpoint(folder: Path, features: Mapping[str, Any] | None = None) -> Checkpoint:
    """Loads a trained model. With `features`, VigilError unless it was trained on features made in that way."""
    versions = tuple(_file_version(folder / name) for name in (WEIGHTS, CONFIG))
    checkpoint = _read_checkpoint(folder, folder.absolute(), versions)
    if features is not None and (mismatch := lineage.difference(checkpoint.card.features, features)):
        raise VigilError(
            f"{folder}: the features are not those it was trained on: {mismatch}. Train it on these "
            f"(`dvc repro train@{checkpoint.card.model}`), or set that key back in params.yaml."
        )
    return checkpoint


@lru_cache(maxsize=32)
def _read_checkpoint(folder: Path, _absolute: Path, _versions: tuple[object, ...]) -> Checkpoint:
    """Reads a model once in a process, for as long as its files stay what they are."""
    path = folder / CONFIG
    payload = read_json(path)
    try:
        name, count = payload["model"], payload["members"]
        module = find_module(name, str(path))
        card = Card(
            model=name,
            config=module.Config.read(payload["config"], f"{path}: config"),
            classes={section["name"]: tuple(section["labels"]) for section in payload["classes"]},
            clip=Clip(**payload["clip"]),
            input=payload["input"],
            features=payload["features"],
            data_hash=payload["data_hash"],
            seed=payload["seed"],
            best=payload["best"],
            epochs=payload["epochs"],
            datasets=payload["datasets"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise VigilError(
            f"{path}: not what a training writes: {type(error).__name__} {error}. Run `dvc repro train@<model>`."
        ) from None
    with torch.random.fork_rng(devices=[]):
        members = [module.Model(card.config, len(card.classes)) for _ in range(count)]
    model = members[0] if count == 1 else Members(members)
    if model.clip != card.clip:
        raise VigilError(
            f"{folder}: trained on {card.clip}, this version of {name} looks at {model.clip}. Train it again."
        )
    model.load_state_dict(_read_tensors(folder / WEIGHTS, model))
    return Checkpoint(model.eval().requires_grad_(False), card, sha256_file(folder / WEIGHTS), folder)


def _file_version(path: Path) -> tuple[int, int, int] | None:
    """Returns what differs when a file is another one than before; None where there is no file."""
    if not path.exists():
        return None
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read_tensors(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """Reads the tensors of the file, which must be those of `model` by name, shape and type."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    advice = "Restore it (`dvc checkout`), or train again."
    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise VigilError(f"{path}: not found. {advice}") from None
    except (SafetensorError, OSError, ValueError) as error:
        if path.is_file() and path.read_bytes()[:4].startswith(PICKLES):
            raise VigilError(
                f"{path}: a pickle, which can run code when it is read, and no safetensors. {advice}"
            ) from None
        raise VigilError(f"{path}: damaged, or no safetensors ({' '.join(str(error).split())}). {advice}") from None
    if mismatch := find_mismatch(tensors, model):
        raise VigilError(f"{path}: {mismatch}: weights of another model. {advice}")
    return tensors


def find_mismatch(weights: Mapping[str, Tensor], model: nn.Module) -> str | None:
    """Describes the first of the weights that `model` cannot take, by name, shape or type, or that it lacks."""
    expected = model.state_dict()
    for name in sorted(expected.keys() | weights.keys()):
        expected_shape, shape = (_describe_shape(tensors.get(name)) for tensors in (expected, weights))
        if expected_shape != shape:
            return f"{name}: {shape} found, {expected_shape} expected"
    return None


def _describe_shape(tensor: Tensor | None) -> str:
    if tensor is None:
        return "nothing"
    return f"{'x'.join(map(str, tensor.shape)) or 'a number'} {str(tensor.dtype).removeprefix('torch.')}"


def _load_pyfunc(path: str) -> "ServedModel":
    """Loads a model; MLflow calls this by name: `mlflow.pyfunc.load_model("models:/panic/1").predict(x)`."""
    return ServedModel(load_checkpoint(Path(path)))


@dataclass(frozen=True)
class ServedModel:
    """A model that takes arrays and gives arrays."""

    checkpoint: Checkpoint

    def predict(self, x: Any, params: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG002  MLflow's name
        """Returns what `judge` says of samples, which are float32 and as the model takes them."""
        tensor = torch.as_tensor(x, dtype=torch.float32)
        with torch.no_grad():
            predictions = self.checkpoint.model.judge(self.checkpoint.model(tensor), tensor)
        return {key: value.numpy() for key, value in predictions.items()}
