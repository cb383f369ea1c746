"""What the watch over worker processes adds to test_per_video.py."""

import threading
import time
from pathlib import Path

import parallel_work
import pytest
import slow_start

from vigil.core.errors import VigilError
from vigil.engine import per_video, workers
from vigil.engine.per_video import Item, Runtime, run_per_video


@pytest.mark.parametrize(
    ("stage", "advice"), [("frames", "run `dvc repro --force frames`"), ("", "run the same command again")]
)
def test_a_worker_that_never_gets_ready_loses_its_video_and_not_the_stage(
    stage: str, advice: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The advice is for whoever started it: DVC, or a person with `vigil evaluate`."""
    monkeypatch.setenv("DVC_STAGE", stage)
    monkeypatch.setattr(workers, "START_S", 1.5)
    runtime = Runtime(executor="process", workers=1, timeout_s=60.0, address=None)
    with pytest.raises(VigilError, match=r"not ready within 1\.5 s"):
        run_per_video("frames", slow_start.work, [Item("set/a", ("1",), (), (Path("out/a.txt"),))], None, runtime)
    assert f"To try them again, {advice}\n" in capsys.readouterr().err


def test_nobody_else_closes_the_pipe_from_which_a_thread_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two who close it at once close a file of somebody else, or fail: here each takes so long that they would meet."""
    kill, inside, most = workers._Worker.kill, threading.Semaphore(1), []

    def slowly(worker: workers._Worker) -> None:
        alone = inside.acquire(blocking=False)
        most.append(alone)
        kill(worker)
        time.sleep(0.3)
        if alone:
            inside.release()

    monkeypatch.setattr(workers._Worker, "kill", slowly)
    monkeypatch.setattr(per_video, "_report_failure", lambda *_: (_ for _ in ()).throw(VigilError("stop")))
    runtime = Runtime(executor="process", workers=2, timeout_s=60.0, address=None)
    items = [Item(f"set/{text}", (text,), (text,), (Path(f"out/{text}.txt"),)) for text in ("bug", "hang")]
    with pytest.raises(VigilError, match="stop"):
        run_per_video("copy", parallel_work.moody, items, None, runtime)
    assert len(most) >= 2 and all(most)


def test_a_rejection_of_what_vanished_is_not_remembered() -> None:
    """Its key speaks of the content, which may be back in the next run."""
    runtime = Runtime(executor="serial", workers=1, timeout_s=60.0, address=None)
    Path("there").write_text("a")
    items = [
        Item(f"set/{name}", (name,), (Path(name).absolute(),), (Path(f"out/{name}.txt"),)) for name in ("there", "gone")
    ]
    first = run_per_video("frames", parallel_work.refuse_what_is_missing, items, None, runtime)
    assert [outcome.reason for outcome in first] == [None, "not found"]
    Path("gone").write_text("b")
    again = run_per_video("frames", parallel_work.refuse_what_is_missing, items, None, runtime)
    assert [(outcome.reason, outcome.reused) for outcome in again] == [(None, True), (None, False)]
