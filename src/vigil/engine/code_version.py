"""The code version of a function: a digest of every definition that it can reach, and of nothing else.

It changes when what the function could compute changes. It does not change with comments, docstrings, layout and
annotations of locals, nor when a local variable, a function, a class or a module gets another name or another place: a
reference counts as the definition that it leads to, not as the word for it. Names of parameters, attributes and keys
are part of the code, since data and callers know them.

Nothing is imported to find out; the source is read. A module that is handed on as a value, or asked for a name that it
does not bind itself, counts whole. Modules that are imported by a name in a string are not seen: whoever does that adds
what it imports (see `code_of_stage`).
"""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
PACKAGES = ("vigil", "vigil_city")
EXEMPT = ("vigil.core.errors", "vigil.core.settings", "vigil.core.params", "vigil.engine")
"""They decide how a result is asked for, kept and told, never what it is."""

WHOLE = "*"  # in place of a name: everything that a module binds
EFFECTS = ""  # in place of a name: the statements of a module that bind nothing
Definition = tuple[str, str]  # module, name


def code_version(*works: Callable[..., Any] | Definition, program: "Program | None" = None) -> str:
    """Digest of all code that these functions or classes can reach within the project, directly or not.

    Files are read anew, unless a `program` that has read them is given.
    """
    program = program or Program(SOURCE)
    roots = [work if isinstance(work, tuple) else program.locate(work) for work in works]
    colours = _refine({each: program.template(each) for each in program.reach(roots)})
    whole = [*(colours[root] for root in roots), *sorted(colours.values())]
    return hashlib.sha256("\n".join(whole).encode()).hexdigest()


@dataclass(frozen=True)
class Template:
    """The syntax of a definition as text, with a numbered blank for each reference to another one."""

    text: str
    references: tuple[Definition, ...]


@dataclass(frozen=True)
class Module:
    """The top-level statements of a file, by the names that they bind."""

    bindings: dict[str, list[ast.stmt]]
    effects: list[ast.stmt]  # statements that bind nothing
    imports: dict[str, tuple[str, str | None]]  # local name -> module, and the name in it where one is taken


class Program:
    """The files below `source`, read on demand."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self._files: dict[str, Path | None] = {}
        self._modules: dict[str, Module] = {}
        self._templates: dict[Definition, Template] = {}
        self._filled: dict[ast.stmt, Template] = {}

    def locate(self, work: Callable[..., Any]) -> Definition:
        """Where a function or class is defined; a file outside the project's packages counts as a module too."""
        name, file = work.__module__, Path(inspect.getfile(sys.modules[work.__module__])).resolve()
        if self.file(name) is None:
            self._files[name] = file
        return name, work.__qualname__.partition(".")[0]

    def file(self, name: str) -> Path | None:
        """The file of a module of the project, None for anything else."""
        if name not in self._files:
            self._files[name] = None
            if name.partition(".")[0] in PACKAGES:
                path = self.source.joinpath(*name.split("."))
                candidates = (path.with_name(path.name + ".py"), path / "__init__.py")
                self._files[name] = next((file for file in candidates if file.is_file()), None)
        return self._files[name]

    def module(self, name: str) -> Module:
        if name not in self._modules:
            file = self.file(name)
            assert file is not None
            self._modules[name] = _parse(file, name, file.name == "__init__.py")
        return self._modules[name]

    def reach(self, roots: Iterable[Definition]) -> set[Definition]:
        """Every definition that one of these refers to, directly or not."""
        reached: set[Definition] = set()
        queue = list(roots)
        while queue:
            definition = queue.pop()
            if definition not in reached:
                reached.add(definition)
                queue += self.template(definition).references
        return reached

    def template(self, definition: Definition) -> Template:
        if definition not in self._templates:
            self._templates[definition] = self._read(*definition)
        return self._templates[definition]

    def _read(self, name: str, member: str) -> Template:
        module = self.module(name)
        if member == WHOLE:
            return Template(WHOLE, tuple((name, each) for each in (*sorted(module.bindings), EFFECTS)))
        statements = module.effects if member == EFFECTS else module.bindings.get(member)
        if statements is None:  # a stage or a test may be asked for a name that it only imports
            found = self.resolve(name, member)
            if found is None:
                return Template(f"external {name}.{member}", ())
            return Template("alias", (found,))
        filled = [self._fill(name, statement) for statement in statements]
        implied = [] if member == EFFECTS or not module.effects else [(name, EFFECTS)]
        references = [each for template in filled for each in template.references]
        return Template("\n".join(template.text for template in filled), (*references, *implied))

    def _fill(self, name: str, statement: ast.stmt) -> Template:
        """Once for each statement, of which filling leaves nothing but the blanks."""
        if statement not in self._filled:
            blanks = _Blanks(self, name)
            text = blanks.fill(statement)
            self._filled[statement] = Template(text, tuple(blanks.references))
        return self._filled[statement]

    def resolve(self, name: str, member: str) -> Definition | None:
        """The definition that `member` of module `name` leads to; None outside the project or in an exempt module."""
        for _ in range(100):  # a chain of re-exports
            if _exempt(name):
                return None
            if self.file(f"{name}.{member}") is not None:
                inner = f"{name}.{member}"
                return None if _exempt(inner) else (inner, WHOLE)
            if self.file(name) is None:
                return None
            module = self.module(name)
            if member in module.bindings:
                return name, member
            if member not in module.imports:
                return name, WHOLE
            origin, taken = module.imports[member]
            if taken is None:
                return None if self.file(origin) is None or _exempt(origin) else (origin, WHOLE)
            name, member = origin, taken
        raise RecursionError(f"{name}.{member} is imported in a circle")


class _Blanks(ast.NodeTransformer):
    """Puts a blank in the place of each reference to another definition of the project."""

    def __init__(self, program: Program, module: str) -> None:
        self.program, self.name, self.module = program, module, program.module(module)
        self.references: list[Definition] = []
        self._imports: dict[str, tuple[str, str | None]] = {}
        self._locals: dict[str, str] = {}

    def fill(self, statement: ast.stmt) -> str:
        self._imports = dict(self.module.imports) | _imports_of(ast.walk(statement), self.name)
        self._locals = {}
        filled = self.visit(statement)
        if isinstance(filled, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            filled.name = "<name>"
        return ast.dump(filled)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.args = self.visit(node.args)  # defaults and annotations belong to the scope around
        node.returns = self.visit(node.returns) if node.returns else None
        outermost = not self._locals
        if outermost:
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            self._locals = {each.arg: each.arg for each in arguments} | _numbered_locals(node)
        node.body = [each for each in map(self.visit, _without_docstring_and_imports(node.body)) if each is not None]
        if outermost:
            self._locals = {}
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = _without_docstring_and_imports(node.body)
        self.generic_visit(node)
        return node

    def visit_Import(self, _node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, _node: ast.ImportFrom) -> None:
        return None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._locals:
            node.id = self._locals[node.id]
            return node
        if node.id in self._imports:
            origin, member = self._imports[node.id]
            return self._blank(node, origin, member)
        if node.id in self.module.bindings:
            return self._refer(node, (self.name, node.id))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`module.name`, and `package.module.name`, is a reference to that name alone."""
        chain = _chain(node)
        if chain is None or chain[0] in self._locals or chain[0] not in self._imports:
            self.generic_visit(node)
            return node
        origin, member = self._imports[chain[0]]
        name = origin if member is None else f"{origin}.{member}"
        if self.program.file(name) is None or (member and self._binds(origin, member)):
            self.generic_visit(node)  # not a module, or not ours
            return node
        rest = chain[1:]
        while len(rest) > 1 and self.program.file(f"{name}.{rest[0]}") is not None:
            name, rest = f"{name}.{rest[0]}", rest[1:]
        blank: ast.expr = self._blank(node, name, rest[0])
        for attribute in rest[1:]:
            blank = ast.Attribute(blank, attribute, ast.Load())
        return blank

    def _binds(self, module: str, member: str) -> bool:
        return self.program.file(module) is not None and member in self.program.module(module).bindings

    def _blank(self, node: ast.expr, origin: str, member: str | None) -> ast.Name:
        if _exempt(origin) or (member and _exempt(f"{origin}.{member}")):
            return ast.Name("<exempt>", ast.Load())
        if self.program.file(origin) is None:
            return ast.Name(f"<{origin}{'' if member is None else f'.{member}'}>", ast.Load())
        found = (origin, WHOLE) if member is None else self.program.resolve(origin, member)
        return self._refer(node, found) if found else ast.Name(f"<{origin}.{member}>", ast.Load())

    def _refer(self, _node: ast.expr, definition: Definition) -> ast.Name:
        self.references.append(definition)
        return ast.Name("<blank>", ast.Load())


def _refine(templates: dict[Definition, Template]) -> dict[Definition, str]:
    """A digest per definition of what it says and of what it refers to, however far.

    Each round looks one reference further; when no two definitions that were alike differ any more, none ever will.
    """
    colours = {each: _digest(template.text) for each, template in templates.items()}
    kinds = 0
    while len(set(colours.values())) > kinds:
        kinds = len(set(colours.values()))
        colours = {
            each: _digest("\n".join([template.text, *(colours[one] for one in template.references)]))
            for each, template in templates.items()
        }
    return colours


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _exempt(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in EXEMPT)


def _parse(file: Path, name: str, package: bool) -> Module:
    bindings: dict[str, list[ast.stmt]] = {}
    effects: list[ast.stmt] = []
    tree = ast.parse(file.read_bytes())
    for statement in _without_docstring_and_imports(tree.body):
        if _is_main_guard(statement):
            continue
        names = _bound(statement)
        for each in names:
            bindings.setdefault(each, []).append(statement)
        if not names:
            effects.append(statement)
    home = f"{name}.__init__" if package else name
    return Module(bindings, effects, _imports_of(ast.walk(tree), home))


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    return sorted(
        {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        | {node.name for node in ast.walk(statement) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    )


def _imports_of(nodes: Iterator[ast.AST], home: str) -> dict[str, tuple[str, str | None]]:
    """What the import statements among these bind. An import anywhere in a file counts everywhere in it."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                module = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or module] = module, None
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                origin = ".".join([*home.split(".")[: -node.level], *([node.module] if node.module else [])])
            for alias in node.names:
                found[alias.asname or alias.name] = origin, alias.name
    return found


def _without_docstring_and_imports(body: list[ast.stmt]) -> list[ast.stmt]:
    return [
        node
        for node in body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _chain(node: ast.Attribute) -> list[str] | None:
    """`a.b.c` as its parts; None when it does not begin with a name."""
    parts: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return [inner.id, *reversed(parts)] if isinstance(inner, ast.Name) else None


def _numbered_locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str]:
    """The local variables of a function, numbered in the order in which they occur.

    Parameters keep their names, which callers use; so does what is bound by other means than an assignment.
    """
    kept = {name for node in ast.walk(function) for name in _bound_otherwise(node)}
    stored = [
        node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)
    ]
    stored.sort(key=lambda node: (node.lineno, node.col_offset))
    names = dict.fromkeys(node.id for node in stored if node.id not in kept)
    return {name: f"<{number}>" for number, name in enumerate(names)}


def _bound_otherwise(node: ast.AST) -> set[str]:
    """The names that a node binds as anything but a variable."""
    match node:
        case ast.arg():
            return {node.arg}
        case ast.Global() | ast.Nonlocal():
            return set(node.names)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return {node.name}
        case ast.ClassDef():
            return {node.name, *(each.id for each in ast.walk(node) if isinstance(each, ast.Name))}
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return {node.name} if node.name else set()
        case ast.MatchMapping():
            return {node.rest} if node.rest else set()
        case ast.Import() | ast.ImportFrom():
            return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return set()
