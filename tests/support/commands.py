"""`vigil` as tests call it, and footage of a user's own for it."""

import json
from pathlib import Path
from typing import Any

import pytest
from videos import film

from vigil.cli.main import main

RUNTIME = "runtime: {executor: serial, workers: 1, timeout_s: 60, address: null}\n"
PARAMS_YAML = RUNTIME + "evaluate: {rounds: 100, seed: 7}\n"


def write_footage(root: str = "own", labels: tuple[str, ...] = ("normal", "Arson")) -> Path:
    """Two videos in the folder of each label."""
    for label in labels:
        for number in range(2):
            path = Path(root) / label / f"{number}.mp4"
            film(path, frames=24 + number + 2 * len(label), fps=8, size=(64 + 2 * (label == "b"), 48))
    return Path(root)


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What the command prints with --json."""
    capsys.readouterr()
    code = main([*arguments, "--json"])
    output = capsys.readouterr()
    assert code == 0, output.err
    return json.loads(output.out)


def run_failing(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The line with which the command fails."""
    capsys.readouterr()
    assert main(list(arguments)) == 1
    return capsys.readouterr().err.strip().splitlines()[-1]
