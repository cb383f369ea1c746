from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What was computed, not reused, since the last question."""
    path = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(path))

    def read() -> list[str]:
        lines = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return sorted(lines)

    return read
