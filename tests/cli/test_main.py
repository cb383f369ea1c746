"""What a person sees who uses `vigil` wrongly, and rightly."""

import json
import shutil
import time
from pathlib import Path

import pytest

from vigil.cli.main import main
from vigil.engine.store import Store


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_store_tells_what_it_holds_and_forgets_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    store = Store()
    with store.in_use(), store.fresh() as folder:
        (folder / "a.bin").write_bytes(bytes(5000))
        store.add("ab" * 32, folder, ["a.bin"])
    code, out, _ = said(capsys, "store", "usage", "--json")
    assert code == 0
    assert json.loads(out)["entries"] == 1
    assert said(capsys, "store", "gc", "--max-gb", "0")[1].startswith("freed")
    assert json.loads(said(capsys, "store", "usage", "--json")[1])["entries"] == 0


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "some"])
def test_a_bound_that_is_none_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["store", "gc", "--max-gb", number])
    assert stop.value.code == 2
    assert "--max-gb" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["sync"], "params.yaml: not found"),
        (["results"], "no results yet"),
        (["results", "--metrics", "there", "--into", "nope.md"], "nope.md"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    shutil.copytree(project / "metrics", "there")
    code, out, err = said(capsys, *words)
    assert (code, out) == (1, "")
    assert line in err
    assert err.count("\n") == 1


def test_outside_a_project_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".dvc").rmdir()
    for words in (["sync"], ["store", "usage"]):
        code, _, err = said(capsys, *words)
        assert code == 1
        assert "not in a vigil project" in err
    assert list(Path().iterdir()) == []


def test_help_comes_quickly(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing heavy is imported for it."""
    import subprocess
    import sys

    seconds = []
    for _ in range(3):
        began = time.monotonic()
        command = [sys.executable, "-m", "vigil.cli.main", "--help"]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(time.monotonic() - began)
    assert "sync" in told.stdout
    assert min(seconds) < 0.3
