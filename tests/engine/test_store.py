import errno
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.core.errors import VigilError
from vigil.engine.store import RESULT, Entry, Store, link


def key(number: int) -> str:
    return f"{number:064x}"


def put(store: Store, number: int, texts: Sequence[str] = (), value: object = None) -> Entry:
    """An entry with these texts as its files."""
    with store.new_folder() as folder:
        names = [f"{index}.txt" for index in range(len(texts))]
        for name, text in zip(names, texts, strict=True):
            (folder / name).write_text(text)
        return store.add(key(number), folder, names, value)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_was_added_is_found(store: Store) -> None:
    assert store.find(key(1)) is None
    added = put(store, 1, ["one", "two"], {"n": [1, 2]})
    assert store.find(key(1)) == added
    assert added.value == {"n": [1, 2]} and added.reason is None
    assert [path.read_text() for path in added.files] == ["one", "two"]
    assert [path.stat().st_mode & 0o777 for path in added.files] == [0o444, 0o444]


def test_the_value_is_the_same_now_and_when_found(store: Store) -> None:
    assert put(store, 1, value=(1, {2: 3})).value == [1, {"2": 3}]
    assert store.find(key(1)) == Entry([1, {"2": 3}], None, ())


def test_a_rejection_is_a_result(store: Store) -> None:
    with store.new_folder() as folder:
        (folder / "0.txt").write_text("half")
        store.add(key(1), folder, reason="too short")
    assert store.find(key(1)) == Entry(None, "too short", ())
    assert [path.name for path in (store.folder / "00" / key(1)).iterdir()] == [RESULT]


def damage_size(place: Path) -> None:
    (place / "0.txt").chmod(0o644)
    (place / "0.txt").write_text("on")


def damage_file(place: Path) -> None:
    (place / "0.txt").unlink()


def damage_result(place: Path) -> None:
    (place / RESULT).write_text("{")


def damage_form(place: Path) -> None:
    (place / RESULT).write_text("[]")


@pytest.mark.parametrize("damage", [damage_size, damage_file, damage_result, damage_form])
def test_a_damaged_entry_is_none_and_is_replaced(store: Store, damage: object) -> None:
    entry = put(store, 1, ["one"])
    damage(entry.files[0].parent)  # type: ignore[operator]
    assert store.find(key(1)) is None
    assert put(store, 1, ["two"]).files[0].read_text() == "two"
    assert store.find(key(1)) is not None
    assert list((store.folder / "tmp").iterdir()) == []


def test_the_second_to_add_the_same_loses_quietly(store: Store) -> None:
    first = put(store, 1, ["one"])
    inode = first.files[0].stat().st_ino
    assert put(store, 1, ["two"]) == first
    assert first.files[0].stat().st_ino == inode and first.files[0].read_text() == "one"


def test_an_interrupted_result_is_no_entry(store: Store) -> None:
    def interrupted() -> None:
        with store.new_folder() as folder:
            (folder / "0.txt").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.usage().entries == 0 and list((store.folder / "tmp").iterdir()) == []


def test_a_users_file_keeps_its_permissions(store: Store, tmp_path: Path) -> None:
    """Work that links or points to a user's file instead of copying it must not make that file read-only."""
    own = tmp_path / "own.mp4"
    own.write_text("film")
    own.chmod(0o644)
    with store.new_folder() as folder:
        (folder / "0.mp4").hardlink_to(own)
        (folder / "1.mp4").symlink_to(own)
        entry = store.add(key(1), folder, ["0.mp4", "1.mp4"])
    assert own.stat().st_mode & 0o777 == 0o644 and own.stat().st_nlink == 1
    own.write_text("cut")
    assert [path.read_text() for path in entry.files] == ["film", "film"]
    assert not any(path.is_symlink() for path in entry.files)


def test_a_link_is_the_very_file(store: Store, tmp_path: Path) -> None:
    source = put(store, 1, ["one"]).files[0]
    link(source, tmp_path / "out" / "a.txt")
    assert (tmp_path / "out" / "a.txt").samefile(source)
    before = (tmp_path / "out").stat().st_mtime_ns
    link(source, tmp_path / "out" / "a.txt")
    assert (tmp_path / "out").stat().st_mtime_ns == before, "a link that is there is left alone"


def test_a_link_replaces_a_read_only_file_without_writing_into_it(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "a.txt"
    link(put(store, 1, ["one"]).files[0], out)
    (tmp_path / "cache").hardlink_to(out)
    link(put(store, 2, ["two"]).files[0], out)
    assert out.read_text() == "two" and (tmp_path / "cache").read_text() == "one"


def test_a_link_replaces_a_dangling_symlink(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone")
    link(put(store, 1, ["one"]).files[0], tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").is_symlink() and (tmp_path / "a.txt").read_text() == "one"


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK, errno.EPERM])
def test_where_no_link_is_possible_a_copy_is_made(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    source = put(store, 1, ["one"]).files[0]
    link(source, tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "one" and not (tmp_path / "a.txt").samefile(source)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o444


def test_gc_evicts_what_was_used_least_recently(store: Store) -> None:
    for number in range(4):
        put(store, number, ["x" * 1000])
        os.utime(store.folder / "00" / key(number) / RESULT, (number, number))
    assert store.find(key(0)) is not None  # used just now
    freed = store.gc(2 * 1200)
    assert [number for number in range(4) if store.find(key(number))] == [0, 3]
    assert freed.entries == 2 and 2000 < freed.bytes < 2400
    assert str(freed) == "freed 2 kB: 2 results, 0 leftovers of killed runs"


def test_gc_spares_what_costs_no_space(store: Store, tmp_path: Path) -> None:
    """An entry whose file is an output too frees nothing, so a newer one that frees something goes first."""
    put(store, 1, ["x" * 5000])
    os.utime(store.folder / "00" / key(1) / RESULT, (1, 1))
    link((store.folder / "00" / key(1) / "0.txt"), tmp_path / "out.txt")
    put(store, 2, ["x" * 5000])
    usage = store.usage()
    assert usage.entries == 2 and usage.linked == 5000 and 10000 < usage.bytes < 10400
    assert str(usage) == "2 results, 10 kB (5 kB of it also in outputs or DVC's cache)"
    store.gc(1000)
    assert store.find(key(1)) is not None and store.find(key(2)) is None
    store.gc(0)
    assert store.usage().entries == 0 and (tmp_path / "out.txt").read_text() == "x" * 5000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 3000), max_size=6), st.integers(0, 10_000))
def test_after_gc_the_store_is_within_its_bound(store: Store, sizes: list[int], bound: int) -> None:
    store.gc(0)
    for number, size in enumerate(sizes):
        put(store, number, ["x" * size])
    before = store.usage()
    freed = store.gc(bound)
    after = store.usage()
    assert after.bytes <= bound and freed.bytes == before.bytes - after.bytes
    assert freed.entries == before.entries - after.entries
    assert (freed.entries == 0) == (before.bytes <= bound), "not more than needed"


def test_gc_keeps_away_from_a_store_in_use(store: Store) -> None:
    put(store, 1, ["one"])
    with store.in_use(), store.in_use(), pytest.raises(VigilError, match="in use by a stage"):
        store.gc(0)
    assert store.find(key(1)) is not None
    store.gc(0)
    assert store.find(key(1)) is None


def test_what_a_killed_process_left_is_swept_but_never_from_under_a_living_one(store: Store) -> None:
    with store.in_use():
        leftover = store.folder / "tmp" / "of-a-killed-process"
        leftover.mkdir(parents=True)
        (leftover / "0.txt").write_text("half")
        with store.in_use():
            assert leftover.exists(), "it may be being written"
    with store.in_use():
        assert not leftover.exists()
    leftover.mkdir()
    assert store.gc(10**9).leftovers == 1


def test_an_unused_store_is_empty(store: Store) -> None:
    assert str(store.usage()) == "0 results, 0 bytes (0 bytes of it also in outputs or DVC's cache)"
    assert store.gc(0).entries == 0


def test_temporary_experiments_share_the_store_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "experiment" / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "experiment")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert Store().folder == tmp_path / ".vigil" / "store"


def test_gc_takes_nothing_from_a_stage_that_has_run_for_long() -> None:
    """Real processes: a stage that has not touched the store yet, and `vigil store gc` beside it."""
    store = Store()
    put(store, 1, ["text"])
    collect = [sys.executable, "-m", "vigil.cli.main", "store", "gc", "--max-gb", "0"]
    stage = subprocess.Popen([sys.executable, "-m", "waiting_stage", "--key", key(1), "--out", "answer"])
    try:
        while not Path("started").exists() and stage.poll() is None:
            time.sleep(0.05)
        ran = subprocess.run(collect, capture_output=True, text=True, check=False)
        assert ran.returncode == 1
        assert ran.stderr.endswith("in use by a stage. Run `vigil store gc` when it has ended.\n")
    finally:
        Path("go").touch()
        code = stage.wait()
    assert (code, Path("answer").read_text(encoding="utf-8")) == (0, "there")
    subprocess.run(collect, capture_output=True, check=True)
    assert store.find(key(1)) is None
