import sys
from collections.abc import Iterator
from pathlib import Path

import parallel_work
import pytest

from vigil.core.errors import VigilError
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.store import Store


def cluster_at(address: str | None) -> Runtime:
    return Runtime(executor="dask", workers=0, timeout_s=1.5, address=address)


def items_of(texts: list[str]) -> list[Item]:
    return [Item(f"set/{text}", (text,), (text,), (Path("out/set") / f"{text}.txt",)) for text in texts]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster of two worker processes with two threads each."""
    distributed = pytest.importorskip("distributed", reason="dask is not installed: requirements-cluster.txt")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1") as local:
        yield local.scheduler_address


@pytest.mark.slow
def test_a_cluster_gives_the_bytes_of_one_process_whatever_dies(address: str) -> None:
    texts = ["a", "exit", "broken", "segfault", "b", "hang", "bug", "slow", "c"]
    outcomes = run_per_video("copy", parallel_work.moody, items_of(texts), None, cluster_at(address))
    finish_folder("copy", Path("out"), outcomes)
    assert Path("out/rejects.csv").read_text() == (
        "video,reason\n"
        "set/exit,crashed the worker (exit code 3)\n"
        "set/broken,it is broken\n"
        "set/segfault,crashed the worker (signal 11)\n"
        "set/hang,took more than 1.5 s\n"
        "set/bug,ValueError: no such thing in 0.txt at <object object at 0x...>\n"
    )
    assert {path.stem: path.read_text() for path in Path("out").rglob("*.txt")} == {
        text: text * 2 for text in ("a", "b", "slow", "c")
    }
    again = run_per_video("copy", parallel_work.moody, items_of(texts), None, cluster_at(address))
    assert [outcome.reused for outcome in again] == [text in ("a", "broken", "b", "slow", "c") for text in texts]


@pytest.mark.slow
def test_a_cluster_works_in_our_folder_and_our_store(address: str, tmp_path: Path) -> None:
    """Its workers were started elsewhere; relative paths still mean ours."""
    run_per_video("copy", parallel_work.double, items_of(["a", "b", "c", "d"]), None, cluster_at(address))
    assert Store().usage().entries == 4 and Store().folder == tmp_path / ".vigil" / "store"


@pytest.mark.slow
def test_an_address_where_nobody_answers_is_told() -> None:
    pytest.importorskip("distributed", reason="dask is not installed: requirements-cluster.txt")
    with pytest.raises(VigilError, match=r"runtime\.address: no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_per_video("copy", parallel_work.double, items_of(["a"]), None, cluster_at("tcp://127.0.0.1:9"))


def test_a_missing_dask_is_told_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(VigilError, match=r"dask is not installed.*pip install -r requirements-cluster\.txt"):
        run_per_video("copy", parallel_work.double, items_of(["a"]), None, cluster_at("tcp://127.0.0.1:8786"))
