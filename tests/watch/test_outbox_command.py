"""`vigil outbox`: what a receiver refuses is parked, listed, let go, and delivered by the next start."""

import json
from pathlib import Path

import pytest
from alert_feed import SECRET
from commands import run_failing, run_json
from receivers import Receiver
from videos import film

from vigil.cli.main import main

LOUD = ("--threshold", "0.0001", "--models", "crime_gate")


@pytest.mark.usefixtures("models")
def test_what_is_parked_is_listed_let_go_and_delivered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIL_WEBHOOK_SECRET", SECRET)
    film(Path("gate.mp4"), frames=24, fps=8, size=(96, 64))
    with Receiver(tmp_path / "posts") as receiver:
        receiver.behave({"code": 410, "headers": {}})
        words = ("gate.mp4", *LOUD, "--webhook", receiver.url, "--alerts", "a.jsonl", "--outbox", "o.db")
        assert main(["detect", *words]) == 0
        lines = Path("a.jsonl").read_text().splitlines()
        raised, alerts = len(lines), {json.loads(line)["id"] for line in lines}
        capsys.readouterr()
        assert main(["outbox", "parked", "--outbox", "o.db"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == raised and all("410" in line and " of gate, since " in line for line in lines)
        targets = {target["name"]: target for target in run_json(capsys, "outbox", "targets", "--outbox", "o.db")}
        (name,) = {delivery["target"] for delivery in run_json(capsys, "outbox", "parked", "--outbox", "o.db")}
        assert targets[name]["parked"] == raised and targets[name]["waiting"] == 0
        receiver.behave("take")
        before = len(receiver.posts())
        assert run_json(capsys, "outbox", "release", receiver.url, "--outbox", "o.db") == {"released": raised}
        assert main(["detect", *words]) == 0
        assert len(receiver.posts()) == before + raised
        assert not run_json(capsys, "outbox", "parked", "--outbox", "o.db")
    assert run_json(capsys, "outbox", "forget", name, "--outbox", "o.db") == {"forgotten": 0}
    assert name not in {target["name"] for target in run_json(capsys, "outbox", "targets", "--outbox", "o.db")}
    assert run_json(capsys, "outbox", "prune", "--days", "1", "--outbox", "o.db") == {"deleted": 0}
    assert run_json(capsys, "outbox", "prune", "--days", "0", "--outbox", "o.db") == {"deleted": len(alerts)}


@pytest.mark.usefixtures("models")
def test_pictures_and_clips_are_not_left_behind(capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=48, fps=8, size=(96, 64))
    assert main(["detect", "gate.mp4", *LOUD, "--clips", "seen", "--outbox", "o.db"]) == 0
    assert list(Path("seen").glob("*.mp4"))
    words = ("outbox", "prune", "--days", "0", "--outbox", "o.db")
    capsys.readouterr()
    assert "Name their folder with --evidence" in run_failing(capsys, *words)
    assert run_json(capsys, *words, "--evidence", "seen")["deleted"] > 0
    assert not list(Path("seen").rglob("*.*"))


@pytest.mark.usefixtures("models")
def test_a_target_that_nobody_knows_and_an_outbox_that_is_not_there_are_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "gone.db: not found: there is no outbox until" in run_failing(
        capsys, "outbox", "targets", "--outbox", "gone.db"
    )
    assert not Path("gone.db").exists()
    film(Path("gate.mp4"), frames=16, fps=8, size=(96, 64))
    assert main(["detect", "gate.mp4", *LOUD, "--alerts", "alerts.jsonl"]) == 0
    line = run_failing(capsys, "outbox", "forget", "alerts.json")
    assert "no target. Known: " in line and "Did you mean" in line
    assert run_json(capsys, "outbox", "forget", "alerts.jsonl") == {"forgotten": 0}
