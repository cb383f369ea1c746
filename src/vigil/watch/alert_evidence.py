"""What `vigil replay` needs of an alert's evidence, looked for before the libraries are loaded that run models."""

from pathlib import Path

from vigil.core.errors import VigilError
from vigil.delivery.alert import Alert, read_alert
from vigil.detect.model_choice import TRAIN_FIRST, list_models

REPLAY_SUFFIX = ".npz"  # of the file beside the alert's, from which it is judged again


def read_evidence(path: Path, models: Path) -> tuple[Alert, Path]:
    """The alert in a file, and what it is judged again from; VigilError where that or the models are missing."""
    try:
        alert = read_alert(path.read_bytes(), str(path))
    except OSError as error:
        raise VigilError(f"{path}: cannot be read: {error.strerror}.") from None
    replay = path.with_suffix(REPLAY_SUFFIX)
    if not replay.exists():
        raise VigilError(
            f"{replay}: not found: an alert is judged again from what --clips keeps beside it. Name the alert's JSON "
            "in the evidence folder."
        )
    if not list_models(models):
        raise VigilError(f"{models}: no trained model. {TRAIN_FIRST} Or name the folder with --trained.")
    return alert, replay
