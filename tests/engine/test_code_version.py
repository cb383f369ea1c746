"""Which edits change the code version of a function: those that could change what it computes, and no others."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_program import FILES, MAIN, WORK, replaced, version, write_files

from vigil.core.errors import VigilError
from vigil.engine.code_version import Program, code_version

MOVED = {
    **replaced(FILES, "vigil/facade.py", "from vigil.rooms import area", "from vigil_city.attic import area"),
    "vigil/rooms.py": "",
    "vigil_city/attic.py": FILES["vigil/rooms.py"],
}
REORDERED = {
    **FILES,
    "vigil/near.py": "def sub(a, b):\n    return a - b * 3\n\ndef add(a, b):\n    return a - b * 2\n",
    "vigil/plug.py": "def _hidden():\n    return WEIGHT\n\ndef public():\n    return _hidden()\n\nWEIGHT = 6\n",
}
RENAMED_MODULE = {
    **replaced(FILES, "vigil/late.py", "vigil.deep.core", "vigil.deep.heart"),
    "vigil/deep/heart.py": FILES["vigil/deep/core.py"],
    "vigil/deep/core.py": "",
}
WITHOUT = {
    "a comment": (WORK, "total: float = 0.0", "total: float = 0.0  # grows"),
    "another comment": (WORK, "# every step", "# each"),
    "a docstring": (WORK, '"""Compute it."""', '"""Compute it now."""'),
    "a docstring more": ("vigil/near.py", "def add(a, b):\n", 'def add(a, b):\n    """Add."""\n'),
    "the docstring of a module": (WORK, '"""The stage."""', '"""Other words."""'),
    "layout": ("vigil/near.py", "return a - b * 2", "return (\n        a\n        - (b * 2)\n    )"),
    "quotes": ("vigil/deep/core.py", "'a'", '"a"'),
    "an annotation of a local": (WORK, "total: float = 0.0", "total: int = 0.0"),
    "no annotation of a local": (WORK, "total: float = 0.0", "total = 0.0"),
    "a new annotation of a local": (WORK, "square = Square", "square: Square = Square"),
    "the name of a local": (WORK, "total", "amount"),
    "the name of a loop's variable": (WORK, "step", "number_of_step"),
    "the name of a function": (WORK, "use(", "employ("),
    "the name of a function in a circle": (WORK, "twice", "double"),
    "the name of a constant": (WORK, "LIMIT", "MOST"),
    "the name of a private function in a module that is handed on": ("vigil/plug.py", "_hidden", "_secret"),
    "the name of an import": (WORK, "surface", "extent"),
    "the name of another package": (WORK, "np", "numerics"),
    "an unrelated function": (
        WORK,
        "def unrelated():\n            return LOW",
        "def unrelated():\n            return 1",
    ),
    "an unrelated function more": ("vigil/near.py", "def sub", "def mul(a, b):\n    return a * b\n\ndef sub"),
    "an unused import": (WORK, "import functools", "import functools\n        import os"),
    "what runs as a script": (WORK, "main(3)", "main(4)"),
    "an exempt module": ("vigil/core/errors.py", "exit_code = 1", "exit_code = 2"),
    "the engine": ("vigil/engine/loop.py", "return work()", "print(1)\n    return work()"),
    "another package's code": ("vigil_city/film.py", "return 1", "return 2"),
}
HARMLESS = {
    **{name: replaced(FILES, *edit) for name, edit in WITHOUT.items()},
    "a move to another file": MOVED,
    "the name of a module": RENAMED_MODULE,
    "an import inside a function": replaced(
        replaced(FILES, WORK, "from vigil.shapes import Square\n", "\n"),
        WORK,
        "square = Square(",
        "from vigil.shapes import Square\n            square = Square(",
    ),
    "the name of a class": replaced(replaced(FILES, WORK, "Square", "Box"), "vigil/shapes.py", "Square", "Box"),
    "the order of functions": REORDERED,
    "the name of a function of the engine": replaced(
        replaced(FILES, WORK, "import run", "import go as run"), "vigil/engine/loop.py", "def run", "def go"
    ),
}
WITH = {
    "a constant": (WORK, "LIMIT = 3", "LIMIT = 4"),
    "the type of a constant": (WORK, "LIMIT = 3", "LIMIT = 3.0"),
    "a text": (WORK, "too much", "too many"),
    "a default": (WORK, "scale: float = 1.0", "scale: float = 2.0"),
    "the name of a parameter": (WORK, "scale", "factor"),
    "the annotation of a parameter": (WORK, "size: int", "size: float"),
    "the name of an attribute": ("vigil/shapes.py", "side", "edge"),
    "a key": ("vigil/deep/core.py", "['a']", "['b']"),
    "the decorator of a function": (WORK, "@functools.cache", "@functools.lru_cache"),
    "no decorator": (WORK, "@functools.cache\n", "\n"),
    "the decorator of a class": ("vigil/shapes.py", "frozen=True", "frozen=False"),
    "a base class": ("vigil/shapes.py", "class Square(Shape)", "class Square(object)"),
    "an attribute of a base class": ("vigil/shapes.py", "corners = 4", "corners = 3"),
    "the type of a field": ("vigil/shapes.py", "side: float", "side: int"),
    "a method": ("vigil/shapes.py", "return self.side\n", "return self.side + 1\n"),
    "a method of a base class": ("vigil/shapes.py", "return self.side * ", "return self.side + "),
    "a module that is handed on as a value": ("vigil/plug.py", "WEIGHT = 6", "WEIGHT = 7"),
    "a name of such a module": ("vigil/plug.py", "public", "published"),
    "another function of such a module": ("vigil/plug.py", "WEIGHT = 6", "WEIGHT = 6\n\ndef hook():\n    pass\n"),
    "a function behind a re-export": ("vigil/rooms.py", "side**2", "side**3"),
    "what is re-exported": ("vigil/facade.py", "import area", "import volume as area"),
    "a function behind an import in a function": ("vigil/deep/core.py", "* FACTOR", "/ FACTOR"),
    "a value behind a relative import": ("vigil/deep/side.py", "5", "6"),
    "a statement with an effect": (WORK, "LIMIT = 3\n", "LIMIT = 3\n        np.seterr(all='raise')\n"),
    "a statement that changes a value": (
        "vigil/deep/side.py",
        "FACTOR = {'a': 5}",
        "FACTOR = {'a': 5}\nFACTOR['a'] = 6",
    ),
    "a loop that changes a value": (
        "vigil/deep/side.py",
        "{'a': 5}\n",
        "{'a': 5}\nfor key in 'a':\n    FACTOR[key] = 6\n",
    ),
    "swapped operands": (WORK, "near.add(step, LIMIT)", "near.add(LIMIT, step)"),
    "another function of the same module": (WORK, "near.add", "near.sub"),
    "another name of the same statement": (WORK, "total > HIGH", "total > LOW"),
    "another exempt class": (WORK, "raise VigilError", "raise Rejected"),
    "another function of numpy": (WORK, "np.float64", "np.float32"),
    "one of two in a circle": (WORK, "twice(number - 1) / 2", "twice(number - 1) / 3"),
    "the other way into a circle": (WORK, "twice(4)", "half(4)"),
}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The version of the program as it is."""
    return version(FILES, tmp_path_factory.mktemp("before"))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_could_compute_nothing_else_is_the_same_version(name: str, before: str, tmp_path: Path) -> None:
    after = HARMLESS[name]
    assert after != FILES
    assert version(after, tmp_path / "after") == before
    probed = replaced(after, WORK, "too much", "too many")  # what was edited is still read
    assert version(probed, tmp_path / "probed") != before


@pytest.mark.parametrize("name", WITH)
def test_what_could_compute_something_else_is_another_version(name: str, before: str, tmp_path: Path) -> None:
    assert version(replaced(FILES, *WITH[name]), tmp_path) != before
    assert version(FILES, tmp_path) == before  # and it is undone with the edit


def test_templates_beside_a_module_count_for_whoever_reads_its_file(tmp_path: Path) -> None:
    text = "from pathlib import Path\nPAGE = Path(__file__).with_name('page.html')\ndef main():\n    return PAGE\n"
    files = {**FILES, WORK: text, "vigil/stages/page.html": "a word"}
    worded = {**files, "vigil/stages/page.html": "another word"}
    elsewhere = {**files, "vigil/rooms.html": "a word"}
    before = version(files, tmp_path / "before")
    assert version(worded, tmp_path / "worded") != before
    assert version(elsewhere, tmp_path / "elsewhere") == before


def test_nothing_is_imported_to_find_out(tmp_path: Path) -> None:
    files = {**FILES, WORK: "raise SystemExit('imported')\ndef main():\n    return 1\n"}
    version(files, tmp_path)
    assert "vigil.stages.work" not in sys.modules


def test_code_that_is_no_python_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match=r"work\.py: line 2: not valid Python"):
        version({**FILES, WORK: "x = 1\ndef main(:\n"}, tmp_path)


def test_a_digest_does_not_depend_on_what_was_asked_before(tmp_path: Path) -> None:
    folder = write_files(FILES, tmp_path)
    names = ("main", "use", "half", "twice", "LOW")
    together, turned = Program(folder), Program(folder)
    versions = [together.digest((MAIN[0], name)) for name in names]
    assert versions == [Program(folder).digest((MAIN[0], name)) for name in names]
    assert versions == [turned.digest((MAIN[0], name)) for name in reversed(names)][::-1]


def test_a_function_outside_the_project_counts_its_own_file() -> None:
    assert code_version(write_files) != code_version(version)
    assert code_version(write_files) == code_version(write_files)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("C",))), st.text(st.characters(exclude_categories=("C",))))
def test_two_comments_are_one_version_and_two_texts_two(a: str, b: str) -> None:
    def of(source: str) -> str:
        return version({WORK: source}, Path())

    assert of(f"def main():\n    return 1  # {a}") == of(f"def main():\n    # {b}\n    return 1")
    assert (of(f"def main():\n    return {a!r}") == of(f"def main():\n    return {b!r}")) == (a == b)
