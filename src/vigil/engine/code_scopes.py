"""Which names a piece of Python binds, scope by scope, so that a name can be followed to what it stands for."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

Import = tuple[str, str | None]  # module, and the name in it where one is imported from there

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass
class Scope:
    """The names of a module, class, function, lambda or comprehension."""

    is_class: bool = False
    parameters: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)  # bound by statements
    imports: dict[str, Import] = field(default_factory=dict)  # bound by one import and nothing else
    global_names: set[str] = field(default_factory=set)
    outer_names: set[str] = field(default_factory=set)  # nonlocal
    numbers: dict[str, int] = field(default_factory=dict)  # of variables, in the order in which they are met


def scope_of(nodes: Iterable[ast.AST], home: str, parameters: Iterable[str] = (), *, is_class: bool = False) -> Scope:
    """Returns the scope whose body these nodes are, in module `home`. What belongs to an inner scope is not in it."""
    binder = _Binder(home)
    for node in nodes:
        binder.visit(node)
    scope = Scope(is_class, set(parameters), set(binder.variables), {}, binder.global_names, binder.outer_names)
    for name, origins in binder.imports.items():
        if len(origins) == 1 and name not in scope.variables | scope.parameters | scope.global_names:
            scope.imports[name] = origins[0]
        else:
            scope.variables.add(name)
    scope.variables -= scope.parameters | scope.global_names | scope.outer_names
    return scope


def names_bound_by(statement: ast.stmt, home: str) -> list[str]:
    """Returns the names that a statement binds in the scope in which it stands, in the order in which they occur."""
    binder = _Binder(home)
    binder.visit(statement)
    return list(binder.variables | dict.fromkeys(binder.imports))


def names_of_parameters(arguments: ast.arguments) -> list[str]:
    """Returns the names of all parameters, those with stars too."""
    parameters = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    return [parameter.arg for parameter in parameters if parameter]


def imports_of(node: ast.Import | ast.ImportFrom, home: str) -> list[tuple[str, Import]]:
    """Returns the names that an import statement in module `home` binds, and what they stand for.

    `home` of a package is its `__init__`.
    """
    if isinstance(node, ast.Import):
        return [
            (alias.asname, (alias.name, None))
            if alias.asname
            else (alias.name.partition(".")[0], (alias.name.partition(".")[0], None))
            for alias in node.names
        ]
    origin = node.module or ""
    if node.level:
        origin = ".".join([*home.split(".")[: -node.level], *([node.module] if node.module else [])])
    return [(alias.asname or alias.name, (origin, alias.name)) for alias in node.names]


class Module:
    """The top-level statements of a file, by the names that they bind."""

    def __init__(self, name: str, text: bytes, *, is_package: bool) -> None:
        self.name, self.is_package = name, is_package
        self.home = f"{name}.__init__" if is_package else name
        body = [node for node in ast.parse(text).body if not says_nothing(node)]
        self.scope = scope_of(body, self.home)
        self.bindings: dict[str, list[ast.stmt]] = {}
        self.stars = [
            origin
            for node in body
            if isinstance(node, ast.ImportFrom)
            for _, (origin, member) in imports_of(node, self.home)
            if member == "*"
        ]
        statements = [node for node in body if not _is_main_guard(node) and not self._only_imports(node)]
        for statement in statements:
            for bound_name in self.bound_names(statement):
                self.bindings.setdefault(bound_name, []).append(statement)
        self.sequence = self._ordered_statements(statements)

    def bound_names(self, statement: ast.stmt) -> list[str]:
        """Returns what a top-level statement binds, save what is imported and never bound otherwise."""
        return [name for name in names_bound_by(statement, self.home) if name in self.scope.variables]

    def _ordered_statements(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Returns the statements whose order counts: none, unless one does more than bind, or a name is bound twice."""
        rebinding = {id(node) for nodes in self.bindings.values() if len(nodes) > 1 for node in nodes}
        if not rebinding and all(map(self._only_binds, statements)):
            return []
        return [node for node in statements if id(node) in rebinding or not isinstance(node, DEFINITIONS)]

    def _only_imports(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.Import | ast.ImportFrom):
            return all(name in self.scope.imports or name == "*" for name, _ in imports_of(node, self.home))
        return isinstance(node, ast.If) and all(map(self._only_imports, [*node.body, *node.orelse]))

    def _only_binds(self, node: ast.stmt) -> bool:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                return True
            case ast.Assign():
                targets: list[ast.AST] = [*node.targets]
                inner = [node for target in targets for node in ast.walk(target)]
                return not any(isinstance(node, ast.Attribute | ast.Subscript) for node in inner)
            case ast.AnnAssign():
                return isinstance(node.target, ast.Name)
            case ast.If():
                return all(map(self._only_binds, [*node.body, *node.orelse]))
            case ast.Try():
                handled = [statement for handler in node.handlers for statement in handler.body]
                return all(map(self._only_binds, [*node.body, *handled, *node.orelse, *node.finalbody]))
        return says_nothing(node)


def says_nothing(node: ast.stmt) -> bool:
    """Tells whether a statement is a docstring or another that does nothing."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) == "__name__ == '__main__'"


class _Binder(ast.NodeVisitor):
    """Collects what is bound in one scope; of an inner scope it visits only what is evaluated outside of it."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.variables: dict[str, None] = {}  # in the order in which they occur
        self.imports: dict[str, list[Import]] = {}
        self.global_names: set[str] = set()
        self.outer_names: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.variables[node.id] = None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.variables[node.name] = None
        for inner in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if inner:
                self.visit(inner)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for inner in [*node.args.defaults, *node.args.kw_defaults]:
            if inner:
                self.visit(inner)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.variables[node.name] = None
        for inner in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(inner)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """Visits the targets of `:=`: other variables of a comprehension belong to its own scope."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.visit(inner.target)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, origin in imports_of(node, self.home):
            origins = self.imports.setdefault(name, [])
            if origin not in origins:
                origins.append(origin)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._bind(node, node.name)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._bind(node, node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._bind(node, node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._bind(node, node.rest)

    def visit_Global(self, node: ast.Global) -> None:
        self.global_names.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.outer_names.update(node.names)

    def _bind(self, node: ast.AST, name: str | None) -> None:
        if name:
            self.variables[name] = None
        self.generic_visit(node)
