import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from vigil.core.errors import VigilError
from vigil.core.storage import (
    load_arrays,
    raw_file,
    read_json,
    read_table,
    replacing,
    save_arrays,
    sha256_file,
    write_json,
    write_pointer,
    write_table,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
CELL = st.text(st.characters(exclude_categories=("Cs",)))
NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
ARRAYS = arrays_of.arrays(
    dtype=st.sampled_from(["u1", "i4", "f4", "f8", "?", "<U7"]), shape=arrays_of.array_shapes(min_dims=0, min_side=0)
)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@same_folder
@given(JSON)
def test_json_comes_back_as_it_was(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value


def test_json_has_sorted_keys_and_a_last_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "a.json", {"b": [1, 0.5], "a": "é"})
    expected = '{\n  "a": "é",\n  "b": [\n    1,\n    0.5\n  ]\n}\n'
    assert (tmp_path / "deep" / "a.json").read_bytes() == expected.encode()


def test_json_keeps_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    write_json(tmp_path / "a.json", [name])
    assert read_json(tmp_path / "a.json") == [name]


def test_a_number_that_is_none_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(VigilError, match=r"a\.json.*null"):
        write_json(tmp_path / "a.json", {"auc": float("nan")})
    assert read_json(tmp_path / "a.json") == 1


def test_broken_json_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{\n"a": 1,\n}')
    with pytest.raises(VigilError, match=r"a\.json: line [23]: not valid JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(VigilError, match=r"b\.json: not found"):
        read_json(tmp_path / "b.json")


@same_folder
@given(st.lists(CELL, min_size=1, max_size=4, unique=True), st.data())
def test_a_table_comes_back_as_it_was(tmp_path: Path, columns: list[str], data: st.DataObject) -> None:
    columns = [f"x{column}" for column in columns]
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, CELL)), max_size=5))
    write_table(tmp_path / "a.csv", rows, columns)
    assert read_table(tmp_path / "a.csv") == rows


def test_a_table_has_the_asked_order_and_unix_lines(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", [{"b": 0.1, "a": "x, y"}, {"a": None, "b": 2}], ["b", "a"])
    assert (tmp_path / "a.csv").read_bytes() == b'b,a\n0.1,"x, y"\n2,\n'


@pytest.mark.parametrize("row", [{"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_a_row_with_other_columns_is_a_bug(tmp_path: Path, row: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="columns"):
        write_table(tmp_path / "a.csv", [row], ["a", "b"])
    assert list(tmp_path.glob("*.csv")) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty; expected a table with a header"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells, the header has 2"),
        (b"a,b\n1\n", "line 2: 1 cells, the header has 2"),
        (b'a\n"x', "not a valid table"),
        (b"a\n\xe9\n", "not UTF-8"),
    ],
)
def test_a_broken_table_is_told_with_its_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(VigilError, match=told):
        read_table(tmp_path / "a.csv")


def test_a_table_from_a_spreadsheet_reads_well(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffname,label\r\né,x\r\n\r\n".encode())
    assert read_table(tmp_path / "a.csv") == [{"name": "é", "label": "x"}]


@same_folder
@given(st.dictionaries(NAMES, ARRAYS, min_size=1, max_size=4))
def test_arrays_come_back_as_they_were(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    save_arrays(tmp_path / "a.npz", **arrays)
    back = load_arrays(tmp_path / "a.npz")
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


def test_bytes_of_arrays_depend_on_values_alone(tmp_path: Path) -> None:
    a, b = np.arange(6).reshape(2, 3), np.ones(2)
    save_arrays(tmp_path / "a.npz", file=a, path=b)
    save_arrays(tmp_path / "b.npz", path=b, file=np.asfortranarray(a))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_numpy_reads_what_we_write_and_we_what_numpy_writes(tmp_path: Path) -> None:
    save_arrays(tmp_path / "ours.npz", a=np.arange(3))
    with np.load(tmp_path / "ours.npz") as theirs:
        assert theirs["a"].tolist() == [0, 1, 2]
    np.savez_compressed(tmp_path / "theirs.npz", a=np.arange(3))
    assert load_arrays(tmp_path / "theirs.npz")["a"].tolist() == [0, 1, 2]


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("sprung",)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([Trap()], dtype=object))
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Trap()))
    for name in ("a.npz", "b.npz"):
        with pytest.raises(VigilError, match="not a readable array archive"):
            load_arrays(tmp_path / name)
    assert not Path("sprung").exists()
    with pytest.raises(ValueError, match="Object arrays"):
        save_arrays(tmp_path / "c.npz", a=np.array([{}], dtype=object))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_archive_is_told(tmp_path: Path, share: float) -> None:
    save_arrays(tmp_path / "a.npz", a=np.arange(1000))
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(VigilError, match=r"a\.npz: not a readable"):
        load_arrays(tmp_path / "a.npz")


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    save_arrays(tmp_path / "a.npz", a=np.zeros(1000))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[4000] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(VigilError, match=r"a\.npz"):
        load_arrays(tmp_path / "a.npz")


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_json(folder / "a.json", 1)

    def fail() -> None:
        with replacing(folder / "a.json") as part:
            assert part.suffix == ".json" and ".part" in part.name and part.parent == folder
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in folder.iterdir()] == ["a.json"]
    assert read_json(folder / "a.json") == 1


def test_a_read_only_file_is_replaced_and_its_other_links_keep_the_old_content(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", 1)
    (tmp_path / "cache").hardlink_to(tmp_path / "a.json")
    (tmp_path / "a.json").chmod(0o444)
    write_json(tmp_path / "a.json", 2)
    assert read_json(tmp_path / "a.json") == 2
    assert json.loads((tmp_path / "cache").read_text()) == 1


def test_the_longest_name_that_a_disk_takes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 125 + ".json")
    write_json(path, 1)
    assert read_json(path) == 1


def test_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A user's own file, outside the project."""
    path = tmp_path / "elsewhere" / "a film.mp4"
    path.parent.mkdir()
    path.write_bytes(b"film")
    return path


def test_a_pointer_leads_to_the_users_file_from_any_workspace(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "experiment").mkdir()
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "project"))
    monkeypatch.chdir(tmp_path / "experiment")
    pointer = write_pointer(Path("data/raw/own/a film.mp4"), film, 4, "0" * 64)
    assert pointer == Path("data/raw/own/a film.mp4.link.json")
    assert read_json(pointer) == {"path": "../elsewhere/a film.mp4", "sha256": "0" * 64, "size": 4}
    for name in ("a film.mp4", "a film.mp4.link.json"):
        assert raw_file(Path("data/raw/own") / name).samefile(film)


def test_a_pointer_says_what_happened_to_its_file(film: Path) -> None:
    write_pointer(Path("raw/a.mp4"), film, 4, "0" * 64)
    film.write_bytes(b"longer film")
    with pytest.raises(VigilError, match=r"a film\.mp4: 11 bytes, .*a\.mp4\.link\.json says 4.*vigil sync"):
        raw_file(Path("raw/a.mp4"))
    film.unlink()
    with pytest.raises(VigilError, match=r"a film\.mp4: not found.*vigil sync"):
        raw_file(Path("raw/a.mp4"))


def test_a_pointer_may_lead_to_a_folder_of_images(film: Path) -> None:
    write_pointer(Path("raw/walk"), film.parent, 4, "0" * 64)
    assert raw_file(Path("raw/walk")).samefile(film.parent)


def test_a_file_that_lies_there_is_itself(film: Path) -> None:
    assert raw_file(film) == film
    assert raw_file(Path("raw/none.mp4")) == Path("raw/none.mp4")


def test_arrays_have_the_same_bytes_with_every_python() -> None:
    """Releases of one Python disagree about the header of a member of unknown size; 2.0 needs no such guess."""
    save_arrays(Path("a.npz"), b=np.arange(3, dtype=np.int32), a=np.eye(2))
    with zipfile.ZipFile("a.npz") as archive:
        assert [(info.extract_version, info.extra, info.flag_bits) for info in archive.infolist()] == [(20, b"", 0)] * 2
    assert sha256_file(Path("a.npz")) == "b7737b7773ccd6730a4f1260614bd2d4644ab0e99fea9846ffdd99b81281488e"
