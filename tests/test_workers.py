"""What the watch over worker processes adds to tests/test_parallel.py."""

from pathlib import Path

import pytest

import slow_start
from parallel_work import refuse_what_is_missing
from vigil import workers
from vigil.errors import VigilError
from vigil.parallel import Item, Runtime, each


def test_a_worker_that_never_gets_ready_loses_its_video_and_not_the_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "START_S", 1.5)
    runtime = Runtime(executor="process", workers=1, timeout_s=60.0, address=None)
    with pytest.raises(VigilError, match=r"not ready within 1\.5 s"):
        each("frames", slow_start.work, [Item("set/a", ("1",), (), (Path("out/a.txt"),))], None, runtime)
    assert "again; in the pipeline: `dvc repro --force frames`" in capsys.readouterr().err


def test_a_rejection_of_what_vanished_is_not_remembered() -> None:
    """Its key speaks of the content, which may be back in the next run."""
    runtime = Runtime(executor="serial", workers=1, timeout_s=60.0, address=None)
    Path("there").write_text("a")
    items = [
        Item(f"set/{name}", (name,), (Path(name).absolute(),), (Path(f"out/{name}.txt"),)) for name in ("there", "gone")
    ]
    first = each("frames", refuse_what_is_missing, items, None, runtime)
    assert [outcome.reason for outcome in first] == [None, "not found"]
    Path("gone").write_text("b")
    again = each("frames", refuse_what_is_missing, items, None, runtime)
    assert [(outcome.reason, outcome.reused) for outcome in again] == [(None, True), (None, False)]
