"""The files that make a workspace: pipeline, parameters and what git and DVC leave alone, all from one set of files.

Those files are the project's own, so a workspace has the same pipeline as a clone of the project, save two things:
vigil is installed and not imported from `src`, and there is no source to watch, so `vigil sync` writes code.json.
"""

import re
from pathlib import Path

from vigil import presets
from vigil.core.errors import VigilError, near_miss

INSTALLED = Path(__file__).parent / "project"  # where a built package has them; see setup.py
PRESETS = Path(str(presets.__file__)).parent
CLONE = Path(__file__).resolve().parents[3]
COPIED = (".dvc/config", ".dvc/plots/confusion_by_model.json", ".dvc/plots/curves.json", ".dvcignore", ".gitignore")
PIPELINE, PARAMS = "dvc.yaml", "params.yaml"
CODE_STAGE = re.compile(r"^  code:\n(?:    .*\n)+\n", re.MULTILINE)
CHANGES = (  # of dvc.yaml
    ("PYTHONPATH=src python", "python"),
    ("stage `code` keeps\n# up to date: an edit runs", "`vigil sync`\n# keeps up to date: an upgrade runs"),
    ("because of it, and a comment runs nothing.", "because of it."),
    ("A stage is src/vigil/stages/<stage>.py;", "A stage is vigil/stages/<stage>.py;"),
)


def read_project_file(name: str) -> str:
    """A file of the project, from the installed package or from its clone."""
    folder = INSTALLED if INSTALLED.is_dir() else CLONE
    path = folder / name
    if not path.exists():
        raise VigilError(f"{path}: not found: this installation of vigil is not complete. Install it again.")
    return path.read_text(encoding="utf-8")


def pipeline_of_workspace() -> str:
    """dvc.yaml for a workspace."""
    text = CODE_STAGE.sub("", read_project_file(PIPELINE), count=1)
    for clone, workspace in CHANGES:
        text = text.replace(clone, workspace)
    return text


def read_guide() -> str:
    """README.md of a workspace."""
    return (PRESETS / "WORKSPACE.md").read_text(encoding="utf-8")


def preset_names() -> dict[str, str]:
    """What each preset is for, by name: its first line."""
    return {
        path.stem: path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for path in sorted(PRESETS.glob("*.yaml"))
    }


def read_preset(name: str) -> str:
    known = preset_names()
    if name not in known:
        raise VigilError(f"no preset '{name}'. Known: {', '.join(known)}.{near_miss(name, known)}")
    return (PRESETS / f"{name}.yaml").read_text(encoding="utf-8")
