import shutil
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.engine.code_version import _code, code_version, import_closure

FILES = {
    "__init__.py": "def __getattr__(name):\n    from vigil.far import thing\n    return thing\n",
    "errors.py": "from vigil.far import thing\n",
    "near.py": '''
        """Near."""
        from vigil.errors import E
        import os

        def add(a):
            """Add."""
            return a + 1  # one
        ''',
    "late.py": "import vigil.deep.core\n",
    "far.py": "thing = 1\n",
    "deep/__init__.py": "",
    "deep/core.py": "from .side import x\nfrom ..near import add\n",
    "deep/side.py": "x = 1\n",
    "full/__init__.py": "from vigil.full.part import y\n",
    "full/part.py": "y = 2\n",
    "full/other.py": "z = 3\n",
    "stages/__init__.py": '"""Nothing but words."""\n',
    "stages/work.py": """
        from vigil import near
        from vigil.full.other import z

        def work(a):
            from vigil.late import core
            return near.add(a)
        """,
    "broad.py": "from vigil import thing\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "vigil" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path / "vigil"


def closure(package: Path, name: str) -> set[str]:
    return {path.relative_to(package).as_posix() for path in import_closure(package / name, package)}


def test_closure_of_imports_in_every_form(package: Path) -> None:
    """from-import of a module and of a name, import, inside a function, relative, and packages with content."""
    assert closure(package, "stages/work.py") == {
        "stages/work.py",
        "near.py",
        "late.py",
        "deep/core.py",
        "deep/side.py",
        "full/__init__.py",
        "full/other.py",
        "full/part.py",
    }


def test_a_name_of_the_package_itself_brings_what_it_exports(package: Path) -> None:
    assert closure(package, "broad.py") == {"broad.py", "__init__.py", "far.py"}


def test_exempt_modules_bring_nothing(package: Path) -> None:
    assert closure(package, "near.py") == {"near.py"}


def test_nothing_is_imported_to_find_out(package: Path) -> None:
    (package / "near.py").write_text("raise SystemExit('imported')\nfrom vigil import far\n")
    assert closure(package, "near.py") == {"near.py", "far.py"}


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """The version of a function of stages/work.py in that package, which is never imported."""

    def of(package: Path) -> str:
        module = types.ModuleType("work_under_test")
        module.__file__ = str(package / "stages" / "work.py")
        monkeypatch.setitem(sys.modules, "work_under_test", module)

        def work() -> None: ...

        work.__module__ = "work_under_test"
        return code_version(work, package)

    return of


def test_comments_docstrings_and_layout_are_not_code(package: Path, version: Callable[[Path], str]) -> None:
    before = version(package)
    (package / "near.py").write_text(
        '"""Other words."""\n# a comment\n\nfrom vigil.errors import (\n    E,\n)\nimport os\n'
        "def add(a):\n    return (a + 1)\n"
    )
    (package / "stages/__init__.py").write_text('"""More words."""\n')
    assert version(package) == before


@pytest.mark.parametrize("name", ["stages/work.py", "near.py", "late.py", "deep/side.py", "full/part.py"])
def test_code_anywhere_in_the_closure_counts(package: Path, name: str, version: Callable[[Path], str]) -> None:
    before = version(package)
    with (package / name).open("a") as file:
        file.write("\nq = 1\n")
    assert version(package) != before


@pytest.mark.parametrize("name", ["far.py", "broad.py", "__init__.py"])
def test_code_elsewhere_does_not_count(package: Path, name: str, version: Callable[[Path], str]) -> None:
    before = version(package)
    (package / name).write_text("q = 1\n")
    assert version(package) == before


def test_the_version_is_the_same_in_another_folder(
    package: Path, tmp_path: Path, version: Callable[[Path], str]
) -> None:
    before = version(package)
    shutil.copytree(package, tmp_path / "zzz" / "vigil")
    assert version(tmp_path / "zzz" / "vigil") == before


@given(st.text(st.characters(exclude_categories=("C",))), st.text(st.characters(exclude_categories=("C",))))
def test_two_comments_are_one_version_and_two_texts_two(a: str, b: str) -> None:
    def code(source: str) -> str:
        path = Path("source.py")
        path.write_text(source, encoding="utf-8")
        return _code(path)

    assert code(f"x = 1  # {a}") == code(f"# {b}\nx = 1")
    assert (code(f"x = {a!r}") == code(f"x = {b!r}")) == (a == b)


def test_closure_of_a_real_stage_is_plausible(project: Path) -> None:
    package = project / "src" / "vigil"
    names = {path.relative_to(package).as_posix() for path in import_closure(package / "video.py")}
    assert "video.py" in names
    assert names.isdisjoint({"errors.py", "settings.py", "params.py", "parallel.py", "store.py", "stages/runner.py"})
