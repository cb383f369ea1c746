"""Drawn clips of fights for `vigil benchmark fights`, and its preset with trainings of a moment."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from videos import walk

from vigil.benchmark.fights import protocol
from vigil.benchmark.fights.members import SHORTCUTS, TREES
from vigil.benchmark.fights.setup import Setup
from vigil.cli.params_layers import lay_over, read_keys
from vigil.cli.project_files import PARAMS, read_preset, read_project_file
from vigil.engine.per_video import Runtime

SERIAL = Runtime(executor="serial", workers=1, timeout_s=600.0, address=None)


def draw_clips(folder: Path, sources: int, first: int = 0) -> Path:
    """Two clips of each source, one of them with faster walkers; a source shows both classes."""
    rows = ["path,label,source"]
    for number in range(first, first + sources):
        for kind, label in (("fight/fi", "fight"), ("normal/nofi", "normal")):
            name = f"{kind}{number:03}.mp4"
            walk(folder / name, fast=label == "fight", frames=20)
            rows.append(f"{name},{label},yt-{number}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder


def small_params(pretrained: Path) -> dict[str, Any]:
    """Preset `fights` with two models, each trained for a moment."""
    params: dict[str, Any] = read_keys(lay_over(read_project_file(PARAMS), [read_preset("fights")]))
    params["weights"] |= {"people": None, "pose": str(pretrained.resolve() / "pose_landmarker.task")}
    params["landmarks"] |= {"detector": "mediapipe", "tile": None}
    params["train"] |= {"epochs": 1, "warmup": 0, "workers": 0}
    params["models"] = {name: params["models"][name] for name in ("crime_gate", "i3d")}
    for model in params["models"].values():
        model["train"] = {"samples": 8}
    return params


def small_setup(params: dict[str, Any], said: list[str]) -> Setup:
    code = dict.fromkeys((*params["models"], TREES, SHORTCUTS), "code")
    return Setup(params, Path("work"), code, SERIAL, said.append, seeds=(7, 11))


def run_alone(pretrained: Path, work: Path) -> None:
    """In a process of its own: the folds of `data` with one model and one seed."""
    params = small_params(pretrained)
    del params["models"]["i3d"]
    protocol.run(Path("data"), None, replace(small_setup(params, []), work=work, seeds=(7,)))
