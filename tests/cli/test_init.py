"""Workspaces: complete, valid, and with the pipeline of the clone."""

import errno
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from vigil.cli.init import upgrade_workspace
from vigil.cli.main import main
from vigil.cli.params_check import find_problems
from vigil.cli.params_layers import add_missing_keys, lay_over, read_keys, set_value
from vigil.cli.project_files import pipeline_of_workspace, preset_names, read_preset
from vigil.core.params import load
from vigil.engine.stage_code import stage_digests
from vigil.models.checkpoint import find_module
from vigil.training.job import ModelEntry

PROJECT = Path(__file__).resolve().parents[2]
BASE = (PROJECT / "params.yaml").read_text(encoding="utf-8")
DATA = ("sample", "own_folder", "fights", "ucf_crime", "landmarks")
SIZES = ("light", "published", "strong")


def paths(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping) and key != "classes":
            yield from paths(value, f"{prefix}{key}.")


def test_nothing_laid_over_changes_nothing() -> None:
    assert lay_over(BASE, []) == BASE
    assert add_missing_keys(BASE, BASE) == BASE


def test_a_layer_brings_values_with_their_reasons_and_takes_settings_out() -> None:
    base = "a:\n  x: 1 # old\n  y: 2 # two\n\nb:\n  one: {p: 1}\n  two: {p: 2}\n"
    layers = ["a:\n  x: 5 # new\nb:\n  one: null\n", "b:\n  one:\n    p: 9\n  two:\n    p: 3\n"]
    assert lay_over(base, layers) == "a:\n  x: 5 # new\n  y: 2 # two\n\nb:\n  two: {p: 3}\n"


def test_classes_are_replaced_and_never_mixed() -> None:
    base = "m:\n  classes: {normal: [normal], panic: [panic]}\n"
    assert read_keys(lay_over(base, ["m:\n  classes: {normal: [a], fight: [b]}\n"]))["m"]["classes"] == {
        "normal": ["a"],
        "fight": ["b"],
    }


def test_an_upgrade_adds_what_is_new_and_keeps_what_the_user_chose() -> None:
    own = "a:\n  y: 7 # mine\n\nmodels:\n  one:\n    p: 5\n"
    base = (
        "a:\n  x: 1 # new\n  y: 2\n\nnew:\n  z: 3\n\nmodels:\n  one:\n    p: 1\n    q: 2 # also new\n  two:\n    p: 1\n"
    )
    upgraded = add_missing_keys(own, base)
    assert yaml.safe_load(upgraded) == {"a": {"x": 1, "y": 7}, "new": {"z": 3}, "models": {"one": {"p": 5, "q": 2}}}
    for comment in ("# mine", "# new", "# also new"):
        assert comment in upgraded


@pytest.mark.parametrize(("data", "size"), [*itertools.product(DATA, SIZES), *((name, "") for name in preset_names())])
def test_every_preset_is_a_complete_and_valid_parameter_file(data: str, size: str, tmp_path: Path) -> None:
    layers = [read_preset(name) for name in (data, size) if name]
    path = tmp_path / "params.yaml"
    path.write_text(lay_over(BASE, layers), encoding="utf-8")
    sections = load(path)
    assert find_problems(sections) == []
    for layer in layers:
        for key in set(yaml.safe_load(layer)) - {"datasets"}:
            known = set(paths(load(PROJECT / "params.yaml")[key]))
            unreachable = set(paths(yaml.safe_load(layer)[key])) - known
            assert not unreachable, f"-S reaches only what params.yaml has: {unreachable}"
    assert list(sections) == list(load(PROJECT / "params.yaml")), "all sections, in their order"
    for name, model in sections["models"].items():
        if model["input"] == "segments":
            assert model.get("frames", 16) == sections["segments"]["frames"], name
        if model["input"] == "flow":
            assert model["size"] == sections["flow"]["size"], name


@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_every_model_and_names_crimes_in_the_gates_clips(size: str) -> None:
    models = read_keys(lay_over(BASE, [read_preset(size)]))["models"]
    assert yaml.safe_load(read_preset(size))["models"].keys() == models.keys() - {"trunk"}, "one layer has one size"
    gate, namer = models["crime_gate"], models["crime_type"]
    for key in ("frames", "window_s", "size", "channels", "see", "pool"):
        assert gate[key] == namer[key], key


@pytest.mark.parametrize("size", SIZES)
def test_every_network_of_a_size_can_be_built_and_looks_at_its_clips(size: str) -> None:
    models = read_keys(lay_over(BASE, [read_preset(size)]))["models"]
    weights = {}
    for name, entry in models.items():
        module = find_module(name, size)
        own = {key: value for key, value in entry.items() if key not in ModelEntry.model_fields}
        if entry["input"] == "segments":
            own["features"] = 67
        config = module.Config.read(own | ({"weights": None} if "weights" in own else {}), size)
        network = module.Model(config, len(entry["classes"]))
        assert network.clip.frames > 0
        weights[name] = sum(parameter.numel() for parameter in network.parameters())
    assert weights.keys() == set(models)
    if size == "published":
        assert weights["i3d"] > 10_000_000, "the whole of Inception"


def test_the_pipeline_of_a_workspace_is_that_of_the_clone() -> None:
    clone = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))
    text = pipeline_of_workspace()
    workspace = yaml.safe_load(text)
    assert clone["stages"].pop("code") is not None
    assert clone.pop("vars") == [{"run": "PYTHONPATH=src python -m vigil.stages"}]
    assert workspace.pop("vars") == [{"run": "python -m vigil.stages"}]
    assert workspace == clone
    assert "src/" not in text and "stage `code`" not in text


def test_a_workspace_is_ready_for_dvc_and_in_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, videos = tmp_path / "shop", tmp_path / "cctv"
    (videos / "normal").mkdir(parents=True)
    assert main(["init", str(folder), "--preset", "own_folder", "--preset", "light", "--videos", str(videos)]) == 0
    assert load(folder / "params.yaml")["datasets"]["own"]["path"] == str(videos)
    assert json.loads((folder / "code.json").read_text()) == stage_digests()
    status = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True, check=True)
    assert status.stdout == ""
    ran = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--name-only"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"download", "train@i3d", "compare"} <= set(ran.stdout.split())
    assert not {"code", "train@activity"} & set(ran.stdout.split())


def test_footage_within_the_workspace_is_not_for_git(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "shop")]) == 0
    (tmp_path / "shop/videos/normal").mkdir(parents=True)
    (tmp_path / "shop/videos/normal/a.mp4").write_bytes(b"secret")
    status = subprocess.run(
        ["git", "status", "--short"], cwd=tmp_path / "shop", capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_sync_notes_other_code_after_an_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "city"), "--preset", "sample"]) == 0
    monkeypatch.chdir(tmp_path / "city")
    Path("params.yaml").write_text(
        set_value(Path("params.yaml").read_text(), ("datasets", "sample", "scale"), "tiny"), encoding="utf-8"
    )
    assert main(["sync"]) == 0
    assert "other code" not in capsys.readouterr().err
    digests = json.loads(Path("code.json").read_text())
    Path("code.json").write_text(json.dumps(digests | {"flow": "of an older vigil"}))
    assert main(["sync"]) == 0
    assert "other code" in capsys.readouterr().err
    assert json.loads(Path("code.json").read_text()) == digests


def test_an_upgrade_shows_what_it_brings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "shop")]) == 0
    monkeypatch.chdir(tmp_path / "shop")
    lines = Path("params.yaml").read_text().replace("  size: 240", "  size: 360").splitlines()
    Path("params.yaml").write_text("\n".join(line for line in lines if "frames per second that" not in line))
    capsys.readouterr()
    assert main(["init", "--upgrade"]) == 0
    out = capsys.readouterr().out
    assert "+  fps: 8" in out and "360" not in [line[-3:] for line in out.splitlines() if line.startswith(("+", "-"))]
    upgraded = load(Path("params.yaml"))
    assert upgraded["frames"]["fps"] == 8 and upgraded["frames"]["size"] == 360
    assert "activity" not in upgraded["models"], "a model that was taken out stays out"
    assert main(["init", "--upgrade"]) == 0
    assert "nothing new" in capsys.readouterr().out


def test_an_upgrade_that_cannot_be_written_leaves_the_parameters_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when half of the text is written."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    monkeypatch.chdir(tmp_path / "shop")
    own = Path("params.yaml").read_text().replace("  size: 240", "  size: 360 # mine")
    Path("params.yaml").write_text(own)
    names = sorted(path.name for path in Path.cwd().iterdir())
    write_text = Path.write_text

    def write_half(path: Path, text: str, **how: Any) -> int:
        write_text(path, text[: len(text) // 2], **how)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(OSError, match="No space left"):
        upgrade_workspace(Path.cwd())
    assert Path("params.yaml").read_text() == own
    assert sorted(path.name for path in Path.cwd().iterdir()) == names


def test_an_upgrade_leaves_links_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["init", str(tmp_path / "shop")]) == 0
    monkeypatch.chdir(tmp_path / "shop")
    shared = Path("params.yaml").rename(tmp_path / "shared.yaml")
    Path("params.yaml").symlink_to(shared)
    shared.write_text(
        "\n".join(line for line in shared.read_text().splitlines() if "frames per second that" not in line)
    )
    assert "+  fps: 8" in upgrade_workspace(Path.cwd())
    assert Path("params.yaml").is_symlink() and "fps: 8" in shared.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["init", "x", "--preset", "fihgts"], "no preset 'fihgts'. Known: "),
        (["init", "x", "--preset", "fihgts"], "Did you mean 'fights'?"),
        (["init"], "name the folder to make"),
        (["init", "--upgrade"], "no workspace"),
        (["init", "--upgrade", "x"], "--upgrade takes nothing else"),
        (["init", "x", "--preset", "sample", "--videos", "."], "no one set with a path"),
        (["init", "taken"], "has a params.yaml already"),
    ],
)
def test_mistakes_are_told_in_a_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").mkdir()
    Path("taken/params.yaml").write_text("")
    assert main(arguments) in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not Path("x").exists() and list(Path("taken").iterdir()) == [Path("taken/params.yaml")]


@pytest.mark.slow
def test_a_built_package_makes_a_workspace_without_the_clone(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "-q", str(PROJECT), str(tree)], check=True)
    for name in ("setup.py", "pyproject.toml", "params.yaml", "dvc.yaml", "src"):  # as they are, committed or not
        subprocess.run(["cp", "-rT", str(PROJECT / name), str(tree / name)], check=True)
    wheels = tmp_path / "wheels"
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(tree)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    installed = tmp_path / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(installed), str(wheel)], check=True)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(installed),
        "HOME": str(tmp_path),
    }

    def run(folder: Path, *command: str) -> str:
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout + ran.stderr

    where = run(tmp_path, sys.executable, "-c", "import vigil; print(vigil.__file__)").strip()
    assert where.startswith(str(installed))
    vigil = [sys.executable, "-m", "vigil.cli.main"]
    run(tmp_path, *vigil, "init", "city", "--preset", "sample", "--preset", "light")
    city = tmp_path / "city"
    (city / "params.yaml").write_text((city / "params.yaml").read_text().replace("scale: standard", "scale: tiny"))
    assert "sample: 8 sources" in run(city, *vigil, "sync")
    ran = run(city, sys.executable, "-m", "dvc", "repro", "manifest")
    assert "manifest: 8 videos" in ran
    assert (city / "data/manifest/train.csv").exists()
