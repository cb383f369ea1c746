"""What a killed DVC leaves torn is removed, and what a running one writes is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from vigil.engine.torn_lock import GUARD, LIST, remove_torn_lock

HOLD = "from dvc.lock import make_lock\nwith make_lock('{}', tmp_dir='.'):\n    print('held', flush=True)\n    input()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    return tmp_path / ".dvc/tmp"


@pytest.mark.parametrize("torn", ["", '{"write": {"/a', "[]"])
def test_a_torn_list_is_removed_and_dvc_runs_again(tmp_path: Path, folder: Path, torn: str) -> None:
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    (tmp_path / "dvc.yaml").write_text("stages: {a: {cmd: echo a > a, outs: [a]}}\n")
    (folder / LIST).write_text(torn)
    ran = subprocess.run(["dvc", "repro"], capture_output=True, text=True, check=False)
    assert ran.returncode and "RWLock" in ran.stderr + ran.stdout
    assert remove_torn_lock(tmp_path)
    subprocess.run(["dvc", "repro", "-q"], check=True)
    assert Path("a").exists()
    assert not remove_torn_lock(tmp_path)


def test_a_sound_list_stays(tmp_path: Path, folder: Path) -> None:
    (folder / LIST).write_text('{"write": {}, "read": {}}')
    assert not remove_torn_lock(tmp_path)
    assert (folder / LIST).exists()


def test_nothing_is_removed_while_dvc_writes(tmp_path: Path, folder: Path) -> None:
    (folder / LIST).write_text("")
    words = [sys.executable, "-c", HOLD.format(folder / GUARD)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "held\n"
        assert not remove_torn_lock(tmp_path)
        writer.communicate("\n")
    assert (folder / LIST).exists()
    assert remove_torn_lock(tmp_path)
