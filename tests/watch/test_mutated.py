"""`vigil detect` on videos that are damaged by chance: each is one line and a code, and nothing else is lost by it."""

import json
from pathlib import Path
from typing import Any

import pytest
from mutations import films_of_all_containers, mutate
from videos import film

from vigil.cli.main import main
from vigil.delivery.alert import read_alert
from vigil.delivery.outbox import Outbox

LOUD = ("--threshold", "0.0001", "--models", "crime_gate")
GOOD = Path("films/z.mp4")


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]], list[str]]:
    """The code, lines of standard output, and lines of standard error, those of libraries among them."""
    capfd.readouterr()
    code = main(["detect", *words, *LOUD, "--json", "--outbox", "o.db"])
    output = capfd.readouterr()
    return code, [json.loads(line) for line in output.out.splitlines()], output.err.splitlines()


def detect_mutated(capfd: pytest.CaptureFixture[str], seeds: range) -> dict[int, int]:
    """Judges mutated videos, each beside a sound one; returns how often each code came."""
    paths = films_of_all_containers(Path("originals"), size=(96, 64))
    originals = [path.read_bytes() for path in paths]
    film(GOOD, frames=24, fps=8, size=(96, 64))
    _, alone, _ = run(capfd, str(GOOD))
    of_good = [change for change in alone[:-1] if change["source"] == "z"]
    assert of_good
    codes: dict[int, int] = {}
    for seed in seeds:
        number = seed % len(originals)
        path = Path(f"films/mutated{paths[number].suffix}")
        path.write_bytes(mutate(originals[number], seed))
        outputs = ("--alerts", f"alerts/{seed}.jsonl", "--anomalies", "a.json", "--clips", "clips")
        code, lines, errors = run(capfd, str(path), str(GOOD), *outputs)
        codes[code] = codes.get(code, 0) + 1
        where = f"seed {seed}, {path.suffix}: {errors}"
        assert code in (0, 3), where
        assert len(errors) == (code == 3), where
        assert all("Traceback" not in line and path.name in line for line in errors), where
        *changes, summary = lines
        assert summary["recordings"] == 2 and summary["broken"] == ([str(path)] if code else []), where
        assert [change for change in changes if change["source"] == "z"] == of_good, where
        assert [bool(verdict.get("damage")) for verdict in json.loads(Path("a.json").read_text())["videos"]] == [
            bool(code), False
        ], where  # fmt: skip
        delivered = [read_alert(line, where) for line in Path(f"alerts/{seed}.jsonl").read_text().splitlines()]
        told = [(change["source"], change["change"] == "ended") for change in changes]
        got = [(alert.camera, alert.ended is not None) for alert in delivered if alert.clip is None]
        assert all(Path("clips", alert.clip).exists() for alert in delivered if alert.clip), where
        assert sorted(got) == sorted(told), f"{where}: every alert that was said has been delivered"
        assert not [path for path in Path("clips").glob("*") if path.suffix not in (".mp4", ".json", ".npz")], where
        path.unlink()
    with Outbox(Path("o.db")) as outbox:
        assert not outbox.open_alerts() and not any(state.waiting for state in outbox.deliveries.states())
    return codes


@pytest.mark.usefixtures("models")
def test_mutated_videos_are_a_line_and_a_code(capfd: pytest.CaptureFixture[str]) -> None:
    codes = detect_mutated(capfd, range(12))
    assert sum(codes.values()) == 12 and codes[3] >= 3


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("models")
def test_200_mutated_videos_are_a_line_and_a_code(capfd: pytest.CaptureFixture[str]) -> None:
    codes = detect_mutated(capfd, range(1000, 1200))
    assert sum(codes.values()) == 200 and codes[3] > 50 and codes[0] > 3
