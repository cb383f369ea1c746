"""What made the features goes along with them."""

from pathlib import Path

import pytest

from vigil.core.errors import VigilError
from vigil.core.lineage import difference, read, record


def test_a_folder_knows_its_sources_settings_too(tmp_path: Path) -> None:
    record(tmp_path / "frames", "frames", {"fps": 8.0})
    record(tmp_path / "landmarks", "landmarks", {"every": 2}, tmp_path / "frames")
    record(tmp_path / "flow", "flow", {"size": 64}, tmp_path / "landmarks", tmp_path / "frames")
    assert read(tmp_path / "flow") == {"flow": {"size": 64}, "frames": {"fps": 8.0}, "landmarks": {"every": 2}}


def test_sources_that_were_made_differently_are_refused(tmp_path: Path) -> None:
    record(tmp_path / "frames", "frames", {"fps": 8.0})
    record(tmp_path / "landmarks", "landmarks", {}, tmp_path / "frames")
    record(tmp_path / "frames", "frames", {"fps": 4.0})
    with pytest.raises(VigilError, match="other `frames` settings"):
        record(tmp_path / "flow", "flow", {}, tmp_path / "landmarks", tmp_path / "frames")


def test_a_folder_of_unknown_make_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match="nobody knows how"):
        read(tmp_path)


def test_the_difference_names_the_key_and_both_values() -> None:
    ours = {"flow": {"size": 64, "clip": 8.0}, "frames": {"fps": 8.0}}
    assert difference(ours, {"frames": {"fps": 8.0}, "flow": {"clip": 8.0, "size": 64}}) is None
    assert difference(ours, {"flow": {"size": 32, "clip": 8.0}, "frames": {"fps": 8.0}}) == (
        "flow.size: 64 expected, 32 found"
    )
    assert (
        difference(ours, {"flow": {"size": 64}, "frames": {"fps": 8.0}}) == "flow.clip: 8.0 expected, not there found"
    )
