"""The code version of a function: changes when what it could compute changes, not when a comment does.

Nothing is imported to find out; the source is read.
"""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
EXEMPT = frozenset(
    f"{PACKAGE.name}.{name}" for name in ("errors", "settings", "params", "tracking", "parallel", "stages.runner")
)  # they decide how a result is asked for, kept and told, never what it is


def code_version(work: Callable[..., Any], package: Path = PACKAGE) -> str:
    """Digest of the code of `work`'s module and of every vigil module that it imports, directly or not."""
    files = import_closure(Path(inspect.getfile(sys.modules[work.__module__])).resolve(), package)
    names = {
        path: path.relative_to(package).as_posix() if path.is_relative_to(package) else path.name for path in files
    }
    code = "".join(f"{names[path]}\n{_code(path)}\n" for path in sorted(files, key=names.__getitem__))
    return hashlib.sha256(code.encode()).hexdigest()


def import_closure(file: Path, package: Path = PACKAGE, exempt: frozenset[str] = EXEMPT) -> set[Path]:
    """`file` and the files of `package` that it imports, directly or not, inside functions too.

    Exempt modules (dotted names) are left out along with what only they import, and so is the `__init__.py` of the
    package itself, unless a name is taken from it: it only exports lazily.
    """
    found: set[Path] = set()
    queue = [file]
    while queue:
        path = queue.pop()
        if path not in found:
            found.add(path)
            queue += _imports(path, package, exempt)
    return found


def _code(path: Path) -> str:
    """The syntax tree as text, without comments, line numbers and docstrings."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = node.body[1:] if _is_docstring(node.body[:1]) else node.body
    return ast.dump(tree)


def _is_docstring(body: list[ast.stmt]) -> bool:
    """Whether all there is is a string."""
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def _imports(path: Path, package: Path, exempt: frozenset[str]) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, path, package)
            for alias in node.names:
                submodule = f"{origin}.{alias.name}"
                names.add(submodule if _file(submodule, package) else origin)
    files: set[Path] = set()
    for name in names:
        if name in exempt:
            continue
        parents = [name.rsplit(".", count)[0] for count in range(1, name.count("."))]  # all but the package itself
        files |= {found for found in (_file(each, package) for each in [name, *parents]) if found}
    return {
        file for file in files if file.name != "__init__.py" or not _is_docstring(ast.parse(file.read_bytes()).body)
    }


def _absolute(node: ast.ImportFrom, path: Path, package: Path) -> str:
    if not node.level or not path.is_relative_to(package):
        return node.module or ""
    parts = path.relative_to(package.parent).parts[: -node.level]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _file(name: str, package: Path) -> Path | None:
    """The file of a module of the package, None for anything else."""
    if name.split(".", maxsplit=1)[0] != package.name:
        return None
    path = package.parent.joinpath(*name.split("."))
    for file in (path.with_name(path.name + ".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None
