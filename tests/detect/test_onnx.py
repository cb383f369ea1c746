"""Models as ONNX: ONNX Runtime says what torch says, and a detector that it runs raises the same alerts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from judged_people import bring_networks, film_people, save_calibrated
from videos import film

from judging import TINY, load_model, save_model
from vigil.cli.main import main
from vigil.core.errors import VigilError
from vigil.detect.detector import Detector
from vigil.detect.model_choice import onnx_path
from vigil.detect.onnx import export
from vigil.detect.onnx.export import PARITY, example, export_model
from vigil.detect.onnx.networks import OnnxStepModel, open_model
from vigil.footage.video.views import read_views
from vigil.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in TINY),
    ("panic", {"foresee": True, "stem": 4}),
    ("panic", {"stem": 1, "kernel": 5}),
    ("activity", {"see": "motion"}),
    *(("crime_gate", {"see": see, "pool": pool}) for see in ("motion", "both", "change") for pool in ("mean", "max")),
    ("i3d", {"causal": True}),
]


def exported(name: str, config: dict[str, Any]) -> tuple[Checkpoint, Any]:
    if name == "crime_type":
        save_model("crime_gate")
    checkpoint = load_model(name, **config)
    with torch.no_grad():  # statistics of batches that a model without training would have as 0 and 1
        for module in checkpoint.model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2)
    assert export_model(checkpoint, onnx_path(Path("models"), name)) <= PARITY
    return checkpoint, open_model(onnx_path(Path("models"), name), checkpoint)


@pytest.mark.parametrize(("name", "config"), VARIANTS)
def test_onnx_says_what_torch_says(name: str, config: dict[str, Any]) -> None:
    checkpoint, model = exported(name, config)
    memory: Any = None
    remembered: Any = None
    for seed in range(4):
        x = example(checkpoint, 1 if isinstance(model, OnnxStepModel) else seed + 1, seed + 50)
        with torch.inference_mode():
            if isinstance(model, OnnxStepModel):
                expected, memory = checkpoint.model.step(x, memory)
                found, remembered = model.step(x, remembered)
            else:
                expected, found = checkpoint.model.judge(checkpoint.model(x), x), model.judge(model(x), x)
        assert expected.keys() == found.keys()
        for key, value in expected.items():
            assert np.allclose(found[key].numpy(), value.numpy(), rtol=1e-4, atol=1e-5), key
    assert isinstance(model, OnnxStepModel) == (name == "panic")


def test_several_members_are_one_network() -> None:
    first, second = load_model("panic").model, load_checkpoint(save_model("panic", seed=9)).model
    checkpoint = load_model("panic")
    save_checkpoint(Path("models/panic"), checkpoint.card, [first.state_dict(), second.state_dict()])
    checkpoint = load_checkpoint(Path("models/panic"))
    assert export_model(checkpoint, Path("both.onnx")) <= PARITY
    x = example(checkpoint, 1)
    found, _ = open_model(Path("both.onnx"), checkpoint).step(x, None)  # type: ignore[attr-defined]
    with torch.inference_mode():
        mean = torch.stack([model.step(x, None)[0]["window"] for model in (first, second)]).mean(0)
    assert np.allclose(found["window"].numpy(), mean.numpy(), atol=1e-6)


def test_what_differs_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = load_model("pose_cnn")
    content: list[bytes] = []
    trace = export._trace

    def trace_another(*arguments: Any) -> bytes:
        content.append(trace(*arguments))
        return content[0]

    monkeypatch.setattr(export, "_trace", trace_another)
    export_model(checkpoint, Path("first.onnx"))
    other = load_checkpoint(save_model("pose_cnn", seed=3))
    with pytest.raises(VigilError, match=r"pose_cnn: ONNX says something else than torch, by .* Nothing was written"):
        export_model(other, Path("second.onnx"))
    assert not Path("second.onnx").exists()


def test_the_same_model_gives_the_same_bytes() -> None:
    checkpoint = load_model("pose_lstm")
    for name in ("a.onnx", "b.onnx"):
        export_model(checkpoint, Path(name))
    assert Path("a.onnx").read_bytes() == Path("b.onnx").read_bytes()


def test_a_detector_by_onnx_raises_the_same_alerts(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=64, fps=8, size=(96, 64))
    assert main(["export", "all"]) == 0
    assert capsys.readouterr().out.count("says what torch says") == 3
    names = ["activity", "crime_gate", "i3d"]
    runs = []
    for runtime in ("torch", "onnx"):
        with Detector.load(models, names, threshold="p90", runtime=runtime) as detector:
            runs.append(list(detector.steps(read_views(Path("gate.mp4")))))
    for name in names:
        one, other = ([step.scores.scores[name].raw for step in run if step.scores is not None] for run in runs)
        assert np.allclose(one, other, atol=1e-4, equal_nan=True)
    alerts = [
        [(change.change, change.detector, change.alert.start_s, change.alert.stop_s) for step in run
         for change in step.changes] for run in runs
    ]  # fmt: skip
    assert alerts[0] == alerts[1] and alerts[0]


def test_models_of_people_run_by_onnx_and_are_judged_again(
    people_networks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lineage = bring_networks(people_networks)
    for name, section in (("panic", "flow"), ("pose_lstm", "segments")):
        save_calibrated(name, {key: lineage[key] for key in ("frames", "landmarks", section)})
    film_people(Path("talk.mp4"))
    assert main(["export", "panic", "pose_lstm"]) == 0
    tables = []
    for runtime in ("torch", "onnx"):
        words = ["--scores", f"{runtime}.csv", "--clips", runtime, "--threshold", "0.3", "--runtime", runtime]
        assert main(["detect", "talk.mp4", *words]) == 0
        rows = [line.split(",")[1:] for line in Path(f"{runtime}.csv").read_text().splitlines()[1:]]
        tables.append(np.array([[float(cell or "nan") for cell in row] for row in rows]))
    assert np.allclose(*tables, atol=1e-4, equal_nan=True) and np.isfinite(tables[0]).any(axis=0).all()
    capsys.readouterr()
    replays = sorted(Path("onnx").glob("*.json"))
    for path in replays:
        assert main(["replay", str(path)]) == 0
    assert replays and capsys.readouterr().out.count("same: ") == len(replays)


def test_what_is_not_there_or_of_other_weights_is_said(models: Path) -> None:
    with pytest.raises(VigilError, match=r"onnx/i3d\.onnx: not found\. Run `vigil export i3d`"):
        Detector.load(models, ["i3d"], runtime="onnx")
    export_model(load_checkpoint(models / "crime_gate"), onnx_path(models, "i3d"))
    with pytest.raises(VigilError, match=r"i3d\.onnx: of weights .*, the model has .*\. Run `vigil export i3d`"):
        Detector.load(models, ["i3d"], runtime="onnx")
    onnx_path(models, "i3d").write_bytes(b"no network")
    with pytest.raises(VigilError, match="not a network that can be run"):
        Detector.load(models, ["i3d"], runtime="onnx")


def test_a_model_that_nobody_knows_is_not_exported(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "i3e", "--trained", str(models)]) == 1
    assert "Did you mean 'i3d'?" in capsys.readouterr().err
