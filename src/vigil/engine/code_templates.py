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
        self.texts: list[str] = []
        self.references: list[Definition] = []
        self.scopes: list[Scope] = []
        self.variables = 0
        self.bound: list[str] = []

    def fill(self, statement: ast.stmt) -> Template:
        self.bound = self.module.bound_names(statement)
        self.visit(statement)
        return Template("".join(self.texts), tuple(self.references))

    def generic_visit(self, node: ast.AST) -> None:
        self.texts.append(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or value == [] or name in SAYS_NOTHING:
                continue
            self.texts.append(f" {name}=")
            if name == "annotation":
                self._write_annotation(value)
            elif isinstance(value, str) and (name == "rest" or isinstance(node, ast.ExceptHandler | ast.pattern)):
                self.texts.append(self._describe_name(value, is_read=False))
            else:
                self._write(value)
        self.texts.append(")")

    def _write(self, value: object) -> None:
        if isinstance(value, ast.operator | ast.unaryop | ast.boolop | ast.cmpop):
            self.texts.append(f"{type(value).__name__}()")
        elif isinstance(value, ast.AST):
            self.visit(value)
        elif isinstance(value, list):
            self._write_list(value)
        else:
            self.texts.append(repr(value))

    def _write_list(self, values: Iterable[object]) -> None:
        self.texts.append("[")
        for value in values:
            if not (isinstance(value, ast.stmt) and says_nothing(value)):
                written = len(self.texts)
                self._write(value)
                if len(self.texts) > written:  # an import or an annotation may write nothing
                    self.texts.append(",")
        self.texts.append("]")

    def visit_Name(self, node: ast.Name) -> None:
        self.texts.append(self._describe_name(node.id, is_read=isinstance(node.ctx, ast.Load)))

    def visit_Constant(self, node: ast.Constant) -> None:
        self.texts.append(repr(node.value))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Writes `module.name`, and `package.module.name`, as a reference to that name alone."""
        chain = _attribute_chain(node)
        imported = self._find_meaning(chain[0]) if chain else None
        if chain and isinstance(imported, tuple):
            origin, member = imported
            target, rest = self.follow(origin, member), chain[1:]
            while target.definition and target.definition[1] == WHOLE and rest and target.text == "@":
                target, rest = self.follow(target.definition[0], rest[0]), rest[1:]
            self.texts.append(".".join([self._refer(target), *rest]))
        else:
            self.visit(node.value)
            self.texts.append(f".{node.attr}")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Writes no annotation of a local variable: it is never evaluated."""
        if not self.scopes or self.scopes[-1].is_class:
            self.generic_visit(node)
        elif node.value:
            self.visit(ast.Assign(targets=[node.target], value=node.value))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.texts.append(f"{type(node).__name__} {self._describe_name(node.name, is_read=False)}")
        self._write_list(node.decorator_list)
        self._write_annotation(node.returns)
        self._write_function(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.texts.append("Lambda ")
        self._write_function(node, [node.body])

    def _write_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, body: Sequence[ast.AST]
    ) -> None:
        self.visit(node.args)  # defaults and annotations belong to the scope around
        self._write_scope(scope_of(body, self.module.home, names_of_parameters(node.args)), body)

    def visit_arg(self, node: ast.arg) -> None:
        self.texts.append(repr(node.arg))
        self._write_annotation(node.annotation)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.texts.append(f"ClassDef {self._describe_name(node.name, is_read=False)}")
        for nodes in (node.decorator_list, node.bases, node.keywords):  # belong to the scope around
            self._write_list(nodes)
        self._write_scope(scope_of(node.body, self.module.home, is_class=True), node.body)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        first, *inner_generators = node.generators
        self.texts.append(f"{type(node).__name__} ")
        self.visit(first.iter)  # belongs to the scope around
        scope = scope_of([generator.target for generator in node.generators], self.module.home)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._write_scope(scope, [first.target, first.ifs, first.is_async, inner_generators, *results])

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def _write_scope(self, scope: Scope, body: Iterable[object]) -> None:
        self.scopes.append(scope)
        self._write_list(body)
        self.scopes.pop()

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Writes nothing, as an import is seen where its name is used, unless the name is bound in other ways too."""
        scope = self.scopes[-1] if self.scopes else self.module.scope
        for name, (origin, member) in imports_of(node, self.module.home):
            if name not in scope.imports and name != "*":
                self.texts.append(
                    f"{self._describe_name(name, is_read=False)} is {self._refer_to_import((origin, member))}"
                )

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        """Writes nothing: the statement is seen where its names are used."""

    visit_Nonlocal = visit_Global  # noqa: N815

    def _write_annotation(self, node: ast.expr | None) -> None:
        """Follows the names in an annotation, also in one that is a string, since pydantic does."""
        if node is None:
            return
        self.texts.append(":")
        self.visit(node)
        for inner in _nodes_of_type(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                try:
                    quoted = ast.parse(inner.value, mode="eval")
                except SyntaxError:
                    continue
                for name in ast.walk(quoted):
                    if isinstance(name, ast.Name):
                        self.texts.append(self._describe_name(name.id, is_read=True))

    def _describe_name(self, name: str, *, is_read: bool) -> str:
        meaning = self._find_meaning(name)
        if isinstance(meaning, tuple):
            return self._refer_to_import(meaning)
        if meaning and meaning.startswith("~") and is_read:
            return meaning + self._describe_module_name(name)  # until the body of the class binds it
        if meaning:
            return meaning
        if not is_read and not self.scopes and name in self.bound:
            return f"={self.bound.index(name)}"
        return self._describe_module_name(name)

    def _describe_module_name(self, name: str) -> str:
        if name in self.module.bindings:
            return self._refer(Target("@", (self.module.name, name)))
        if name in self.module.scope.imports:
            return self._refer_to_import(self.module.scope.imports[name])
        if name == "__file__":
            return f"!{name}" + self._refer(Target("@", (self.module.name, FILES)))
        return f"!{name}" + "".join(self._refer_to_import((origin, None)) for origin in self.module.stars)

    def _find_meaning(self, name: str) -> Import | str | None:
        """Returns the import or the local variable that a name stands for here; None where it belongs to the module."""
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
                return f"~{name}" if scope.is_class else self._number_variable(scope, name)
        return self.module.scope.imports.get(name)

    def _number_variable(self, scope: Scope, name: str) -> str:
        if name not in scope.numbers:
            scope.numbers[name] = self.variables
            self.variables += 1
        return f"<{scope.numbers[name]}>"

    def _refer_to_import(self, imported: Import) -> str:
        return self._refer(self.follow(*imported))

    def _refer(self, target: Target) -> str:
        if target.definition:
            self.references.append(target.definition)
        return target.text


def _nodes_of_type(annotation: ast.AST) -> Iterator[ast.AST]:
    """Yields all nodes of an annotation but the values of a Literal."""
    yield annotation
    if not (isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Literal")):
        for inner in ast.iter_child_nodes(annotation):
            yield from _nodes_of_type(inner)


def _attribute_chain(node: ast.Attribute) -> list[str] | None:
    """Returns the names in `a.b.c`; None when it does not begin with a name."""
    names: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    return [inner.id, *reversed(names)] if isinstance(inner, ast.Name) else None
