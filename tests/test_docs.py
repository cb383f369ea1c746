"""What the documents say exists, exists; and what exists is in the documents."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest

from vigil.capture.camera_file import CameraEntry, load_cameras
from vigil.cli.main import vigil
from vigil.core.params import load
from vigil.core.storage import read_json
from vigil.footage.sources import kinds, read_datasets
from vigil.report.results import CLOSE, OPEN, read_metrics, render_tables
from vigil.report.words import METRICS

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "src/vigil"
PARAMS = load(PROJECT / "params.yaml")
STAGES = load(PROJECT / "dvc.yaml")["stages"]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = {
    path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), PROJECT / "models/README.md")
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own


def command_lines(program: str) -> list[tuple[str, list[str]]]:
    """Every call of `program` in the documents, as document and words; comments of a shell line are left out."""
    pattern = rf"^\s*(?:\$ )?({program} [^\n|]+)$|`({program} [^`]+)`"
    return [
        (name, shlex.split(block or inline, comments=True)[1:])
        for name, text in DOCUMENTS.items()
        for block, inline in re.findall(pattern, "\n".join([*code_blocks(text), inline_code(text)]), re.MULTILINE)
    ]


def code_blocks(text: str, language: str = "sh") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def inline_code(text: str) -> str:
    """Only what stands between single backticks, one a line, with its backticks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join(re.findall(r"`[^`\n]+`", prose))


def table_rows(text: str, head: str) -> list[list[str]]:
    """The cells of the table that begins with `head`."""
    lines = text[text.index(head) :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def names_in_first_column(text: str, head: str) -> list[str]:
    return [name for row in table_rows(text, head) for name in re.findall(r"`([^`]+)`", row[0])]


def commands(group: click.Group = vigil, names: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command by what is typed for it, such as `store gc`."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_and_option_is_in_the_table_of_commands(name: str, command: click.Command) -> None:
    rows = [row for row in DOCUMENTS["docs/commands.md"].splitlines() if row.startswith(f"| `vigil {name}")]
    assert len(rows) == 1
    for option in [name for parameter in command.params for name in parameter.opts if name.startswith("--")]:
        assert f"{option}`" in rows[0] or f"{option} " in rows[0], option


def test_every_vigil_command_in_the_documents_parses() -> None:
    """A command that is only named has no arguments to parse; `vigil COMMAND` stands for any."""
    lines = [(document, words) for document, words in command_lines("vigil") if words[0] != "COMMAND"]
    assert len(lines) > 10
    for document, words in lines:
        command: click.Command = vigil
        arguments = list(words)
        while isinstance(command, click.Group) and arguments:
            assert arguments[0] in command.commands, f"{document}: vigil {' '.join(words)}"
            command = command.commands[arguments.pop(0)]
        if arguments:
            try:
                command.make_context(words[0], arguments)
            except click.UsageError as error:
                pytest.fail(f"{document}: vigil {' '.join(words)}: {error}")


def test_every_dvc_command_in_the_documents_parses() -> None:
    """By DVC itself; stages and params that it names exist."""
    from dvc.cli import DvcParserError
    from dvc.cli.parser import get_main_parser

    lines = [(document, words) for document, words in command_lines("dvc") if "STAGE" not in words]
    assert len(lines) > 10
    for document, words in lines:
        line = f"{document}: dvc {' '.join(words)}"
        if "SECTION.KEY=VALUE" in words:
            continue
        try:
            arguments = get_main_parser().parse_args(words)
        except DvcParserError:
            pytest.fail(line)
        for change in getattr(arguments, "set_param", None) or []:
            section = PARAMS
            for key in change.partition("=")[0].split("."):
                assert key in section, line
                section = section[key]
        for target in getattr(arguments, "targets", None) or []:
            if words[0] == "repro":
                assert target.partition("@")[0] in STAGES, line


def test_every_make_target_in_the_documents_exists() -> None:
    targets = {words[0] for _, words in command_lines("make")}
    listing = subprocess.run(["make", "-qp", "-C", str(PROJECT)], capture_output=True, text=True, check=False).stdout
    assert {"repro", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", listing, re.MULTILINE), target


def test_every_script_in_the_documents_exists() -> None:
    scripts = command_lines("python")
    assert scripts
    for document, words in scripts:
        assert (PROJECT / words[0]).exists(), f"{document}: {words[0]}"


def test_every_section_of_params_yaml_is_in_the_table_of_settings() -> None:
    assert names_in_first_column(DOCUMENTS["docs/settings.md"], "| section | decides |") == list(PARAMS)


def test_every_stage_is_in_the_readme() -> None:
    names = names_in_first_column(README, "| stage | reads | writes |")
    assert sorted(names) == sorted(STAGES)


def test_every_model_is_in_the_table_of_models_with_its_limits() -> None:
    text = DOCUMENTS["docs/models.md"]
    for head in ("| model | looks at | says |", "| model | limits |"):
        assert sorted(names_in_first_column(text, head)) == sorted(PARAMS["models"])


def test_every_metric_is_in_the_table_of_metrics() -> None:
    names = names_in_first_column(DOCUMENTS["docs/metrics.md"], "| metric | is |")
    assert sorted(names) == sorted(METRICS)


def test_the_rooms_in_the_readme_are_the_packages_from_the_ground_up() -> None:
    """In the order of the contract that import-linter checks; rooms of one floor stand in any order."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    floors = [floor.split(" | ") for floor in reversed(layers)]
    rooms = names_in_first_column(README, "| room | what is in it |")
    assert sorted(rooms) == sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
    for floor in floors:
        assert sorted(rooms[: len(floor)]) == sorted(floor)
        rooms = rooms[len(floor) :]


def models_of(stage: str) -> list[str]:
    return list(PARAMS["models"]) if "foreach" in STAGES[stage] else [""]


def paths(stage: str, model: str, *keys: str) -> Iterator[str]:
    """What a stage reads or writes; params that come from a file of another stage are read too."""
    body = STAGES[stage].get("do", STAGES[stage])
    features = PARAMS["models"].get(model, {}).get("input", "")
    for key in keys:
        for entry in body.get(key, []):
            if key == "params" and isinstance(entry, str):
                continue  # a section of params.yaml
            path = entry if isinstance(entry, str) else next(iter(entry))
            yield path.replace("${key}", model).replace("${item.input}", features)


def edges() -> set[tuple[str, str]]:
    """From each stage to those that read what it writes: a file, a file in its folder, or the folder around it."""
    owners = {
        path: stage for stage in STAGES for model in models_of(stage) for path in paths(stage, model, "outs", "metrics")
    }
    return {
        (owner, stage)
        for stage in STAGES
        for model in models_of(stage)
        for path in paths(stage, model, "deps", "params")
        for output, owner in owners.items()
        if path == output or path.startswith(f"{output}/") or output.startswith(f"{path}/")
    }


def test_the_picture_of_the_pipeline_is_that_of_dvc_yaml() -> None:
    """No arrow that is not there, and whoever waits for another is reached from it; those of `code` are left out."""
    picture = code_blocks(README, "mermaid")[0]
    drawn = set(re.findall(r"^\s*(\w+) (?:-- \w+ )?--> (\w+)$", picture, re.MULTILINE))
    true = edges()
    assert drawn <= true
    reached = set(drawn)
    for middle in STAGES:
        reached |= {(first, last) for first, a in reached if a == middle for b, last in reached if b == middle}
    assert {edge for edge in true - reached if edge[0] != "code"} == set()
    assert {stage for owner, stage in true if owner == "code"} == STAGES.keys() - {"code"}, "the text beside it says so"


def test_every_kind_of_dataset_is_in_the_table_with_its_keys() -> None:
    rows = {row[0]: row[-1] for row in table_rows(DOCUMENTS["docs/datasets.md"], "| kind | what it reads | keys |")}
    assert sorted(rows) == [f"`{kind}`" for kind in sorted(kinds())]
    for kind in kinds():
        for key in import_module(f"vigil.footage.datasets.{kind}").Params.model_fields:
            assert f"`{key}`" in rows[f"`{kind}`"], f"{kind}: {key}"


@pytest.mark.parametrize(
    "document",
    [name for name, text in DOCUMENTS.items() if code_blocks(text, "yaml") and name != "docs/detect.md"],
)
def test_the_examples_of_datasets_are_valid(document: str, tmp_path: Path) -> None:
    """Every YAML block is read as params.yaml would be."""
    for block in code_blocks(DOCUMENTS[document], "yaml"):
        path = tmp_path / "params.yaml"
        path.write_text(block)
        assert read_datasets(load(path)["datasets"])


def test_the_example_of_a_file_of_cameras_is_valid_and_every_key_is_explained(tmp_path: Path) -> None:
    text = DOCUMENTS["docs/detect.md"]
    (block,) = code_blocks(text, "yaml")
    (tmp_path / "cameras.yaml").write_text(block)
    assert list(load_cameras(tmp_path / "cameras.yaml")) == ["door", "yard"]
    assert names_in_first_column(text, "| key | is |") == list(CameraEntry.model_fields)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", DOCUMENTS[document]):
        assert (PROJECT / document).parent.joinpath(target).exists(), target


def test_every_document_is_linked_from_the_readme() -> None:
    for name in DOCUMENTS.keys() - {"README.md", "models/README.md"}:
        assert f"]({name})" in README, name


PATH = r"(?:data|metrics|models|src|tests|docs|benchmarks|presets)/|(?:dvc|params)\.yaml|code\.json"


def spelled_out(path: str) -> list[str]:
    """`a/{b,c}.csv` as a/b.csv and a/c.csv; `<model>` as each model."""
    braces = re.search(r"\{([^}]+)\}", path)
    if braces:
        return [each for name in braces[1].split(",") for each in spelled_out(path.replace(braces[0], name, 1))]
    if "<model>" in path:
        return [path.replace("<model>", model) for model in PARAMS["models"]]
    return [path]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_is_in_the_project_or_written_by_a_stage(document: str) -> None:
    """What stands for a name of the reader's, such as <set>, may lie in a folder that a stage writes."""
    outputs = {
        path for stage in STAGES for model in models_of(stage) for path in paths(stage, model, "outs", "metrics")
    }
    for code in re.findall(r"`([^`\n ]+)`", inline_code(DOCUMENTS[document])):
        if not re.match(PATH, code):
            continue
        for path in spelled_out(code.rstrip("/")):
            bare = path.partition("/<")[0]
            written = any(
                bare == output or bare.startswith(f"{output}/") or output.startswith(f"{bare}/") for output in outputs
            )
            assert written or list(PROJECT.glob(bare)), f"{document}: {path}"


def test_the_tables_in_the_readme_are_those_of_the_committed_metrics() -> None:
    tables = render_tables(read_metrics(PROJECT / "metrics"))
    assert f"{OPEN}\n{tables}\n{CLOSE}" in README, "run `vigil results --into README.md`"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_is_left_to_fill_in(document: str) -> None:
    """A word like LIKE_THIS stands for something, unless it is a name."""
    names = r"VIGIL_\w+|MLFLOW_TRACKING_URI|Temporal_Anomaly_Annotation|(?:OMP_WAIT_POLICY|GOMP_SPINCOUNT)"
    assert not re.search(r"\b[A-Z]+_[A-Z_]+\b", re.sub(names, "", DOCUMENTS[document]))


@pytest.mark.parametrize("script", sorted(path.name for path in (PROJECT / "benchmarks").glob("*.py")))
def test_every_benchmark_uses_what_exists(script: str) -> None:
    """Each name that it imports from the project is there, and so is what it takes from a module; or it runs vigil."""
    text = (PROJECT / "benchmarks" / script).read_text(encoding="utf-8")
    imports = re.findall(r"^from (vigil[\w.]*) import ([\w, ]+)$", text, re.MULTILINE)
    assert imports or '"vigil.cli.main"' in text
    for origin, names in imports:
        for name in names.split(", "):
            value = vars(import_module(origin)).get(name) or import_module(f"{origin}.{name}")
            uses = re.findall(rf"(?<![\w.\"'/`]){name}\.(\w+)", text) if isinstance(value, ModuleType) else []
            for attribute in uses:
                assert hasattr(value, attribute), f"{name}.{attribute}"


def test_the_numbers_that_dvc_shows_in_the_readme_are_those_of_the_last_run(project: Path) -> None:
    """The table is dvc's: a dash where a file has no such number."""
    block = (project / "README.md").read_text().split("$ dvc metrics show\n")[1].split("\n```")[0]
    header, *rows = [line.split() for line in block.splitlines()]
    files = {path.relative_to(project).as_posix(): path for path in (project / "metrics/headline").rglob("*.json")}
    assert sorted(row[0] for row in rows) == sorted(files)
    for row in rows:
        values = read_json(files[row[0]])
        for name, shown in zip(header[1:], row[1:], strict=True):
            expected = values.get(name)
            assert shown == "-" if expected is None else float(shown) == pytest.approx(expected, abs=5e-5), row
