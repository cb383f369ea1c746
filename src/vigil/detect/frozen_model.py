"""The model that a command is about, with the calibration that was frozen for it."""

from dataclasses import dataclass
from pathlib import Path

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.detect.model_folder import CONFIG, find_calibration, find_model_folder
from vigil.judging.calibration import Calibration, read_calibration
from vigil.models.checkpoint import Checkpoint, load_checkpoint


@dataclass(frozen=True)
class FrozenModel:
    """A trained model and where its alarm sounds."""

    name: str
    checkpoint: Checkpoint
    calibration: Calibration


def load_frozen_model(model: str, calibration: Path | None = None) -> FrozenModel:
    """By the model's name or by the path of its folder; VigilError when the calibration was made for another model."""
    folder = find_model_folder(model)
    path = find_calibration(folder, calibration)
    checkpoint = load_checkpoint(folder)
    frozen = read_calibration(path)
    frozen.check(checkpoint, str(path))
    return FrozenModel(folder.name, checkpoint, frozen)


def find_gate(model: FrozenModel) -> Path:
    """The folder of the very gate behind which the model was trained."""
    sha256 = model.checkpoint.card.features["attended"]["gate"]
    beside = model.checkpoint.folder.parent / "crime_gate"
    for folder in (settings.root() / "data/attended/gate", beside, settings.root() / "models/crime_gate"):
        if (folder / CONFIG).exists() and load_checkpoint(folder).sha256 == sha256:
            return folder
    raise VigilError(
        f"{model.name}: the crime_gate that it was trained behind ({sha256[:12]}) is neither in data/attended/gate nor "
        "in models/crime_gate. Bring it back (`dvc checkout`)."
    )
