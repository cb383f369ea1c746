"""The environment: pinned to the letter, and holding what the code imports."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
OPTIONAL = {"distributed", "dask"}  # requirements-cluster.txt


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(name: str) -> dict[str, str]:
    versions = {}
    for line in (PROJECT / name).read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line:
            match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^;\s]+)\s*(;.*)?", line)
            assert match, f"{name}: not pinned exactly: {line}"
            versions[normal(match[1])] = match[2]
    return versions


def test_everything_is_pinned_exactly_and_the_lock_agrees() -> None:
    lock = pinned("requirements.lock")
    for name, version in pinned("requirements.txt").items():
        assert lock[name] == version, f"{name}: run `make lock`"
    assert lock["opencv-python"] == lock["opencv-contrib-python"]  # one cv2 for both


def test_what_the_code_imports_is_named_in_requirements() -> None:
    """What only comes along with something else may stay away next year."""
    imported = set()
    for path in (PROJECT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    distributions = packages_distributions()
    named = pinned("requirements.txt")
    foreign = imported - sys.stdlib_module_names - OPTIONAL - {"vigil", "vigil_city"}
    for module in sorted(foreign):
        assert {normal(name) for name in distributions[module]} & named.keys(), (
            f"{module} is imported and not in requirements.txt"
        )


def test_python_is_old_enough_for_what_pyproject_promises() -> None:
    assert sys.version_info >= (3, 11)
    assert 'requires-python = ">=3.11"' in (PROJECT / "pyproject.toml").read_text()
