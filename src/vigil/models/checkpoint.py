"""A trained model on disk: weights.safetensors, and config.json with all that is needed to run it. No pickles.

    checkpoint.save(folder, card, members)
    loaded = checkpoint.load(folder, features=lineage.read(data))

The same training gives the same bytes: there are no times, paths or versions in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
from vigil.models.blocks.layers import Clip, Judged

WEIGHTS, CONFIG = "weights.safetensors", "config.json"
MEMBERS = "members."  # members.<number>.<name> where several were trained
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how torch.save and pickle begin


@dataclass(frozen=True)
class Card:
    """What goes into config.json."""

    model: str  # module of vigil.models
    config: Frozen
    classes: Mapping[str, Sequence[str]]  # name -> labels of the manifest; in order
    clip: Clip  # what one sample of the model is
    input: str  # kind of features
    features: Mapping[str, Any]  # how they were made; see lineage.py
    data_hash: str  # of what it was trained on
    seed: int
    best: Sequence[Mapping[str, Any]]  # of each member: epoch, metric, value, loss
    epochs: Sequence[int]  # that each member was trained for


@dataclass(frozen=True)
class Loaded:
    """A model ready to judge, in eval mode on the CPU."""

    model: Any  # has forward, judge and clip, whether it is one or several
    card: Card
    sha256: str  # of the weights: the model's name in alerts, calibrations and tracking


class Members(nn.Module):
    """Models of one kind that were trained from different seeds; what they judge is the mean of what each does."""

    def __init__(self, members: Sequence[Any]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.config, self.clip = members[0].config, members[0].clip

    def forward(self, x: Tensor) -> tuple[Any, ...]:
        return tuple(member(x) for member in self.members)

    @torch.no_grad()
    def judge(self, outputs: Sequence[Any], x: Tensor) -> Judged:
        return mean([member.judge(output, x) for member, output in zip(self._each, outputs, strict=True)])

    @torch.no_grad()
    def step(self, frame: Tensor, states: Sequence[Any] | None) -> tuple[Judged, tuple[Any, ...]]:
        """The newest frame of a stream, for models that have a step."""
        before = states or [None] * len(self.members)
        found = [member.step(frame, state) for member, state in zip(self._each, before, strict=True)]
        return mean([judged for judged, _ in found]), tuple(state for _, state in found)

    @property
    def _each(self) -> list[Any]:
        return list(self.members)


def mean(judged: Sequence[Judged]) -> Judged:
    return {key: torch.stack([each[key] for each in judged]).mean(dim=0) for key in judged[0]}


def module(name: str, where: str) -> ModuleType:
    """`vigil.models.<name>`, which has `Config` and `Model`; `where` names who asked in the error."""
    known = sorted(path.stem for folder in models.__path__ for path in Path(folder).glob("[a-z]*.py"))
    found = None
    if re.fullmatch("[a-z][a-z0-9_]*", name) and find_spec(f"vigil.models.{name}"):
        found = import_module(f"vigil.models.{name}")
    if found is None or not (hasattr(found, "Config") and hasattr(found, "Model")):
        raise VigilError(f"{where}: no model '{name}' in src/vigil/models.{near_miss(name, known)}")
    return found


def save(folder: Path, card: Card, members: Sequence[Mapping[str, Tensor]]) -> str:
    """Write both files; the digest of the weights."""
    from safetensors.torch import save_file

    tensors = members[0] if len(members) == 1 else {}
    if not tensors:
        tensors = {
            f"{MEMBERS}{number}.{name}": each for number, one in enumerate(members) for name, each in one.items()
        }
    with replacing(folder / WEIGHTS) as part:
        save_file({name: tensors[name].detach().cpu().contiguous().clone() for name in sorted(tensors)}, part)
    told = asdict(card) | {
        "config": card.config.model_dump(mode="json"),
        "classes": [{"name": name, "labels": list(labels)} for name, labels in card.classes.items()],  # order counts
        "members": len(members),
    }
    write_json(folder / CONFIG, told)
    return sha256_file(folder / WEIGHTS)


def load(folder: Path, features: Mapping[str, Any] | None = None) -> Loaded:
    """The model as it was trained. With `features`, VigilError unless it was trained on features made in that way."""
    path = folder / CONFIG
    told = read_json(path)
    try:
        name, count = told["model"], told["members"]
        kind = module(name, str(path))
        card = Card(
            name,
            kind.Config.read(told["config"], f"{path}: config"),
            {one["name"]: tuple(one["labels"]) for one in told["classes"]},
            Clip(**told["clip"]),
            *(told[key] for key in ("input", "features", "data_hash", "seed", "best", "epochs")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise VigilError(
            f"{path}: not what a training writes: {type(error).__name__} {error}. Run `dvc repro train@<model>`."
        ) from None
    if features is not None and (other := lineage.difference(card.features, features)):
        raise VigilError(
            f"{folder}: the features are not those it was trained on: {other}. Train it on these "
            f"(`dvc repro train@{name}`), or set that key back in params.yaml."
        )
    with torch.random.fork_rng(devices=[]):
        members = [kind.Model(card.config, len(card.classes)) for _ in range(count)]
    model = members[0] if count == 1 else Members(members)
    if model.clip != card.clip:
        raise VigilError(
            f"{folder}: trained on {card.clip}, this version of {name} looks at {model.clip}. Train it again."
        )
    model.load_state_dict(_tensors(folder / WEIGHTS, model))
    return Loaded(model.eval().requires_grad_(False), card, sha256_file(folder / WEIGHTS))


def _tensors(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """The tensors of the file, which must be those of `model` by name, shape and type."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    again = "Restore it (`dvc checkout`), or train again."
    try:
        found = load_file(path)
    except FileNotFoundError:
        raise VigilError(f"{path}: not found. {again}") from None
    except (SafetensorError, OSError, ValueError) as error:
        if path.is_file() and path.read_bytes()[:4].startswith(PICKLES):
            raise VigilError(
                f"{path}: a pickle, which can run code when it is read, and no safetensors. {again}"
            ) from None
        raise VigilError(f"{path}: damaged, or no safetensors ({' '.join(str(error).split())}). {again}") from None
    expected = model.state_dict()
    for name in sorted(expected.keys() | found.keys()):
        ours, theirs = (_kind(each.get(name)) for each in (expected, found))
        if ours != theirs:
            raise VigilError(f"{path}: {name}: {theirs} found, {ours} expected: weights of another model. {again}")
    return found


def _kind(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{'x'.join(map(str, tensor.shape)) or 'one'} {tensor.dtype}"


def _load_pyfunc(path: str) -> "Served":
    """For MLflow, which finds it by this name: `mlflow.pyfunc.load_model("models:/panic/1").predict(x)`."""
    return Served(load(Path(path)))


@dataclass(frozen=True)
class Served:
    """Arrays in, arrays out."""

    loaded: Loaded

    def predict(self, x: Any, params: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG002  MLflow's name
        """Samples as the model takes them, float32; what `judge` says of them."""
        tensor = torch.as_tensor(x, dtype=torch.float32)
        with torch.no_grad():
            judged = self.loaded.model.judge(self.loaded.model(tensor), tensor)
        return {key: value.numpy() for key, value in judged.items()}
