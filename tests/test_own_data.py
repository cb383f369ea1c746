"""A user's own footage alone, without the sample, under real DVC: models, or what is missing for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from scratch import Project
from videos import film

from vigil.core.params import load
from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json

LABELS = {"normal": 7, "anomaly": 6}
TRAINED = {"i3d", "crime_gate"}  # panic learns too, and knows no video of its class to be judged on


def use_own_folder(project: Project) -> None:
    """A dozen tiny videos in two folders are all that there is, and every training is as short as it can be."""
    for label, count in LABELS.items():
        for number in range(count):
            path = project.folder / f"street/{label}/{number}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            speed = 1 if label == "normal" else 3
            film(path, frames=48 + number + 7 * speed, fps=8, size=(96 + 2 * number, 72 + 2 * speed))
    sections: dict[str, Any] = load(project.folder / "params.yaml")
    sections["datasets"] = {"street": {"kind": "folder", "path": "street"}}
    sections["train"] |= {"epochs": 1, "warmup": 0, "workers": 0}
    for section in sections["models"].values():
        section["train"] |= {"epochs": None, "samples": 8}
    for name in ("evaluate", "compare"):
        sections[name]["rounds"] = 100
    (project.folder / "params.yaml").write_text(json.dumps(sections), encoding="utf-8")
    with (project.folder / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("/street/\n")
    project.commit("Own footage")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_folder_of_normal_and_anomaly_comes_to_the_table(pretrained: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "own", pretrained)
    use_own_folder(project)
    project.vigil("sync")
    project.repro()
    models = read_json(project.folder / "metrics/summary.json")["models"]
    assert {name for name, model in models.items() if model["value"] is not None} == TRAINED
    for name, model in models.items():
        if name not in TRAINED | {"panic"}:
            assert model["reason"].startswith("skipped: "), name
    table = project.vigil("results").stdout
    report = project.read("metrics/report.html").decode()
    assert "Mind: pose_lstm: skipped: " in table
    assert "skipped: " in report
    assert why_skipped(project.folder / "models/person") is not None
    assert why_skipped(project.folder / "metrics/models/crime_type.json") is not None
    assert project.repro() == []
