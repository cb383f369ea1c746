"""`vigil init`: a workspace for data of one's own."""

import difflib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result
from vigil.core.errors import VigilError

DEFAULT = "own_folder"


@click.command(
    cls=Command,
    reads="the presets and the pipeline that come with vigil",
    writes="DIR, with git and DVC in it; with --upgrade dvc.yaml and params.yaml of the workspace",
    example="vigil init shop --videos ~/cctv/shop && cd shop && vigil sync && vigil repro",
)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--preset",
    "names",
    multiple=True,
    metavar="NAME",
    help=f"What the data are, or how large the networks; several are laid over each other.  [default: {DEFAULT}]",
)
@click.option("--list", "lists", is_flag=True, help="Say what presets there are.")
@click.option("--videos", type=click.Path(path_type=Path), metavar="PATH", help="Where the preset's data lie.")
@click.option("--upgrade", is_flag=True, help="Add what a newer vigil brings to the workspace around, and show it.")
@json_option
def init(
    folder: Path | None, names: tuple[str, ...], lists: bool, videos: Path | None, upgrade: bool, as_json: bool
) -> None:
    """Make a workspace for videos of your own.

    It has parameters, pipeline, data and models of its own, so that nobody has to edit vigil itself.
    """
    from vigil.cli.project_files import preset_names

    if lists:
        known = preset_names()
        print_result(
            known, "\n".join(f"{name:<{max(map(len, known))}}  {purpose}" for name, purpose in known.items()), as_json
        )
    elif upgrade:
        if folder or names or videos:
            raise click.UsageError("--upgrade takes nothing else: run it in the workspace.")
        changes = upgrade_workspace(Path.cwd())
        print_result({"changes": changes}, changes or "nothing new", as_json)
    elif folder is None:
        raise click.UsageError("name the folder to make, such as `vigil init shop`.")
    else:
        make_workspace(folder, names or (DEFAULT,), videos)
        steps = f"cd {folder} && vigil sync && vigil repro && vigil results"
        where = "" if videos else f"Say in {folder}/params.yaml where your data lie (datasets), then:\n"
        print_result({"workspace": str(folder), "presets": names or (DEFAULT,)}, f"{where}{steps}", as_json)


def make_workspace(folder: Path, presets: Sequence[str], videos: Path | None) -> None:
    """Write all files of a new workspace; git and DVC begin there, unless the folder is in a repository already."""
    from vigil.cli.params_layers import lay_over
    from vigil.cli.project_files import (
        COPIED,
        PARAMS,
        PIPELINE,
        pipeline_of_workspace,
        read_guide,
        read_preset,
        read_project_file,
    )
    from vigil.core.storage import write_json
    from vigil.engine.stage_code import CODE_JSON, stage_digests

    params = lay_over(read_project_file(PARAMS), [read_preset(name) for name in presets])
    if videos is not None:
        if not videos.expanduser().exists():
            raise VigilError(f"--videos {videos}: not found.")
        params = point_to(params, videos.expanduser().resolve())
    for name in (PARAMS, PIPELINE, ".dvc"):
        if (folder / name).exists():
            raise VigilError(f"{folder}: has a {name} already. `vigil init --upgrade` in it brings what is new.")
    folder.mkdir(parents=True, exist_ok=True)
    is_new = _run(folder, "git", "rev-parse", "--is-inside-work-tree", check=False) != 0
    if is_new:
        _run(folder, "git", "init", "-q")
    _run(folder, sys.executable, "-m", "dvc", "init", "-q", *([] if is_new else ["--subdir"]))
    files = {name: read_project_file(name) for name in COPIED}
    files[".gitignore"] += ignored_footage(params)
    files |= {PARAMS: params, PIPELINE: pipeline_of_workspace(), "README.md": read_guide()}
    for name, text in files.items():
        _write_text(folder / name, text)
    write_json(folder / CODE_JSON, stage_digests())
    if is_new:
        _run(folder, "git", "add", "-A")
        known = _run(folder, "git", "config", "user.email", check=False) == 0
        who = [] if known else ["-c", "user.name=vigil", "-c", "user.email=vigil@localhost"]
        _run(folder, "git", *who, "commit", "-qm", f"Workspace: {', '.join(presets)}")


def point_to(params: str, videos: Path) -> str:
    """The parameters with the path of the only set that has one."""
    from vigil.cli.params_layers import read_keys, set_value

    sets = [name for name, keys in read_keys(params)["datasets"].items() if "path" in keys]
    if len(sets) != 1:
        raise VigilError("--videos: the presets have no one set with a path. Edit `datasets` in params.yaml instead.")
    return set_value(params, ("datasets", sets[0], "path"), str(videos))


def ignored_footage(params: str) -> str:
    """Lines of .gitignore for data that are to lie in the workspace: footage is not for git."""
    from vigil.cli.params_layers import read_keys

    paths = [str(keys["path"]) for keys in read_keys(params)["datasets"].values() if "path" in keys]
    within = [path for path in paths if not path.startswith(("/", "~", ".."))]
    return "".join(["\n# your own data\n", *(f"/{path}\n" for path in within)]) if within else ""


def upgrade_workspace(folder: Path) -> str:
    """Bring what is new into pipeline and parameters; the changes, as a diff."""
    from vigil.cli.params_layers import add_missing_keys
    from vigil.cli.project_files import PARAMS, PIPELINE, pipeline_of_workspace, read_project_file

    if not (folder / PIPELINE).exists() or (folder / "src/vigil").is_dir():
        raise VigilError(f"{folder}: no workspace. `vigil init DIR` makes one.")
    own = (folder / PARAMS).read_text(encoding="utf-8")
    new = {PARAMS: add_missing_keys(own, read_project_file(PARAMS)), PIPELINE: pipeline_of_workspace()}
    changes: list[str] = []
    for name, text in new.items():
        before = (folder / name).read_text(encoding="utf-8")
        changes += difflib.unified_diff(before.splitlines(True), text.splitlines(True), name, f"{name}, upgraded")
        _write_text(folder / name, text)
    return "".join(changes)


def _write_text(path: Path, text: str) -> None:
    """Replaces the file whole; of a link, the file that it points to."""
    from vigil.core.storage import replacing

    with replacing(path.resolve()) as part:
        part.write_text(text, encoding="utf-8")


def _run(folder: Path, *command: str, check: bool = True) -> int:
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise VigilError(f"{command[0]}: not found. A workspace needs git: install it.") from None
    if check and ran.returncode:
        raise VigilError(f"{' '.join(command)} in {folder}: {' '.join((ran.stderr or ran.stdout).split())}")
    return ran.returncode
