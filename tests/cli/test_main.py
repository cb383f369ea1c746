"""What a person sees who uses `vigil` wrongly, and rightly."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from refusals import refuse_all

from vigil.cli.command import Command
from vigil.cli.main import main, vigil
from vigil.core import params
from vigil.detect import model_folder
from vigil.engine.store import Store


def commands_below(group: click.Group, path: str = "") -> dict[str, Command]:
    """Every command by its words."""
    commands: dict[str, Command] = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            commands |= commands_below(command, f"{path}{name} ")
        else:
            assert isinstance(command, Command), name
            commands[path + name] = command
    return commands


COMMANDS = commands_below(vigil)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    code = main(list(arguments))
    output = capsys.readouterr()
    return code, output.out, output.err


def test_the_store_says_what_it_holds_and_forgets_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    store = Store()
    with store.in_use(), store.new_folder() as folder:
        (folder / "a.bin").write_bytes(bytes(5000))
        store.add("ab" * 32, folder, ["a.bin"])
    code, out, _ = run(capsys, "store", "usage", "--json")
    assert code == 0
    assert json.loads(out)["entries"] == 1
    assert run(capsys, "store", "gc", "--max-gb", "0")[1].startswith("freed")
    assert json.loads(run(capsys, "store", "usage", "--json")[1])["entries"] == 0


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "some"])
def test_a_bound_that_is_none_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "store", "gc", "--max-gb", number)
    assert code == 2
    assert err.startswith(f"vigil store gc: Invalid value for '--max-gb': {number}: expected a number from 0 up.")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["sync"], "vigil sync: params.yaml: not found"),
        (["results"], "vigil results: metrics/: no results yet"),
        (["results", "--metrics", "there", "--into", "nope.md"], "vigil results: nope.md: No such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    shutil.copytree(project / "metrics", "there")
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith(problem)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["evalaute"], "vigil: No such command 'evalaute'. Did you mean 'evaluate'? See `vigil --help`."),
        (["store", "GC"], "vigil store: No such command 'GC'. Did you mean 'gc'? See `vigil store --help`."),
        (["results", "--jsn"], "vigil results: No such option '--jsn'. Did you mean '--json'? "
                               "See `vigil results --help`."),
        (["results", "--zzz"], "vigil results: No such option '--zzz'. See `vigil results --help`."),
        (["register"], "vigil register: Missing argument 'MODEL'. See `vigil register --help`."),
        (["detect", "a.mp4", "--threshold"], "vigil detect: Option '--threshold' requires an argument. "
                                             "See `vigil detect --help`."),
        (["calibrate", "m"], "vigil calibrate: Missing option '--normal'. See `vigil calibrate --help`."),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_with_what_was_meant(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, *arguments) == (2, "", line + "\n")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, out) == (2, "")
    assert "Usage: vigil [OPTIONS] COMMAND" in err


def test_a_command_that_is_stopped_says_so_by_its_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(params, "load", stop)
    code, out, err = run(capsys, "sync")
    assert (code, out, err.strip()) == (130, "", "")


def test_outside_a_project_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".dvc").rmdir()
    for arguments in (["sync"], ["store", "usage"]):
        code, _, err = run(capsys, *arguments)
        assert code == 1
        assert "not in a vigil project" in err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_a_command_says_what_it_takes_and_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *name.split(), "--help")
    assert code == 0
    for heading in ("Usage: ", "\nReads ", "\nWrites ", "\nExit codes ", "\nExample:\n"):
        assert heading in out, heading
    assert "--json" in out or name == "repro", "repro passes on what the stages say"
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            assert option.help, option.name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_example_is_valid(name: str) -> None:
    """As far as its arguments go, which are parsed and not run."""
    example = COMMANDS[name].example
    arguments = example[example.index(f"vigil {name}") :].partition(" && ")[0].split()[1 + len(name.split()) :]
    assert COMMANDS[name].make_context(name, arguments).params


def test_the_help_of_all_lists_each_command_in_a_whole_line(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--help")
    for name in vigil.commands:
        assert f"\n  {name} " in out
    assert "..." not in out.partition("Commands:")[2]
    assert "_VIGIL_COMPLETE=bash_source" in out
    assert run(capsys, "--version")[1].startswith("vigil 0.")


HEAVY = {"torch", "numpy", "pandas", "mlflow", "cv2", "pydantic", "sklearn", "scipy", "dvc", "ruamel"}


def processor_time(*command: str) -> float:
    """Seconds of a Python process, the least of three: other programs may be running."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


def test_help_comes_quickly() -> None:
    """Nothing heavy is imported for it: it takes as long as 20 starts of Python, 0.3 s on a slow machine."""
    assert processor_time("-m", "vigil.cli.main", "--help") < 20 * processor_time("-c", "pass")
    script = "import sys, vigil.cli.main; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "click" in modules
    assert not HEAVY & {module.partition(".")[0] for module in modules}


REFUSALS = {
    "sync": "params.yaml: not found",
    "repro": "params.yaml: not found",
    "evaluate nosuch there": "nosuch: no trained model",
    "evaluate panic nosuch": "nosuch: not found",
    "evaluate panic own --kind foldre": "Did you mean 'folder'?",
    "evaluate panic own --option pth=1": "unknown key 'pth'",
    "evaluate panic own --labels nosuch": "nosuch: not found",
    "evaluate panic own --calibration nosuch": "nosuch: not found",
    "calibrate nosuch --normal own": "nosuch: no trained model",
    "calibrate panic --normal nosuch": "nosuch: not found",
    "compare nosuch other": "nosuch: no scores",
    "register pnaic": "Did you mean 'panic'?",
    "results": "metrics/: no results yet",
}
SLOW = {"torch", "mlflow", "sklearn", "scipy", "pandas", "matplotlib", "dvc", "onnxruntime", "mediapipe"}


def test_mistakes_are_refused_before_anything_heavy_is_imported() -> None:
    """In a second where a start of Python takes 15 ms; what is imported tells it on any machine."""
    for path in ("models/panic/config.json", "models/calibration/panic.json", "own/normal/a.mp4"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text('{"model": "panic"}', encoding="utf-8")
    lines = refuse_all(REFUSALS, SLOW)
    assert {command: line for command, line in lines.items() if REFUSALS[command] not in line} == {}


def test_a_model_is_recognised_by_the_file_that_it_is_saved_with() -> None:
    from vigil.models import checkpoint

    assert model_folder.CONFIG == checkpoint.CONFIG
