"""Two programs that look alike: what a name stands for depends on the scope in which it is used."""

from pathlib import Path

import pytest
from small_program import FILES, WORK, version

PAIRS = {
    "two functions that swap their roles": (
        "def main():\n    return first() - second()\ndef first():\n    return 1\ndef second():\n    return 2\n",
        "def main():\n    return first() - second()\ndef first():\n    return 2\ndef second():\n    return 1\n",
    ),
    "circles that differ in length": (
        "def main(n):\n    return main(n - 1)\n",
        "def main(n):\n    return other(n - 1)\ndef other(n):\n    return main(n - 2)\n",
    ),
    "circles that differ far from the start": (
        "def main(n):\n    return b(n)\ndef b(n):\n    return c(n)\ndef c(n):\n    return main(n)\n",
        "def main(n):\n    return b(n)\ndef b(n):\n    return c(n)\ndef c(n):\n    return b(n)\n",
    ),
    "a global that a comprehension's variable hides elsewhere": (
        "x = 1\ndef main():\n    a = [x for x in 'ab']\n    return x\n",
        "x = 2\ndef main():\n    a = [x for x in 'ab']\n    return x\n",
    ),
    "a global that a nested function's variable hides there": (
        "x = 1\ndef main():\n    def inner():\n        x = 3\n    return x\n",
        "x = 2\ndef main():\n    def inner():\n        x = 3\n    return x\n",
    ),
    "parameters of a lambda that are named like globals": (
        "a = b = 1\ndef main():\n    return lambda a, b: a\n",
        "a = b = 1\ndef main():\n    return lambda a, b: b\n",
    ),
    "arguments that are collected": (
        "args = kwargs = 1\ndef main(*args, **kwargs):\n    return args\n",
        "args = kwargs = 1\ndef main(*args, **kwargs):\n    return kwargs\n",
    ),
    "a nested function that hides a variable of the outer one": (
        "def main():\n    x = 1\n    def inner():\n        x = 2\n    inner()\n    return x\n",
        "def main():\n    x = 1\n    def inner():\n        nonlocal x\n        x = 2\n    inner()\n    return x\n",
    ),
    "a variable that is a global": (
        "x = 1\ndef main():\n    x = 2\n    return peek()\ndef peek():\n    return x\n",
        "x = 1\ndef main():\n    global x\n    x = 2\n    return peek()\ndef peek():\n    return x\n",
    ),
    "a name that is imported and then bound": (
        "from vigil.near import add\nadd = abs\ndef main():\n    return add(1)\n",
        "from vigil.near import add\nadd = int\ndef main():\n    return add(1)\n",
    ),
    "an import with a way out": (
        "try:\n    from vigil.near import add\nexcept ImportError:\n    add = 1\ndef main():\n    return add\n",
        "try:\n    from vigil.near import add\nexcept ImportError:\n    add = 2\ndef main():\n    return add\n",
    ),
    "a name that another function imports from elsewhere": (
        "from vigil.near import add\ndef main():\n  return add\ndef o():\n  from vigil.rooms import area as add",
        "from vigil.near import sub as add\ndef main():\n  return add\ndef o():\n  from vigil.rooms import area as add",
    ),
    "one of two imports": (
        "def main(x):\n if x:\n  from vigil.near import add as f\n else:\n  from vigil.near import sub as f\n return f",
        "def main(x):\n if x:\n  from vigil.near import sub as f\n else:\n  from vigil.near import add as f\n return f",
    ),
    "everything of a module": (
        "from vigil.near import *\ndef main():\n    return add(1, 2)\n",
        "from vigil.rooms import *\ndef main():\n    return add(1, 2)\n",
    ),
    "names of attributes that are names of the module too": (
        "one = two = 1\ndef main():\n    class C:\n        one = 3\n    return C\n",
        "one = two = 1\ndef main():\n    class C:\n        two = 3\n    return C\n",
    ),
    "the order of a rebinding": (
        "a = 1\nb = a\na = 2\ndef main():\n    return b\n",
        "a = 1\na = 2\nb = a\ndef main():\n    return b\n",
    ),
    "what a guard that is none does": (
        "import os\nif __name__ != '__main__':\n    os.umask(1)\ndef main():\n    return 1\n",
        "import os\nif __name__ != '__main__':\n    os.umask(2)\ndef main():\n    return 1\n",
    ),
    "a class that a quoted annotation names": (
        "def main(a: 'Size'):\n    return a\nclass Size:\n    least = 1\n",
        "def main(a: 'Size'):\n    return a\nclass Size:\n    least = 2\n",
    ),
    "what a pattern takes": (
        "def main(x):\n    match x:\n        case [a, b]:\n            return a\n",
        "def main(x):\n    match x:\n        case [a, b]:\n            return b\n",
    ),
    "where a `:=` binds": (
        "x = 1\ndef main():\n    [x := n for n in 'ab']\n    return x\n",
        "x = 2\ndef main():\n    [n for n in 'ab']\n    return x\n",
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_programs_that_look_alike_and_differ_have_two_versions(name: str, tmp_path: Path) -> None:
    first, second = ({**FILES, WORK: text} for text in PAIRS[name])
    assert version(first, tmp_path / "first") != version(second, tmp_path / "second")


def test_the_same_program_in_other_words_has_the_same_version(tmp_path: Path) -> None:
    first = "def main(n):\n    rest = [m for m in n if (k := m)]\n    def f(a): return a + k\n    return f(rest)\n"
    second = "def main(n):\n    a = [k for k in n if (b := k)]\n    def c(a): return a + b\n    return c(a)\n"
    versions = {version({**FILES, WORK: text}, tmp_path / str(len(text))) for text in (first, second)}
    assert len(versions) == 1
