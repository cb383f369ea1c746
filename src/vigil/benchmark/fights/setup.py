"""The setup of the benchmark: the preset, the folders, the folds of sources, and processes to work in."""

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

from vigil.benchmark.result_cache import digest
from vigil.benchmark.sources import FOLDS
from vigil.core import settings
from vigil.core.processes import end_with_parent
from vigil.engine import tracking
from vigil.engine.per_video import Runtime
from vigil.footage.video_table import Video

UNUSED_SECTIONS = ("datasets", "runtime", "models")  # in a digest: they change nothing, or count by model


@dataclass(frozen=True, eq=False)
class Setup:
    """All that does not depend on the clips."""

    params: Mapping[str, Any]  # of the preset, laid over those of the project
    work: Path
    code: Mapping[str, str]  # member -> digest of all code that its answers depend on
    runtime: Runtime  # of the features
    say: Callable[[str], object]  # prints a line of progress
    seeds: tuple[int, ...] = (7, 11, 13)
    processes: int = 1  # that learn at once

    @property
    def features(self) -> Path:
        return self.work / "clips"

    @property
    def members(self) -> list[str]:
        return list(self.code)

    def digest(self, member: str, seed: int, *splits: Sequence[Video]) -> str:
        """Returns a digest of all that decides the answers of `member`, in which other models do not count."""
        params = {name: section for name, section in self.params.items() if name not in UNUSED_SECTIONS}
        model_section = self.params["models"].get(member)
        listed = [[(clip.video, clip.sha256, clip.label, clip.source) for clip in clips] for clips in splits]
        return digest(member, self.code[member], params, model_section, seed, listed)[:24]

    def answer_path(self, member: str, seed: int, *splits: Sequence[Video]) -> Path:
        """Returns the path of the answers of a member that has learnt from some of these clips."""
        return self.work / "said" / f"{self.digest(member, seed, *splits)}.npz"

    def make_process_pool(self) -> ProcessPoolExecutor:
        """Makes the processes that learn side by side."""
        return ProcessPoolExecutor(self.processes, get_context("spawn"), initializer=_begin_process)


def fold_by_source(clips: Sequence[Video], seed: int) -> Iterator[tuple[list[Video], list[Video]]]:
    """Yields the clips outside and inside of each fold; a source is in one fold, and classes are spread evenly."""
    kinds, sources = np.array([clip.label for clip in clips]), np.array([clip.source for clip in clips])
    fewest = min(len(np.unique(sources[kinds == kind])) for kind in np.unique(kinds))
    splitter = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    for outside, inside in splitter.split(kinds, kinds, sources):
        yield [clips[row] for row in outside.tolist()], [clips[row] for row in inside.tolist()]


def hold_out(clips: Sequence[Video], seed: int) -> tuple[list[Video], list[Video]]:
    """Splits clips into those to learn from and a fold that chooses."""
    return next(fold_by_source(clips, seed))


@contextmanager
def redirect_prints(path: Path) -> Iterator[None]:
    """Sends what stages print to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        yield


def _begin_process() -> None:
    end_with_parent()
    settings.prepare(threads=1)
    os.environ[tracking.SWITCH] = "off"  # a benchmark is no training of the project
