"""The model that a command is about, with the calibration that was frozen for it."""

from dataclasses import dataclass
from pathlib import Path

from vigil.core import settings
from vigil.core.errors import VigilError, near_miss
from vigil.judging.calibration import Calibration, read_calibration
from vigil.models.checkpoint import CONFIG, Checkpoint, load_checkpoint


@dataclass(frozen=True)
class FrozenModel:
    """A trained model and where its alarm sounds."""

    name: str
    checkpoint: Checkpoint
    calibration: Calibration


def load_frozen_model(model: str, calibration: Path | None = None) -> FrozenModel:
    """By the model's name or by the path of its folder; VigilError when the calibration was made for another model."""
    models = settings.root() / "models"
    folder = Path(model) if _is_checkpoint(Path(model)) else models / model
    if not _is_checkpoint(folder):
        names = sorted(path.parent.name for path in models.glob(f"*/{CONFIG}"))
        raise VigilError(f"{model}: no trained model. Known: {', '.join(names) or 'none'}.{near_miss(model, names)}")
    checkpoint = load_checkpoint(folder)
    path = calibration or folder.with_name("calibration") / f"{folder.name}.json"
    frozen = read_calibration(path)
    frozen.check(checkpoint, str(path))
    return FrozenModel(folder.name, checkpoint, frozen)


def find_gate(model: FrozenModel) -> Path:
    """The folder of the very gate behind which the model was trained."""
    sha256 = model.checkpoint.card.features["attended"]["gate"]
    for folder in (settings.root() / "data/attended/gate", settings.root() / "models/crime_gate"):
        if _is_checkpoint(folder) and load_checkpoint(folder).sha256 == sha256:
            return folder
    raise VigilError(
        f"{model.name}: the crime_gate that it was trained behind ({sha256[:12]}) is neither in data/attended/gate nor "
        "in models/crime_gate. Bring it back (`dvc checkout`)."
    )


def _is_checkpoint(folder: Path) -> bool:
    return (folder / CONFIG).exists()
