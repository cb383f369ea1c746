"""What is known of every stored frame, as tables that grow while sources are watched; whoever follows them sees it.

    scores      source, frame, time_s, then score and probability of each detector: a row for each stored frame
    objects     source, frame, time_s, person, score, left, top, right, bottom: a row for each person, px of the source;
                the box is that of the joints that are known
    landmarks   source, then the columns of data/landmarks: a row for each person
    attention   source, model, clip, start_s, stop_s, frame, time_s, weight: a row for each frame of a clip that a model
                weighed, once the clip is over

A cell is empty where nothing is known.
"""

import csv
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import numpy as np

from vigil.core.errors import VigilError
from vigil.detect.frame_features import StoredFrame
from vigil.detect.states import Step
from vigil.features.landmarks import pose_table
from vigil.watch.outputs import Outputs

DIGITS = 6
PX_DIGITS = 2
REMEMBERED = 4096  # stored frames of a source, of which a clip may speak
FRAME = ("source", "frame", "time_s")
OBJECTS = (*FRAME, "person", "score", "left", "top", "right", "bottom")
LANDMARKS = ("source", *pose_table.COLUMNS)
ATTENTION = ("source", "model", "clip", "start_s", "stop_s", "frame", "time_s", "weight")

Row = Sequence[object]
MakeRows = Callable[[str, Step, StoredFrame], Iterable[Row]]


class StepTables:
    """`with StepTables(outputs, detectors) as tables: tables.write(source, step)`, from any thread.

    Writes those that were asked for.
    """

    def __init__(self, outputs: Outputs, detectors: Sequence[str]) -> None:
        self._outputs, self._detectors, self._stack = outputs, tuple(detectors), ExitStack()
        self._tables: list[tuple[_Table, MakeRows]] = []
        self._moments: dict[str, OrderedDict[int, tuple[int, float]]] = {}  # by source: number and time by position
        self._clips: dict[tuple[str, str], int] = {}  # by source and model: how many there were
        self._lock = Lock()

    def __enter__(self) -> Self:
        outputs = self._outputs
        columns = [f"{name}_{what}" for name in self._detectors for what in ("score", "p")]
        tables: list[tuple[Path | None, Sequence[str], MakeRows]] = [
            (outputs.scores, (*FRAME, *columns), self._score_rows),
            (outputs.objects, OBJECTS, _object_rows),
            (outputs.landmarks, LANDMARKS, _landmark_rows),
            (outputs.attention, ATTENTION, self._attention_rows),
        ]
        with ExitStack() as stack:
            for path, header, make_rows in tables:
                if path is not None:
                    table = _Table(path, header)
                    stack.callback(table.close)
                    self._tables.append((table, make_rows))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def write(self, source: str, step: Step) -> None:
        """What a frame has brought; it is in the files when this returns."""
        frame = step.stored
        if frame is None:
            return
        with self._lock:
            for table, make_rows in self._tables:
                table.write(make_rows(source, step, frame))

    def _score_rows(self, source: str, step: Step, frame: StoredFrame) -> Iterator[Row]:
        assert step.scores is not None
        of_frame = [step.scores.scores.get(name) for name in self._detectors]
        cells = [_cell(value) for score in of_frame for value in ((score.raw, score.p) if score else (None, None))]
        yield [source, frame.index, _cell(float(frame.time_s)), *cells]

    def _attention_rows(self, source: str, step: Step, frame: StoredFrame) -> Iterator[Row]:
        moments = self._moments.setdefault(source, OrderedDict())
        if moments and frame.position <= next(reversed(moments)):  # the source has begun anew
            moments.clear()
        moments[frame.position] = (frame.index, float(frame.time_s))
        if len(moments) > REMEMBERED:
            moments.popitem(last=False)
        for model, judgements in step.judgements.items():
            if model not in self._detectors:  # a model that names crimes is handed its gate's attention
                continue
            for clip in judgements:
                if clip.attention is None:
                    continue
                number = self._clips[source, model] = self._clips.get((source, model), 0) + 1
                start_s, stop_s = moments[clip.start][1], moments[clip.stop - 1][1]
                for position, weight in zip(clip.shown, clip.attention.tolist(), strict=True):
                    index, time_s = moments[position]
                    yield source, model, number, _cell(start_s), _cell(stop_s), index, _cell(time_s), _cell(weight)


class _Table:
    """A CSV that grows."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path, self._has_rows = path, False
        with self._explain_failure():
            self._file = path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(columns)
            self._file.flush()

    def write(self, rows: Iterable[Row]) -> None:
        with self._explain_failure():
            for row in rows:
                self._writer.writerow(row)
                self._has_rows = True
            self._file.flush()

    @contextmanager
    def _explain_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VigilError(f"{self._path}: nothing can be written there: {error.strerror}.") from None

    def close(self) -> None:
        with suppress(OSError):  # rows that could not be written
            self._file.close()
        if not self._has_rows:
            print(f"{self._path}: nothing but the names of its columns: no such thing was found", file=sys.stderr)


def _object_rows(source: str, _: Step, frame: StoredFrame) -> Iterator[Row]:
    for pose in frame.people:
        joints = pose.joints[np.isfinite(pose.joints).all(axis=1)]
        if len(joints):
            box = [f"{edge:.{PX_DIGITS}f}" for edge in (*joints.min(axis=0), *joints.max(axis=0))]
            yield source, frame.index, _cell(float(frame.time_s)), pose.person, _cell(pose.score), *box


def _landmark_rows(source: str, _: Step, frame: StoredFrame) -> Iterator[Row]:
    for pose in frame.people:
        yield [source, *pose_table.format_pose(pose).values()]


def _cell(value: Any) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.{DIGITS}f}"
