"""What a folder of features says of the videos that are not in it."""

from pathlib import Path

from vigil.core.skipping import REJECTS, read_rejects
from vigil.core.storage import write_table


def test_rejects_are_reasons_by_video(tmp_path: Path) -> None:
    assert read_rejects(tmp_path) == {}
    rows = [{"video": "a/one", "reason": 'no frames, or "none"'}, {"video": "a/two", "reason": "cut short"}]
    write_table(tmp_path / REJECTS, rows, ["video", "reason"])
    assert read_rejects(tmp_path) == {"a/one": 'no frames, or "none"', "a/two": "cut short"}
