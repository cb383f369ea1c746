"""Models that look at people and have learnt nothing, calibrated, with the real networks; and people to look at."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from commands import PARAMS_YAML
from judged_city import PARAMS

from judging import CLASSES, TINY
from vigil.core.params import load
from vigil.features.landmarks.choices import Settings, weights_digests
from vigil.features.landmarks.pose_table import XY
from vigil.footage.video.writing import VideoWriter
from vigil.judging.calibration import Calibration, Thresholds, settings_sha256
from vigil.judging.curves import Curve
from vigil.models.checkpoint import Card, find_module, load_checkpoint, save_checkpoint

PROJECT_PARAMS = load(Path(__file__).parents[2] / "params.yaml")
FPS = 12
CUTS = {"span_s": 0.5, "frames": 4, "stride_s": 0.25, "gap_s": 0.5, "normalise": "body"}
SETTINGS: dict[str, Any] = {
    "panic": {},
    "pose_lstm": {"features": 67},
    "activity": {},
}


def film_people(path: Path, frames: int = 40) -> None:
    """Two of the city's own people, who talk; networks find them."""
    from vigil_city.plan import Lens, Video
    from vigil_city.reel import shoot

    film = shoot(
        Video("door", Lens("door", "test", "street", Fraction(FPS), (320, 240)), "normal", "talk", frames, None), 7
    )
    with VideoWriter(path, Fraction(FPS), (320, 240)) as video:
        for number in range(frames):
            video.write(film.frame(number))


def save_calibrated(name: str, features: dict[str, Any]) -> None:
    """A model that has learnt nothing, with a calibration, on features that are made so."""
    kind = "masked" if name == "activity" else TINY[name][0]
    torch.manual_seed(3)
    module = find_module(name, "test")
    names_crimes = kind == "attended"  # and raises no alarm of its own
    classes = {"fire": ["Arson"], "robbery": ["Robbery"]} if names_crimes else CLASSES
    network = module.Model(module.Config.read(TINY[name][1] | SETTINGS.get(name, {}), "test"), len(classes))
    card = Card(name, network.config, classes, network.clip, kind, features, "", 3, [], [1])
    save_checkpoint(Path("models") / name, card, [network.state_dict()])
    checkpoint = load_checkpoint(Path("models") / name)
    cuts = Thresholds(p90=0, p95=0, p98=0, budget=0.0, promise=None, video=0.0, cell=None)
    curve = Curve(transform="identity", slope=1.0, offset=0.0)
    alarm = {"thresholds": cuts, "frame": curve, "video": curve, "temperature": None, "class_offsets": ()}
    if names_crimes:
        alarm = {"thresholds": None, "frame": None, "video": None, "temperature": 1.0, "class_offsets": (0.0, 0.0)}
    score_type = "classes" if names_crimes else "errors" if name == "panic" else "logits"
    Calibration(
        score_type=score_type, promise=None, class_reliability=None, base_rate=None, fitted_on="frames",
        validation_rate=None, normal_video="validation", reliability=None, notes=(), model_sha256=checkpoint.sha256,
        settings_sha256=settings_sha256(checkpoint, PARAMS), params=PARAMS, normal_median=None, **alarm,
    ).write(Path(f"models/calibration/{name}.json"))  # fmt: skip


def bring_networks(people_networks: Path) -> dict[str, Any]:
    """Puts the networks that find people into the project, and returns how features are made with them."""
    shutil.copytree(people_networks, "models/pretrained")
    Path("models/person").mkdir()
    Path("models/person/skipped.json").write_text('{"skipped": "not trained here"}')
    Path("params.yaml").write_text(PARAMS_YAML)
    people = Settings.read(PROJECT_PARAMS["landmarks"], "landmarks")
    digests = weights_digests(people, Path("models/person"), Path("models/pretrained"))
    return {
        "frames": {"fps": 8.0, "size": 240, "quality": 90},
        "landmarks": people.model_dump(mode="json") | {"weights": list(digests)},
        "flow": {"fps": 30.0, "size": 32, "method": "dis", "clip": 60.0, "stabilise": True},
        "segments": CUTS | {"scaler": {name: [0.0, 1.0] for name in XY}},
        "masked": {"hide": "people", "shape": "body", "margin": 0.05, "quality": 90},
    }
