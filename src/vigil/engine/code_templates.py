"""A definition as text that says what it computes, with a blank for each other definition that it refers to.

Comments, docstrings, layout and annotations of locals are not in the text, and variables are numbered. Names of
parameters, attributes and keys are, since callers and data know them. The text is the same in every version of Python.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from vigil.engine.code_scopes import Import, Module, Scope, imports_of, names_of_parameters, says_nothing, scope_of

WHOLE = "*"  # in place of a name: all that a module offers to those who have the module itself
EFFECTS = ""  # in place of a name: what a module does when it is imported
FILES = "/"  # in place of a name: the files beside a module that are not Python
Definition = tuple[str, str]  # module, name
SAYS_NOTHING = {"ctx", "kind", "type_comment", "type_ignores"}  # fields of syntax


@dataclass(frozen=True)
class Template:
    """The syntax of a definition as text, with a blank for each reference to another one."""

    text: str
    references: tuple[Definition, ...]


@dataclass(frozen=True)
class Target:
    """What a name stands for: a definition of the project, or only a word for something outside of it."""

    text: str
    definition: Definition | None = None


class Writer(ast.NodeVisitor):
    """Writes a top-level statement of a module. `follow` says what `member` of module `origin` stands for."""

    def __init__(self, module: Module, follow: Callable[[str, str | None], Target]) -> None:
        self.module, self.follow = module, follow
        self.parts: list[str] = []
        self.references: list[Definition] = []
        self.scopes: list[Scope] = []
        self.variables = 0
        self.bound: list[str] = []

    def fill(self, statement: ast.stmt) -> Template:
        self.bound = self.module.bound_names(statement)
        self.visit(statement)
        return Template("".join(self.parts), tuple(self.references))

    def generic_visit(self, node: ast.AST) -> None:
        self.parts.append(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or value == [] or name in SAYS_NOTHING:
                continue
            self.parts.append(f" {name}=")
            if name == "annotation":
                self._annotation(value)
            elif isinstance(value, str) and (name == "rest" or isinstance(node, ast.ExceptHandler | ast.pattern)):
                self.parts.append(self._name(value, is_read=False))
            else:
                self._write(value)
        self.parts.append(")")

    def _write(self, value: object) -> None:
        if isinstance(value, ast.operator | ast.unaryop | ast.boolop | ast.cmpop):
            self.parts.append(f"{type(value).__name__}()")
        elif isinstance(value, ast.AST):
            self.visit(value)
        elif isinstance(value, list):
            self._list(value)
        else:
            self.parts.append(repr(value))

    def _list(self, values: Iterable[object]) -> None:
        self.parts.append("[")
        for value in values:
            if not (isinstance(value, ast.stmt) and says_nothing(value)):
                written = len(self.parts)
                self._write(value)
                if len(self.parts) > written:  # an import or an annotation may write nothing
                    self.parts.append(",")
        self.parts.append("]")

    def visit_Name(self, node: ast.Name) -> None:
        self.parts.append(self._name(node.id, is_read=isinstance(node.ctx, ast.Load)))

    def visit_Constant(self, node: ast.Constant) -> None:
        self.parts.append(repr(node.value))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`module.name`, and `package.module.name`, is a reference to that name alone."""
        chain = _chain(node)
        imported = self._find(chain[0]) if chain else None
        if chain and isinstance(imported, tuple):
            origin, member = imported
            target, rest = self.follow(origin, member), chain[1:]
            while target.definition and target.definition[1] == WHOLE and rest and target.text == "@":
                target, rest = self.follow(target.definition[0], rest[0]), rest[1:]
            self.parts.append(".".join([self._refer(target), *rest]))
        else:
            self.visit(node.value)
            self.parts.append(f".{node.attr}")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Annotations of locals are never evaluated."""
        if not self.scopes or self.scopes[-1].is_class:
            self.generic_visit(node)
        elif node.value:
            self.visit(ast.Assign(targets=[node.target], value=node.value))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.parts.append(f"{type(node).__name__} {self._name(node.name, is_read=False)}")
        self._list(node.decorator_list)
        self._annotation(node.returns)
        self._body_of(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.parts.append("Lambda ")
        self._body_of(node, [node.body])

    def _body_of(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, body: Sequence[ast.AST]) -> None:
        self.visit(node.args)  # defaults and annotations belong to the scope around
        self._inside(scope_of(body, self.module.home, names_of_parameters(node.args)), body)

    def visit_arg(self, node: ast.arg) -> None:
        self.parts.append(repr(node.arg))
        self._annotation(node.annotation)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.parts.append(f"ClassDef {self._name(node.name, is_read=False)}")
        for outside in (node.decorator_list, node.bases, node.keywords):
            self._list(outside)
        self._inside(scope_of(node.body, self.module.home, is_class=True), node.body)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        first, *others = node.generators
        self.parts.append(f"{type(node).__name__} ")
        self.visit(first.iter)  # belongs to the scope around
        scope = scope_of([generator.target for generator in node.generators], self.module.home)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(scope, [first.target, first.ifs, first.is_async, others, *results])

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def _inside(self, scope: Scope, body: Iterable[object]) -> None:
        self.scopes.append(scope)
        self._list(body)
        self.scopes.pop()

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import is seen where its name is used, unless the name is bound in other ways too."""
        scope = self.scopes[-1] if self.scopes else self.module.scope
        for name, (origin, member) in imports_of(node, self.module.home):
            if name not in scope.imports and name != "*":
                self.parts.append(f"{self._name(name, is_read=False)} is {self._imported((origin, member))}")

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        """Seen where the names are used."""

    visit_Nonlocal = visit_Global  # noqa: N815

    def _annotation(self, node: ast.expr | None) -> None:
        """Follows the names in an annotation, also in one that is a string, since pydantic does."""
        if node is None:
            return
        self.parts.append(":")
        self.visit(node)
        for inner in _parts_of_type(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                try:
                    quoted = ast.parse(inner.value, mode="eval")
                except SyntaxError:
                    continue
                for name in ast.walk(quoted):
                    if isinstance(name, ast.Name):
                        self.parts.append(self._name(name.id, is_read=True))

    def _name(self, name: str, *, is_read: bool) -> str:
        meaning = self._find(name)
        if isinstance(meaning, tuple):
            return self._imported(meaning)
        if meaning and meaning.startswith("~") and is_read:
            return meaning + self._of_module(name)  # until the body of the class binds it
        if meaning:
            return meaning
        if not is_read and not self.scopes and name in self.bound:
            return f"={self.bound.index(name)}"
        return self._of_module(name)

    def _of_module(self, name: str) -> str:
        if name in self.module.bindings:
            return self._refer(Target("@", (self.module.name, name)))
        if name in self.module.scope.imports:
            return self._imported(self.module.scope.imports[name])
        if name == "__file__":
            return f"!{name}" + self._refer(Target("@", (self.module.name, FILES)))
        return f"!{name}" + "".join(self._imported((origin, None)) for origin in self.module.stars)

    def _find(self, name: str) -> Import | str | None:
        """The import or the local variable that a name stands for here; None where it belongs to the module."""
        for scope in reversed(self.scopes):
            if scope.is_class and scope is not self.scopes[-1]:
                continue
            if name in scope.global_names:
                break
            if name in scope.parameters:
                return name
            if name in scope.imports:
                return scope.imports[name]
            if name in scope.variables:
                return f"~{name}" if scope.is_class else self._numbered(scope, name)
        return self.module.scope.imports.get(name)

    def _numbered(self, scope: Scope, name: str) -> str:
        if name not in scope.numbers:
            scope.numbers[name] = self.variables
            self.variables += 1
        return f"<{scope.numbers[name]}>"

    def _imported(self, imported: Import) -> str:
        return self._refer(self.follow(*imported))

    def _refer(self, target: Target) -> str:
        if target.definition:
            self.references.append(target.definition)
        return target.text


def _parts_of_type(annotation: ast.AST) -> Iterator[ast.AST]:
    """All nodes of an annotation but the values of a Literal."""
    yield annotation
    if not (isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Literal")):
        for inner in ast.iter_child_nodes(annotation):
            yield from _parts_of_type(inner)


def _chain(node: ast.Attribute) -> list[str] | None:
    """`a.b.c` as its parts; None when it does not begin with a name."""
    parts: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return [inner.id, *reversed(parts)] if isinstance(inner, ast.Name) else None
