"""A copy of the project in a repository of its own, to run the real pipeline on the tiny sample."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
COPIED = (
    "src",
    "dvc.yaml",
    "params.yaml",
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvcignore",
    ".gitignore",
    "data/.gitignore",
)

Edits = Sequence[tuple[str, str]]  # of params.yaml, in order: a line that is there twice is named twice
TINY: Edits = (  # so that nothing is fetched and features take half a minute
    ("scale: standard", "scale: tiny"),
    ("people: npm", "people: null"),
    ("detector: auto", "detector: mediapipe"),
    ("tile: 0.5", "tile: null"),
)
PARAMS_TEXT = (PROJECT / "params.yaml").read_text(encoding="utf-8")
POSE_CLASSES = re.findall(r" (theft: \[.*?\], assault: \[.*\]}) ", PARAMS_TEXT)  # of both pose models, as they stand
CRIMES = re.findall(r" (classes: {Abuse: .*}) ", PARAMS_TEXT)
TRAINABLE: Edits = (  # and so that every model has an example of each of its classes, and learns hardly anything
    *TINY,
    ("enabled: false", "enabled: true"),  # the detector of people, which is too poor for tracks
    ("images: 400", "images: 16"),
    ("imgsz: 224", "imgsz: 64"),
    ("epochs: 22", "epochs: 1"),
    ("epochs: 12", "epochs: 2"),
    *((f"samples: {number},", "samples: 16,") for number in re.findall(r" samples: ([1-9]\d*), ", PARAMS_TEXT)),
    *((classes, "theft: [theft]}") for classes in POSE_CLASSES),
    *((classes, "classes: {theft: [theft, assault, Robbery], panic: [panic]}") for classes in CRIMES),  # of all splits
    (
        "{static: [static], dynamic: [normal, panic, theft, assault, damage]}",
        "{static: [normal], dynamic: [theft, assault]}",
    ),
    *(("rounds: 1000", "rounds: 100"),) * 2,
)

WATCH = """
import os, sys

def _watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        where = args[1] if event in ("socket.connect", "socket.sendto") else args[0]
        host = where[0] if isinstance(where, tuple) else where
        if isinstance(host, (str, bytes)) and not str(host).startswith(("/", "127.", "localhost", "::1")):
            with open(os.environ["VIGIL_SOCKETS"], "a") as log:
                log.write(f"{os.environ.get('DVC_STAGE', '?')} {event} {where}\\n")

sys.addaudithook(_watch)
"""


class Project:
    """Runs vigil and dvc in the copy as a user would, and remembers every connection that a process tried."""

    def __init__(self, folder: Path, pretrained: Path, edits: Edits = TINY) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in COPIED:
            source, target = PROJECT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            elif source.exists():
                shutil.copyfile(source, target)
        (folder / "src/sitecustomize.py").write_text(WATCH)
        for old, new in (("pose: wheel", f"pose: {pretrained.resolve()}/pose_landmarker.task"), *edits):
            self.edit("params.yaml", f" {old} ", f" {new} ")
        self.sockets = folder.parent / f"{folder.name}-sockets.log"
        self.commit("Start", init=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "GIT_", "PYTEST_", "COV_"))
        }
        binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {
            **kept,
            "PATH": binaries,
            "PYTHONPATH": "src",
            "VIGIL_SOCKETS": str(self.sockets),
            "VIGIL_TRACKING": "off",
        }

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert not check or ran.returncode == 0, (
            f"{' '.join(command)}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        )
        return ran

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """The same without waiting, in a process group of its own, so that a test can kill it."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def vigil(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "vigil.cli.main", *arguments, check=check)

    def repro(self, *arguments: str, check: bool = True) -> list[str]:
        """The stages that ran."""
        ran = self.run("dvc", "repro", *arguments, check=check)
        lines = (ran.stdout + ran.stderr).splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage")]

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def commit(self, message: str, *, init: bool = False) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        if init:
            self.run("git", "init", "-q")
        self.run("git", "add", "-A")
        self.run("git", *who, "commit", "-qm", message)

    def connections(self, stage: str) -> list[str]:
        lines = self.sockets.read_text().splitlines() if self.sockets.exists() else []
        return [line for line in lines if line.split()[0] == stage]

    def locked(self) -> dict[str, Any]:
        """What dvc.lock says; the order of its stages, when all are new, is DVC's whim."""
        stages: dict[str, Any] = yaml.safe_load(self.read("dvc.lock"))["stages"]
        return stages

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


class Workspace(Project):
    """A workspace that `vigil init` has made, where every training is as short as it can be."""

    def __init__(self, folder: Path, pretrained: Path, *presets: str) -> None:
        self.folder, self.sockets = folder.parent, folder.parent / f"{folder.name}-sockets.log"
        self.vigil("init", folder.name, *(word for name in presets for word in ("--preset", name)))
        self.folder = folder
        sections: dict[str, Any] = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
        sections["weights"]["people"] = None
        sections["weights"]["pose"] = str(pretrained.resolve() / "pose_landmarker.task")
        sections["landmarks"] |= {"detector": "mediapipe", "tile": None}
        sections["train"] |= {"epochs": 1, "warmup": 0, "workers": 0}
        for model in sections["models"].values():
            model["train"] = {key: value for key, value in model["train"].items() if key not in {"epochs", "samples"}}
            model["train"]["samples"] = 8
        for name in ("evaluate", "compare"):
            sections[name]["rounds"] = 100
        self.write_params(sections)

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"PYTHONPATH": str(PROJECT / "src")}

    def read_params(self) -> dict[str, Any]:
        sections: dict[str, Any] = json.loads(self.read("params.yaml"))
        return sections

    def write_params(self, sections: dict[str, Any]) -> None:
        """JSON is YAML too."""
        (self.folder / "params.yaml").write_text(json.dumps(sections, indent=1), encoding="utf-8")
