"""One workspace through its life: absence, examples, an experiment, a remote, and a clone elsewhere."""

import shutil
from pathlib import Path

import pytest
from scratch import Workspace
from videos import walk

from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json


def values(workspace: Workspace) -> dict[str, float | None]:
    models = read_json(workspace.folder / "metrics/summary.json")["models"]
    return {name: model["value"] for name, model in models.items()}


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_workspace_from_absence_to_a_clone_elsewhere(pretrained: Path, tmp_path: Path) -> None:
    own = Workspace(tmp_path / "own", pretrained, "own_folder", "light")
    sections = own.read_params()
    sections["datasets"]["own"]["track"] = True
    sections["models"] = {name: sections["models"][name] for name in ("i3d", "crime_gate")}
    own.write_params(sections)

    # With normal videos alone everything is skipped with a reason, and the table stands.
    for number in range(7):
        walk(own.folder / f"videos/normal/{number}.mp4")
    own.vigil("sync")
    own.repro()
    assert set(values(own).values()) == {None}
    assert "one class alone" in str(why_skipped(own.folder / "models/i3d"))
    assert "all videos are labelled 'normal'" in own.vigil("results").stdout
    own.commit("Normal alone")

    # With examples the models come by themselves.
    for number in range(7):
        walk(own.folder / f"videos/anomaly/{number}.mp4", fast=True)
    own.vigil("sync")
    assert {"train@i3d", "train@crime_gate", "compare"} <= set(own.repro())
    first = values(own)
    assert None not in first.values()
    assert why_skipped(own.folder / "models/i3d") is None
    own.commit("Examples")
    own.run("git", "tag", "first")

    # An experiment trains one model, and DVC shows what became of it.
    ran = own.run("dvc", "exp", "run", "-S", "models.crime_gate.train.lr=0.03")
    stages = {line.split("'")[1] for line in ran.stdout.splitlines() if line.startswith("Running stage")}
    assert stages == {"train@crime_gate", "calibrate@crime_gate", "attend", "evaluate@crime_gate", "compare"}
    assert "models.crime_gate.train.lr" in own.run("dvc", "params", "diff").stdout
    assert own.run("dvc", "metrics", "diff", "--all").stdout.count("metrics/headline/models/crime_gate.json") >= 1
    own.commit("Another rate")

    # A tag and DVC's cache bring everything back, and nothing is to be done.
    own.run("git", "checkout", "-q", "first")
    own.run("dvc", "checkout")
    assert values(own) == first
    assert own.repro() == []

    # A clone elsewhere has all that was pushed: it judges, and makes new features of tracked footage.
    own.run("dvc", "remote", "add", "-d", "shelf", str(tmp_path / "shelf"))
    own.commit("Remote")
    own.run("dvc", "push")
    clone = tmp_path / "clone"
    own.run("git", "clone", "-q", str(own.folder), str(clone))
    shutil.move(own.folder, tmp_path / "gone")
    own.folder = clone
    own.run("dvc", "pull")
    assert values(own) == first
    assert own.repro("--dry") == []
    judged = tmp_path / "other"
    walk(judged / "normal/a.mp4")
    walk(judged / "anomaly/b.mp4", fast=True)
    assert "video_auc" in own.vigil("evaluate", "i3d", str(judged)).stdout
    assert own.run("git", "status", "--short").stdout == ""
    sections = own.read_params()
    sections["frames"]["quality"] = 80
    own.write_params(sections)
    assert own.repro("frames") == ["frames"]
