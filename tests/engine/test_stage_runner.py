"""Paths from argv, numbers from params.yaml, one line for a mistake."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen, load
from vigil.core.storage import write_json
from vigil.engine import stage_code
from vigil.engine.per_video import stage_lock
from vigil.engine.stage_runner import run_stage


class Params(Frozen):
    size: Annotated[int, Field(ge=8, le=4096)]
    clip: float
    mode: Literal["dis", "farneback"] = "dis"


class Other(Frozen):
    speed: int


def stage(params_yaml: str, main: Any, argv: list[str] | None = None) -> None:
    Path("params.yaml").write_text(params_yaml)
    run_stage("flow", main, argv if argv is not None else [])


def line_of(capsys: pytest.CaptureFixture[str]) -> str:
    """What the user reads: it must be exactly one line."""
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text.strip()


def test_each_parameter_comes_from_where_its_type_says(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def main(videos: Path, out: Path, params: Params, other: Other, datasets: Mapping[str, Any]) -> None:
        seen.update(videos=videos, out=out, params=params, other=other, datasets=datasets)

    stage(
        "flow: {size: 64, clip: 2.5}\nother: {speed: 3}\ndatasets: {a: {kind: x}}\n",
        main,
        ["--videos", "in", "--out", "o"],
    )
    assert seen == {
        "videos": Path("in"),
        "out": Path("o"),
        "params": Params(size=64, clip=2.5),
        "other": Other(speed=3),
        "datasets": {"a": {"kind": "x"}},
    }


def test_a_stage_of_many_takes_a_name_and_locks_for_that_alone() -> None:
    def main(model: str, out: Path, models: Mapping[str, Any]) -> None:
        assert (model, out, models) == ("panic", Path("o"), {"panic": {"hidden": [1]}})
        assert Path(".vigil/locks/flow@panic.lock").exists()  # another model's training need not wait

    stage("models: {panic: {hidden: [1]}}\n", main, ["--model", "panic", "--out", "o"])
    assert [path.name for path in Path(".vigil/locks").iterdir()] == ["flow@panic.lock"]


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"])
def test_a_process_that_trains_with_others_does_not_wait_for_the_first(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    with stage_lock("flow"):
        stage("flow: {size: 64, clip: 1.0}\n", lambda: None)


def test_lists_are_frozen_too() -> None:
    class Row(Frozen):
        hidden: tuple[int, ...]

    assert Row.read({"hidden": [32, 64]}, "x").hidden == (32, 64)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("{sise: 64, clip: 2.0}", ["[flow]", "unknown key 'sise'", "Known: clip, mode, size", "Did you mean 'size'?"]),
        ("{size: 64}", ["missing key 'clip'"]),
        ("{size: abc, clip: 2.0}", ["size = 'abc'", "integer"]),
        ("{size: 3, clip: 2.0}", ["size = 3", "greater than or equal to 8"]),
        ("{size: 64, clip: .nan}", ["clip = nan", "finite"]),
        ("{size: 64.5, clip: 2.0}", ["size = 64.5", "integer"]),
        ("{size: true, clip: 2.0}", ["size = True", "integer"]),
        ("{size: 64, clip: 2.0, mode: diss}", ["mode = 'diss'", "'dis' or 'farneback'", "Did you mean 'dis'?"]),
        ("7", ["[flow]", "expected keys clip, mode, size, found 7"]),
        ("", ["found nothing"]),
    ],
)
def test_a_wrong_number_is_one_line_that_names_key_and_value(
    section: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def main(params: Params) -> None:
        raise AssertionError("ran with wrong numbers")

    with pytest.raises(SystemExit) as stop:
        stage(f"flow: {section}\n", main)
    assert stop.value.code == 1
    line = line_of(capsys)
    assert line.startswith("flow: params.yaml [flow]")
    for word in words:
        assert word in line


def test_1e_2_is_a_number_as_it_is_to_dvc() -> None:
    Path("params.yaml").write_text("train: {lr: 1e-2}\n")
    assert load(Path("params.yaml")) == {"train": {"lr": 0.01}}


@pytest.mark.parametrize(
    ("text", "words"), [("a: [1", "not valid YAML"), ("- 1\n", "expected sections"), (None, "not found")]
)
def test_a_broken_params_file_is_one_line(text: str | None, words: str) -> None:
    if text is not None:
        Path("params.yaml").write_text(text)
    with pytest.raises(VigilError, match=words):
        load(Path("params.yaml"))


def test_a_missing_section_names_the_near_miss(capsys: pytest.CaptureFixture[str]) -> None:
    def main(params: Params) -> None: ...

    with pytest.raises(SystemExit):
        stage("flwo: {size: 64, clip: 1.0}\n", main)
    assert "Did you mean 'flwo'?" in line_of(capsys)


def test_a_users_mistake_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    def main(params: Params) -> None:
        raise VigilError("data/videos.csv: empty.\n  Run vigil sync.")

    with pytest.raises(SystemExit) as stop:
        stage("flow: {size: 64, clip: 1.0}\n", main)
    assert stop.value.code == 1
    assert line_of(capsys) == "flow: data/videos.csv: empty. Run vigil sync."


def test_a_bug_keeps_its_traceback() -> None:
    def main(params: Params) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stage("flow: {size: 64, clip: 1.0}\n", main)


def test_a_missing_path_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    def main(frames: Path, params: Params) -> None: ...

    with pytest.raises(SystemExit) as stop:
        stage("flow: {size: 64, clip: 1.0}\n", main)
    assert stop.value.code == 2
    assert "--frames" in capsys.readouterr().err


@pytest.fixture
def edited_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one stage, whose code.json agrees with its source; returns the source of the stage."""
    source = tmp_path / "src"
    stage_file = source / "vigil/stages/flow.py"
    stage_file.parent.mkdir(parents=True)
    (source / "vigil_city").mkdir()
    stage_file.write_text("def main():\n    return 1\n", encoding="utf-8")
    monkeypatch.setattr(stage_code, "SOURCE", source)
    monkeypatch.setenv("DVC_STAGE", "flow")
    write_json(Path("code.json"), stage_code.stage_digests(source))
    return stage_file


def test_a_stage_whose_code_is_not_that_of_its_digest_does_not_run(
    edited_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> None:
        raise AssertionError("ran under the digest of other code")

    edited_project.write_text("def main():\n    return 2\n", encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        stage("", main)
    assert stop.value.code == 1
    assert line_of(capsys) == "flow: code.json: of other code than flow has now. Run `vigil sync && dvc repro`."


def test_a_stage_runs_after_a_comment_and_the_next_one_computes_no_digest(
    edited_project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []
    computed: list[Path] = []
    digests = stage_code.stage_digests
    monkeypatch.setattr(stage_code, "stage_digests", lambda source: computed.append(source) or digests(source))
    edited_project.write_text("def main():\n    return 1  # a remark\n", encoding="utf-8")
    stage("", lambda: ran.append("after a comment"))
    stage("", lambda: ran.append("again"))
    assert ran == ["after a comment", "again"] and len(computed) == 1
    os.utime(edited_project, ns=(0, 0))  # as an upgrade may, whose files are older than code.json
    edited_project.write_text("def main():\n    return 2\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        stage("", lambda: ran.append("with other code"))
    assert "of other code" in line_of(capsys) and len(ran) == 2


def test_a_stage_that_dvc_does_not_run_is_not_refused(edited_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    edited_project.write_text("def main():\n    return 2\n", encoding="utf-8")
    monkeypatch.delenv("DVC_STAGE")
    stage("", lambda: ran.append("by hand"))
    assert ran == ["by hand"]
