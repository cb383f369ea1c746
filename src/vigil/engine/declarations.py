"""Reads one declaration out of a module without running the rest of it.

The parameters of a stage are declared beside the code that uses them, and that code takes seconds to import. Here the
class is made from the project's own source: of its module nothing runs but what binds the names that it uses.
"""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from vigil.engine.code_scopes import imports_of, names_bound_by

IMPORTED = "vigil.core"  # whose modules are imported as they are: they are light, and their classes are told apart


class Namespace(dict[str, Any]):
    """The names of a module, each bound when it is first asked for."""

    def __init__(self, module: str, text: str) -> None:
        super().__init__(__name__=module, __builtins__=__builtins__)
        tree = ast.parse(text)
        self._module = module
        self._functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._statements: dict[str, ast.stmt] = {}
        self._imports: dict[str, tuple[str, str | None]] = {}
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._imports |= imports_of(statement, module)
            else:
                self._statements |= dict.fromkeys(names_bound_by(statement, module), statement)

    def __missing__(self, name: str) -> Any:
        if name in self._statements:
            statement = _WithoutSignatures().visit(self._statements[name])
            for used in _names_used_at_once(statement):
                if used in self._statements or used in self._imports:
                    self[used]  # a class body does not ask for what is missing, as the body of a function does
            code = compile(ast.Module([statement], []), f"<{self._module}>", "exec")
            exec(code, self)  # noqa: S102
        elif name in self._imports:
            self[name] = _import(*self._imports[name])
        else:
            raise KeyError(name)
        return self[name]

    def declares(self, name: str) -> bool:
        """Tells whether the module binds the name by a statement of its own."""
        return name in self._statements

    def annotations_of(self, function: str) -> dict[str, Any]:
        """Returns the types that the parameters of a function are declared with, by their names."""
        arguments = self._functions[function].args
        return {
            argument.arg: eval(ast.unparse(argument.annotation), self)  # noqa: S307
            for argument in (*arguments.args, *arguments.kwonlyargs)
            if argument.annotation is not None
        }


@cache
def read_module(module: str) -> Namespace:
    """Returns the namespace of a module of this project, of which nothing has run yet."""
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None, module
    return Namespace(module, Path(spec.origin).read_text(encoding="utf-8"))


def _import(origin: str, name: str | None) -> Any:
    """Returns what `import origin` or `from origin import name` binds."""
    if not origin.startswith("vigil") or origin.startswith(IMPORTED):
        module = import_module(origin)
        return module if name is None else getattr(module, name, None) or import_module(f"{origin}.{name}")
    assert name is not None, origin
    if find_spec(f"{origin}.{name}") if _is_package(origin) else False:
        return _ModuleSource(f"{origin}.{name}")
    return read_module(origin)[name]


def _is_package(module: str) -> bool:
    spec = find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None


class _ModuleSource(ModuleType):
    """A module whose declarations are read when its attributes are asked for."""

    def __getattr__(self, name: str) -> Any:
        return read_module(self.__name__)[name]


def _names_used_at_once(node: ast.AST) -> Iterator[str]:
    """Yields the names that a statement reads when it runs, without those that its functions read when called."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef):
        children = iter([*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)])
    for child in children:
        yield from _names_used_at_once(child)


class _WithoutSignatures(ast.NodeTransformer):
    """Takes the annotations of functions out: they name what only running code needs."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            argument.annotation = None
        for argument in filter(None, (arguments.vararg, arguments.kwarg)):
            argument.annotation = None
        return node
