"""Scores of all detectors in a table: a row for each stored frame, written as they come."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from vigil.core.errors import VigilError
from vigil.detect.alerts import FrameScores

DIGITS = 6


class ScoreTable:
    """`with ScoreTable(path, detectors) as table:`; a cell is empty where nothing is known."""

    def __init__(self, path: Path, detectors: Sequence[str]) -> None:
        self.path, self._detectors = path, tuple(detectors)

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise VigilError(f"{self.path}: scores cannot be written there: {error.strerror}.") from None
        self._writer = csv.writer(self._file, lineterminator="\n")
        columns = [f"{name}_{what}" for name in self._detectors for what in ("score", "p")]
        self._writer.writerow(["source", "frame", "time_s", *columns])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, source: str, scores: FrameScores) -> None:
        """One row; it is in the file when this returns, so that whoever follows the file sees it."""
        of_frame = [scores.scores.get(name) for name in self._detectors]
        cells = [_cell(value) for score in of_frame for value in ((score.raw, score.p) if score else (None, None))]
        self._writer.writerow([source, scores.index, f"{float(scores.time_s):.{DIGITS}f}", *cells])
        self._file.flush()


def _cell(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.{DIGITS}f}"
