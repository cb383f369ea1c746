"""What all parts of the benchmark share: the preset, the folders, the folds of sources, and processes to work in."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from vigil.benchmark.kept import digest
from vigil.benchmark.sources import FOLDS
from vigil.core import settings
from vigil.engine import tracking
from vigil.engine.per_video import Runtime
from vigil.engine.workers import die_with_parent
from vigil.footage.video_table import Video

ELSEWHERE = ("datasets", "runtime", "models")  # settings that change nothing, or that are asked for by name


@dataclass(frozen=True, eq=False)
class Setup:
    """What does not depend on the clips."""

    params: Mapping[str, Any]  # of the preset, laid over those of the project
    work: Path
    code: Mapping[str, str]  # member -> digest of all code that what it says depends on
    runtime: Runtime  # of the features
    say: Callable[[str], object]  # is told how far it is
    seeds: tuple[int, ...] = (7, 11, 13)
    processes: int = 1  # that learn at once

    @property
    def features(self) -> Path:
        return self.work / "clips"

    @property
    def members(self) -> list[str]:
        return list(self.code)

    def digest(self, member: str, seed: int, *splits: Sequence[Video]) -> str:
        """Returns a digest of all that decides what `member` says; other models are no part of it."""
        params = {name: section for name, section in self.params.items() if name not in ELSEWHERE}
        own = self.params["models"].get(member)
        listed = [[(clip.video, clip.sha256, clip.label, clip.source) for clip in clips] for clips in splits]
        return digest(member, self.code[member], params, own, seed, listed)[:24]

    def said(self, member: str, seed: int, *splits: Sequence[Video]) -> Path:
        """Returns the path of what a member says that has learnt from some of these clips."""
        return self.work / "said" / f"{self.digest(member, seed, *splits)}.npz"

    def processes_to_learn(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.processes, get_context("spawn"), initializer=_begin_process)


def fold_by_source(clips: Sequence[Video], seed: int) -> Iterator[tuple[list[Video], list[Video]]]:
    """The clips outside and inside of each fold; a source is in one fold, and classes are spread as far as possible."""
    kinds, sources = np.array([clip.label for clip in clips]), np.array([clip.source for clip in clips])
    fewest = min(len(np.unique(sources[kinds == kind])) for kind in np.unique(kinds))
    splitter = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    for outside, inside in splitter.split(kinds, kinds, sources):
        yield [clips[row] for row in outside.tolist()], [clips[row] for row in inside.tolist()]


def hold_out(clips: Sequence[Video], seed: int) -> tuple[list[Video], list[Video]]:
    """Splits clips into those to learn from and a fold that chooses."""
    return next(fold_by_source(clips, seed))


@contextmanager
def printing_to(path: Path) -> Iterator[None]:
    """What the stages print goes to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        yield


def _begin_process() -> None:
    die_with_parent()
    settings.prepare(threads=1)
    os.environ[tracking.SWITCH] = "off"  # a benchmark is no training of the project
