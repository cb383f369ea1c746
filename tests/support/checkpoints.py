"""A small trained model of poses, as it is saved, and what it makes of some poses."""

from pathlib import Path
from typing import Any

import torch

from vigil.models import pose_lstm
from vigil.models.checkpoint import Card, save_checkpoint

CONFIG_OF = pose_lstm.Config(features=67, frames=8, hidden=(6, 5), ranges=((0.0, 1.0), (0.25, 0.5)) * 13)
CLASSES = {"normal": ("normal",), "theft": ("theft", "Stealing"), "assault": ("assault",)}  # not in alphabetical order
FEATURES = {"frames": {"fps": 8.0}, "segments": {"frames": 8, "normalise": "body"}}
FOLDER = Path("models/pose_lstm")


def network(seed: int = 0) -> pose_lstm.Model:
    torch.manual_seed(seed)
    return pose_lstm.Model(CONFIG_OF, 3).eval()


def card() -> Card:
    return Card(
        model="pose_lstm",
        config=CONFIG_OF,
        classes=CLASSES,
        clip=network().clip,
        input="segments",
        features=FEATURES,
        data_hash="ab" * 32,
        seed=7,
        best=[{"epoch": 3, "metric": "balanced_accuracy", "value": 0.9, "loss": 0.1}],
        epochs=[5],
    )


def save(folder: Path = FOLDER, members: int = 1) -> str:
    return save_checkpoint(folder, card(), [network(seed).state_dict() for seed in range(members)])


def poses(seed: int = 1) -> torch.Tensor:
    return torch.randn(4, 8, 67, generator=torch.Generator().manual_seed(seed))


def judge(model: Any) -> dict[str, torch.Tensor]:
    x = poses()
    with torch.no_grad():
        return model.judge(model(x), x)
