"""`vigil benchmark landmarks` as it is typed."""

import json
from pathlib import Path

import pytest
from deeds import draw_deeds

from vigil.cli.main import main

DEEDS = ("theft", "assault", "damage")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["benchmark", "landmarks", *arguments])
    return code, *capsys.readouterr()


def test_it_prints_json_alone_to_stdout_and_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    draw_deeds(Path("a.csv"), clips=3, deeds=DEEDS)
    code, out, err = run(capsys, "--data", "a.csv", "--json")
    assert code == 0, err
    record = json.loads(out)
    assert (record["kind"], record["seeds"], list(record["folds"])) == ("landmarks", [7, 11, 13], ["3 classes"])
    assert record["data"]["labels"]["theft"] == {"clips": 3, "sources": 3, "mean_length": 23.0}
    assert "landmarks: 4 classes: skipped: no clip of normal" in err
    assert "landmarks: 3 classes, seed 13: fold 3 of 3 is judged" in err
    assert Path(".vigil/benchmark/landmarks/kept").is_dir()
    code, again, _ = run(capsys, "--data", "a.csv")
    assert code == 0 and "ensemble" in again and "clip length" in again


def test_a_table_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    draw_deeds(Path("a.csv"), clips=3, deeds=DEEDS)
    for arguments in (["--data", "no.csv"], ["--data", "a.csv", "--test", "no.csv"]):
        code, _, err = run(capsys, *arguments)
        assert code == 1
        problem = "no.csv: expected a table of landmarks (.csv), found nothing. Correct the path."
        assert err == f"vigil benchmark landmarks: {problem}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a,b\n1,2\n", "no column"), ("", "empty"), ("a,b\n1\n", "line 2: 1 cells, the header has 2"), ("\x00\xff", "")],
)
def test_a_table_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str], text: str, problem: str) -> None:
    Path("bad.csv").write_bytes(text.encode("latin-1"))
    code, _, err = run(capsys, "--data", "bad.csv")
    assert code == 1
    assert err.count("\n") == 1 and "bad.csv" in err and problem in err
