"""MLflow mirrors what was tried, and nothing depends on it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import checkpoints
import pytest

from vigil.cli.main import main
from vigil.core.errors import VigilError
from vigil.engine import tracking

SHA = "ab" * 32


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without anything in it: to make one takes MLflow seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    with tracking._quiet():
        from mlflow.tracking import MlflowClient

        place = f"sqlite:///{folder / 'mlflow.db'}"
        MlflowClient(tracking_uri=place, registry_uri=place).search_experiments()
    return folder / "mlflow.db"


@pytest.fixture(autouse=True)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "DVC_STAGE", tracking.SWITCH):
        monkeypatch.delenv(name, raising=False)
    if "template" in request.fixturenames:
        shutil.copyfile(request.getfixturevalue("template"), "mlflow.db")


def runs(**tags: str) -> list[Any]:
    """Newest first."""
    with tracking._quiet():
        client, experiment = tracking._connect()
        found = client.search_runs([experiment])
    return [run for run in found if all(run.data.tags.get(key) == value for key, value in tags.items())]


def curve(run: Any, name: str) -> list[tuple[int, float]]:
    client, _ = tracking._connect()
    return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]


def train(name: str = "panic", memory: str = "memory", epochs: range = range(1, 4)) -> None:
    params = {"train": {"lr": 0.001, "epochs": 3}, "config": {"hidden": [32, 64, 32]}, "long": "x" * 2000}
    with tracking.training(name, params, {"model": name, "data_hash": "cd" * 32}, Path(memory)) as run:
        for epoch in epochs:
            run.log_epoch({"epoch": epoch, "lr": 0.1, "val_loss": 1 / epoch, "val_auc": None})
            run.log_epoch({"epoch": epoch, "val_loss": 2 / epoch}, member=1)
        Path("history.png").write_bytes(b"picture")
        run.log_result(SHA, {"best_epoch": 3.0}, [Path("history.png")])


@pytest.mark.usefixtures("template")
def test_a_training_is_a_run_with_settings_curves_pictures_and_where_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    subprocess.run(["git", *who, "commit", "-qm", "x", "--allow-empty"], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("DVC_STAGE", "train@panic")
    train()
    assert capfd.readouterr() == ("", "")
    (run,) = runs(model="panic")
    assert (run.info.run_name, run.info.status) == ("panic", "FINISHED")
    assert run.data.params["train.lr"] == "0.001" and run.data.params["config.hidden"] == "[32, 64, 32]"
    assert curve(run, "val_loss") == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert curve(run, "member_1/val_loss")[0] == (1, 2.0)
    assert run.data.metrics["best_epoch"] == 3.0 and "val_auc" not in run.data.metrics
    tags = run.data.tags
    assert tags["mlflow.source.git.commit"] == head and tags["dvc_stage"] == "train@panic"
    assert tags["data_hash"] == "cd" * 32 and tags["model_sha256"] == SHA
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    assert (artifacts / "pictures/history.png").read_bytes() == b"picture"
    assert artifacts.is_relative_to(Path.cwd() / "mlartifacts")


@pytest.mark.usefixtures("template")
def test_the_runs_of_one_repro_hang_under_one_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("params.yaml").write_text("train: {lr: 1}\n")
    train("panic", "one")
    train("i3d", "two")
    Path("params.yaml").write_text("train: {lr: 2}\n")
    train("panic", "three")
    monkeypatch.setenv("DVC_EXP_NAME", "sandy-cove")
    train("panic", "four")
    train("i3d", "five")
    parents = [run.data.tags["mlflow.parentRunId"] for run in reversed(runs()) if "model" in run.data.tags]
    assert parents[0] == parents[1] != parents[2] and parents[3] == parents[4]
    assert len(set(parents)) == 3 == len(runs(kind="group"))
    assert {run.info.run_id for run in runs(kind="group")} == set(parents)
    assert runs(kind="group")[0].info.run_name == "sandy-cove"


@pytest.mark.usefixtures("template")
def test_a_training_that_goes_on_is_the_same_run() -> None:
    def interrupted() -> None:
        with tracking.training("panic", {}, {"model": "panic"}, Path("memory")) as run:
            run.log_epoch({"epoch": 1, "val_loss": 1.0})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert runs(model="panic")[0].info.status == "KILLED"
    train(epochs=range(2, 4))
    (only,) = runs(model="panic")
    assert only.info.status == "FINISHED"
    assert [step for step, _ in curve(only, "val_loss")] == [1, 2, 3]


@pytest.mark.usefixtures("template")
def test_a_training_that_fails_is_told_so() -> None:
    with pytest.raises(VigilError), tracking.training("panic", {}, {"model": "panic"}, Path("memory")):
        raise VigilError("the loss is no number")
    assert runs(model="panic")[0].info.status == "FAILED"


@pytest.mark.usefixtures("template")
def test_what_is_found_later_is_added_to_the_run_that_made_the_weights(capsys: pytest.CaptureFixture[str]) -> None:
    train()
    tracking.add_metrics(SHA, {"test_auc": 0.97})
    assert runs(model="panic")[0].data.metrics["test_auc"] == 0.97
    assert capsys.readouterr().err == ""
    tracking.add_metrics("ef" * 32, {"test_auc": 0.5})
    assert "no run made these weights here" in capsys.readouterr().err


@pytest.mark.usefixtures("template")
def test_all_lands_in_the_main_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path / "temporary")
    train()
    assert {path.name for path in Path().iterdir()} == {"memory", "history.png"}
    assert len(runs(model="panic")) == 1


def test_off_means_not_even_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys; from pathlib import Path; from vigil.engine import tracking\n"
        "with tracking.training('panic', {}, {}, Path('memory')) as run:\n"
        "    run.log_epoch({'epoch': 1, 'val_loss': 1.0}); run.log_result('ab', {}, [])\n"
        "tracking.add_metrics('ab', {})\n"
        "assert not [name for name in sys.modules if name.startswith('mlflow')]\n"
    )
    monkeypatch.setenv(tracking.SWITCH, "off")
    subprocess.run([sys.executable, "-c", script], check=True)
    assert {path.name for path in Path().iterdir()} == {".dvc"}


def test_a_store_that_fails_is_one_warning_and_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mlflow.db").write_text("this is no database, as a full disk may leave it")
    train()
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("tracking: warning: sqlite:///") and err.endswith(". Goes on without.\n")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    train()
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("template")
def test_a_store_that_fails_half_way_is_one_warning(capsys: pytest.CaptureFixture[str]) -> None:
    with tracking.training("panic", {}, {}, Path("memory")) as run:
        Path("mlflow.db").unlink()
        for epoch in range(1, 4):
            run.log_epoch({"epoch": epoch, "val_loss": 1.0})
    assert capsys.readouterr().err.count("\n") == 1


def test_a_switch_that_is_neither_on_nor_off_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracking.SWITCH, "of")
    with pytest.raises(VigilError, match="VIGIL_TRACKING=of: expected on or off"):
        train()


@pytest.mark.usefixtures("template")
def test_register_puts_a_checkpoint_into_the_registry(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints.save()
    (checkpoints.FOLDER / tracking.NOT_SERVED).write_bytes(b"large, and not needed to serve it")
    assert main(["register", "pose_lstm"]) == 0
    assert capsys.readouterr().out.startswith("pose_lstm, version 1: mlflow.pyfunc.load_model(")
    assert main(["register", "pose_lstm", "--json"]) == 0
    assert '"version": "2"' in capsys.readouterr().out
    assert not {"MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"} & os.environ.keys()  # this process goes on as it was
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.uri())
    with tracking._quiet():
        import mlflow

        served = mlflow.pyfunc.load_model("models:/pose_lstm/2")
        found = served.predict(checkpoints.poses().numpy())
    registered = {path.name for path in Path("mlartifacts").rglob("*.safetensors")}
    assert registered == {"weights.safetensors"}
    expected = checkpoints.judge(checkpoints.network())["window"]
    assert found["window"].tolist() == pytest.approx(expected.tolist())
    assert main(["register", "pose_cnn"]) == 1
    assert capsys.readouterr().err == "vigil register: pose_cnn: no trained model. Known: pose_lstm.\n"


def test_register_with_tracking_off_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints.save()
    monkeypatch.setenv(tracking.SWITCH, "off")
    assert main(["register", "pose_lstm"]) == 1
    assert "VIGIL_TRACKING=off" in capsys.readouterr().err


@pytest.mark.slow
def test_four_processes_may_be_the_first_at_once() -> None:
    script = (
        "import sys; from pathlib import Path; from vigil.engine import tracking\n"
        "with tracking.training(sys.argv[1], {'a': 1}, {'model': sys.argv[1]}, Path('memory', sys.argv[1])) as run:\n"
        "    run.log_epoch({'epoch': 1, 'val_loss': 1.0})\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(number)],
            stderr=subprocess.PIPE,
            env={**os.environ, "DVC_EXP_NAME": "sandy-cove"},
        )
        for number in range(4)
    ]
    assert [each.communicate()[1].decode() for each in started] == [""] * 4
    found = [run for run in runs() if "model" in run.data.tags]
    assert sorted(run.data.tags["model"] for run in found) == ["0", "1", "2", "3"]
    assert len({run.data.tags["mlflow.parentRunId"] for run in found}) == 1
