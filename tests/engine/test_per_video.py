import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import parallel_work
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from per_video_runs import OUT, SERIAL, items_of, processes, reasons, tree

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import read_table
from vigil.engine import per_video
from vigil.engine.per_video import Item, Outcome, Runtime, finish_folder, run_per_video
from vigil.engine.store import Store

Calls = Callable[[], list[str]]


def test_the_result_is_a_read_only_link_into_the_store(calls: Calls) -> None:
    outcomes = run_per_video("copy", parallel_work.double, items_of("ab"), None, SERIAL)
    assert [outcome.value for outcome in outcomes] == [{"length": 2}, {"length": 2}]
    assert tree(OUT) == {"set/a.txt": b"aa", "set/b.txt": b"bb"}
    status = (OUT / "set/a.txt").stat()
    assert status.st_nlink == 2 and status.st_mode & 0o777 == 0o444
    assert Store().usage().linked == 4


def test_bytes_do_not_depend_on_executor_or_workers() -> None:
    texts = ["b", "a", "broken", "c", "bug", "leave", "nothing", "advice"]
    seen = []
    for runtime in (SERIAL, processes(1), processes(2)):
        outcomes = run_per_video("copy", parallel_work.moody, items_of(texts), None, runtime)
        finish_folder("copy", OUT, outcomes)
        seen.append((tree(OUT), outcomes))
        Store().gc(0)
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0]["rejects.csv"].decode() == (
        "video,reason\n"
        "set/broken,it is broken\n"
        "set/bug,ValueError: no such thing in 0.txt at <object object at 0x...>\n"
        "set/leave,SystemExit: gone\n"
        "set/nothing,RuntimeError: moody did not write its output 0\n"
        "set/advice,weights.pt: not found. Run the stage `weights`.\n"
    )


def test_several_outputs_keep_their_extensions_and_none_is_fine_too() -> None:
    both = Item("set/a", ("a",), ("x",), (OUT / "a.b.csv", OUT / "deep" / "a.json"))
    assert run_per_video("copy", parallel_work.twice, [both], None, SERIAL)[0].value == [".csv", ".json"]
    assert tree(OUT) == {"a.b.csv": b"x", "deep/a.json": b"X"}
    assert run_per_video("count", parallel_work.double, [], None, SERIAL) == []


def test_only_what_is_new_is_computed(calls: Calls) -> None:
    run_per_video("copy", parallel_work.double, items_of("ab"), None, SERIAL)
    assert calls() == ["a", "b"]
    outcomes = run_per_video("copy", parallel_work.double, items_of("abc"), None, SERIAL)
    assert calls() == ["c"]
    assert [outcome.reused for outcome in outcomes] == [True, True, False]
    assert outcomes[0].value == {"length": 2}


def test_changed_input_or_params_recompute_and_going_back_does_not(calls: Calls) -> None:
    def run(factor: int, key: str = "x") -> tuple[str, list[str]]:
        item = Item("set/a", (key,), ("a",), (OUT / "a.txt",))
        outcomes = run_per_video("scale", parallel_work.scaled, [item], parallel_work.Params(factor=factor), SERIAL)
        assert outcomes[0].value == factor
        return (OUT / "a.txt").read_text(), calls()

    assert run(2) == ("aa", ["a"])
    assert run(3) == ("aaa", ["a"])
    assert run(2) == ("aa", [])
    assert run(2, "y") == ("aa", ["a"])


def test_changed_code_recomputes(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    run_per_video("copy", parallel_work.double, items_of("a"), None, SERIAL)
    monkeypatch.setattr(per_video, "code_version", lambda _work: "edited")
    run_per_video("copy", parallel_work.double, items_of("a"), None, SERIAL)
    assert calls() == ["a", "a"]


def test_code_that_is_edited_during_the_run_makes_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(per_video, "code_version", lambda _work: "what it was when the stage began")
    with pytest.raises(VigilError, match=r"edited while the stage was running\. Run it again"):
        run_per_video("copy", parallel_work.double, items_of("ab"), None, processes())
    assert Store().usage().entries == 0


def test_when_all_is_there_no_worker_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    run_per_video("copy", parallel_work.double, items_of("ab"), None, SERIAL)
    monkeypatch.setattr(per_video.executors, "run_in_processes", None)
    assert all(
        outcome.reused for outcome in run_per_video("copy", parallel_work.double, items_of("ab"), None, processes())
    )


def test_equal_inputs_are_computed_once(calls: Calls) -> None:
    twins = [Item(f"set/{name}", ("same",), ("a",), (OUT / f"{name}.txt",)) for name in "xy"]
    run_per_video("copy", parallel_work.double, twins, None, SERIAL)
    assert calls() == ["a"] and (OUT / "x.txt").samefile(OUT / "y.txt")


def test_two_videos_for_one_place_are_refused() -> None:
    items = [Item(name, (name,), ("a",), (OUT / "a.txt",)) for name in ("set/x", "set/y")]
    with pytest.raises(VigilError, match=r"copy: set/x and set/y would both write out/a.txt"):
        run_per_video("copy", parallel_work.double, items, None, SERIAL)


def test_a_damaged_result_is_computed_again(calls: Calls) -> None:
    run_per_video("copy", parallel_work.double, items_of("ab"), None, SERIAL)
    calls()
    (OUT / "set/a.txt").chmod(0o644)
    (OUT / "set/a.txt").write_text("edited in place, which reaches the store")
    run_per_video("copy", parallel_work.double, items_of("ab"), None, SERIAL)
    assert calls() == ["a"] and (OUT / "set/a.txt").read_text() == "aa"


def test_read_only_outputs_of_earlier_params_are_replaced() -> None:
    for factor in (2, 3):
        run_per_video("scale", parallel_work.scaled, items_of("a"), parallel_work.Params(factor=factor), SERIAL)
        (OUT / "set/a.txt").chmod(0o444)
    assert (OUT / "set/a.txt").read_text() == "aaa"


def test_finish_leaves_results_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    finish_folder("copy", OUT, run_per_video("copy", parallel_work.double, items_of("abc"), None, SERIAL))
    (OUT / "old").mkdir()
    (OUT / "old" / "x.txt").write_text("stale")
    (OUT / "link").symlink_to("nowhere")
    outcomes = run_per_video("copy", parallel_work.moody, items_of(["a", "broken"]), None, SERIAL)
    finish_folder("copy", OUT, outcomes)
    assert sorted(path.relative_to(OUT).as_posix() for path in OUT.rglob("*")) == ["rejects.csv", "set", "set/a.txt"]
    assert read_table(OUT / "rejects.csv") == [{"video": "set/broken", "reason": "it is broken"}]
    finish_folder("copy", OUT, outcomes[:1])
    assert list(tree(OUT)) == ["set/a.txt"], "rejects of an earlier run are not kept"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("copy: 3 videos: 3 done, 0 reused, 0 rejected in 0.")
    assert lines[1].startswith("copy: 2 videos: 1 done, 0 reused, 1 rejected in 0.")
    assert lines[2] == "copy: rejected set/broken: it is broken"


def test_a_long_list_of_rejects_is_cut_on_the_screen_alone(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [Outcome(Item(f"set/{number}", ()), None, "bad", False) for number in range(25)]
    finish_folder("copy", OUT, outcomes)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22 and lines[-1] == "copy: and 5 more in out/rejects.csv"
    assert len(read_table(OUT / "rejects.csv")) == 25


def test_a_rejection_is_kept_and_a_failure_is_tried_again(calls: Calls) -> None:
    for reused in (False, True):
        outcomes = run_per_video("copy", parallel_work.moody, items_of(["a", "broken", "bug"]), None, SERIAL)
        assert [outcome.reused for outcome in outcomes] == [reused, reused, False]


def test_the_traceback_of_a_bug_is_in_a_file_that_stderr_names(capsys: pytest.CaptureFixture[str]) -> None:
    run_per_video("copy", parallel_work.moody, items_of(["a", "bug"]), None, processes())
    log = Path(".vigil/logs/copy/set/bug.log").absolute()
    assert "copy: set/bug: ValueError: no such thing" in capsys.readouterr().err
    assert "parallel_work.py" in log.read_text()


def test_a_bug_in_every_video_is_an_error_not_an_empty_dataset() -> None:
    with pytest.raises(VigilError, match="copy: not one of 2 videos has a result: ValueError: no such thing"):
        run_per_video("copy", parallel_work.moody, items_of(["bug", "broken"]), None, processes())
    assert reasons(run_per_video("copy", parallel_work.moody, items_of(["broken"]), None, SERIAL)) == {
        "broken": "it is broken"
    }


def test_a_full_disk_stops_the_stage_and_blames_no_video() -> None:
    with pytest.raises(VigilError, match=r"copy: set/b: OSError: .*No space left.*vigil store gc"):
        run_per_video("copy", parallel_work.full, items_of("abc"), None, processes(1))
    assert Store().usage().entries >= 1, "what was done before is kept"


def test_a_crash_and_a_hang_lose_their_own_video_only() -> None:
    texts = ["a", "exit", "b", "segfault", "c", "hang", "slow", "d"]
    began = time.monotonic()
    outcomes = run_per_video("copy", parallel_work.moody, items_of(texts), None, processes(2, timeout_s=1.5))
    assert time.monotonic() - began < 15
    assert reasons(outcomes) == {
        "exit": "crashed the worker (exit code 3)",
        "segfault": "crashed the worker (signal 11)",
        "hang": "took more than 1.5 s",
    }
    assert sorted(tree(OUT)) == ["set/a.txt", "set/b.txt", "set/c.txt", "set/d.txt", "set/slow.txt"]


def test_what_crashed_for_want_of_memory_gets_a_second_chance_alone(calls: Calls) -> None:
    outcomes = run_per_video("copy", parallel_work.crash_once, items_of("abc"), None, processes())
    assert [outcome.value for outcome in outcomes] == ["a", "b", "c"]


def test_a_worker_uses_one_core() -> None:
    pytest.importorskip("cv2")
    before = dict(os.environ)
    outcomes = run_per_video("threads", parallel_work.threads, [Item("a", (), (), (OUT / "a.txt",))], None, processes())
    assert outcomes[0].value == [1, "1", "1"]
    assert dict(os.environ) == before, "the parent keeps its own"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abcd")), st.integers(0, 2), st.sampled_from(["", "store", "out"])),
        max_size=5,
    )
)
def test_what_lies_there_never_depends_on_what_was_run_before(runs: list[tuple[set[str], int, str]]) -> None:
    """Any videos come and go, params change back and forth, store or outputs are lost: the last run alone counts."""
    for texts, factor, lost in runs:
        if lost == "store":
            Store().gc(0)
        elif lost == "out":
            shutil.rmtree(OUT, ignore_errors=True)
        params = parallel_work.Params(factor=factor)
        finish_folder(
            "scale", OUT, run_per_video("scale", parallel_work.scaled, items_of(sorted(texts)), params, SERIAL)
        )
        assert tree(OUT) == {f"set/{text}.txt": text.encode() * factor for text in texts}


def test_many_hits_take_no_time() -> None:
    texts = [f"{number}" for number in range(2000)]
    run_per_video("copy", parallel_work.double, items_of(texts), None, SERIAL)
    began = time.monotonic()
    outcomes = run_per_video("copy", parallel_work.double, items_of(texts), None, processes())
    finish_folder("copy", OUT, outcomes)
    assert all(outcome.reused for outcome in outcomes)
    assert time.monotonic() - began < 2.0


def test_runtime_is_validated() -> None:
    with pytest.raises(VigilError, match=r"\[runtime\].*Did you mean 'process'"):
        Runtime.read({"executor": "proces", "workers": 0, "timeout_s": 1, "address": None}, "params.yaml [runtime]")
    with pytest.raises(VigilError, match=r"workers = -1"):
        Runtime.read({"executor": "serial", "workers": -1, "timeout_s": 1, "address": None}, "params.yaml [runtime]")


# --- processes that are killed ---------------------------------------------------------------------------------------


class Nested(Frozen):
    factor: int


def test_what_a_module_run_by_its_name_defines_is_known_by_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m stage` calls its module __main__; the key of a result and the workers need the real name."""
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__spec__", parallel_work.__spec__, raising=False)
    alias = type("Params", (), {"__module__": "__main__", "__qualname__": "Params"})
    assert per_video._find_importable(alias) is parallel_work.Params
    assert per_video._find_importable(Nested) is Nested
