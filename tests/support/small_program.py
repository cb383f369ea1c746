"""A small program on which to try what changes a code version."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from vigil.engine.code_version import Program, code_version

Files = Mapping[str, str]
MAIN = ("vigil.stages.work", "main")
FILES: Files = {
    "vigil/__init__.py": "def __getattr__(name):\n    return name\n",
    "vigil/core/errors.py": "class VigilError(Exception):\n    exit_code = 1\nclass Rejected(VigilError):\n    pass\n",
    "vigil/engine/loop.py": "def run(work):\n    return work()\n",
    "vigil/stages/work.py": '''
        """The stage."""

        import functools

        import numpy as np

        from vigil import near, plug
        from vigil.core.errors import Rejected, VigilError
        from vigil.engine.loop import run
        from vigil.facade import area as surface
        from vigil.shapes import Square

        LIMIT = 3
        LOW, HIGH = 10, 20


        def main(size: int, scale: float = 1.0) -> float:
            """Compute it."""
            from vigil.late import later

            total: float = 0.0
            for step in range(size):  # every step
                total += near.add(step, LIMIT) * scale
            if total > HIGH:
                raise VigilError("too much")
            square = Square(total)
            return run(lambda: later(square) - surface(np.float64(total)) + use(plug))


        def use(module):
            return module.public() + twice(4)


        @functools.cache
        def twice(number):
            return half(number) * 4 if number else LOW


        def half(number):
            return twice(number - 1) / 2


        def unrelated():
            return LOW


        if __name__ == "__main__":
            main(3)
        ''',
    "vigil/near.py": "def add(a, b):\n    return a - b * 2\n\ndef sub(a, b):\n    return a - b * 3\n",
    "vigil/late.py": "from vigil.deep.core import weigh as later\n",
    "vigil/deep/__init__.py": "",
    "vigil/deep/core.py": "from .side import FACTOR\n\ndef weigh(shape):\n    return shape.area() * FACTOR['a']\n",
    "vigil/deep/side.py": "FACTOR = {'a': 5}\n",
    "vigil/facade.py": "from vigil.rooms import area\n",
    "vigil/rooms.py": "def area(side):\n    return side**2\n",
    "vigil/shapes.py": """
        from dataclasses import dataclass

        class Shape:
            corners = 4

            def area(self):
                return self.side * self._stretch()

        @dataclass(frozen=True)
        class Square(Shape):
            side: float

            def _stretch(self):
                return self.side
        """,
    "vigil/plug.py": "WEIGHT = 6\n\ndef public():\n    return _hidden()\n\ndef _hidden():\n    return WEIGHT\n",
    "vigil_city/film.py": "def film():\n    return 1\n",
}
WORK = "vigil/stages/work.py"


def write_files(files: Files, folder: Path) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def version(files: Files, folder: Path) -> str:
    return code_version(MAIN, program=Program(write_files(files, folder)))


def replaced(files: Files, name: str, old: str, new: str) -> Files:
    assert files[name].count(old) >= 1, f"{name} has no {old!r}"
    return {**files, name: files[name].replace(old, new)}
