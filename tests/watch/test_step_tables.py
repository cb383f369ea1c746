"""Tables that grow: what a clip says of its frames when a camera has begun anew, after minutes and after hours."""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vigil.detect.frame_features import StoredFrame
from vigil.detect.states import Step
from vigil.judging.judgements import Judgement
from vigil.watch.outputs import Outputs
from vigil.watch.step_tables import REMEMBERED, StepTables


@pytest.mark.parametrize("before", [1, 20, REMEMBERED + 100])
def test_a_clip_after_a_pause_is_of_the_frames_after_it(before: int) -> None:
    clip = Judgement(95, 105, 1.0, 1.0, shown=(95, 99, 104), attention=np.array([0.25, 0.5, 0.25]))
    with StepTables(Outputs(attention=Path("t.csv")), ["gate"]) as tables:
        for begin, length in ((0, before), (10_000, 106)):
            for position in range(length):
                index = begin + position
                frame = StoredFrame(position, index, Fraction(index, 8), (64, 48), None)
                is_over = begin > 0 and position == clip.stop - 1
                tables.write("door", Step(frame, judgements={"gate": [clip]} if is_over else {}))
    rows = list(csv.DictReader(Path("t.csv").read_text(encoding="utf-8").splitlines()))
    assert [int(row["frame"]) for row in rows] == [10_095, 10_099, 10_104]
    assert [float(row["time_s"]) for row in rows] == [1261.875, 1262.375, 1263.0]
    assert [float(row["weight"]) for row in rows] == [0.25, 0.5, 0.25]
