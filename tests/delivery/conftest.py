"""What more than one test of the deliveries needs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from alert_feed import SECRET


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_WEBHOOK_SECRET", SECRET)
    for name in ("VIGIL_MQTT_USER", "VIGIL_MQTT_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, stderr=-3)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here, which takes root")
    yield folder
    subprocess.run(["umount", folder], check=True)
