"""The code version of a function: a digest of every definition that it can reach, and of nothing else.

It changes when what the function could compute changes. It does not change with comments, docstrings, layout and
annotations of locals, nor when a local variable, a function, a class or a module gets another name or another place: a
reference counts as the definition that it leads to, not as the word for it. Names of parameters, attributes and keys
are part of the code, since data and callers know them.

Nothing is imported to find out; the source is read. A module that is handed on as a value, or asked for a name that it
does not bind itself, counts whole, with its public names. Whoever reads `__file__` counts all files beside the module
that are not Python, such as templates. What a module does beside binding names counts for whoever
uses one of its names. Not seen are modules that are imported by a name in a string (whoever does that adds what it
imports, as stages/code.py does), docstrings and names of functions that the code itself reads, and what a decorator
does with a function that nobody refers to.
"""

import gc
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from vigil.core.errors import VigilError
from vigil.core.storage import sha256_file
from vigil.engine.code_scopes import Module
from vigil.engine.code_templates import EFFECTS, FILES, WHOLE, Definition, Target, Template, Writer

SOURCE = Path(__file__).resolve().parents[2]
PACKAGES = ("vigil", "vigil_city")
ENGINE = "vigil.engine"  # decides when and where a result is computed, never what it is: no use of it counts
EXEMPT = ("vigil.core.errors", "vigil.core.settings", "vigil.core.params")  # only which of their names is used counts


def code_version(*works: Callable[..., Any] | Definition, program: "Program | None" = None) -> str:
    """Returns the digest of all code that these functions or classes can reach within the project, directly or not.

    Files are read anew, unless a `program` that has read them is given.
    """
    program = program or Program(SOURCE)
    roots = [work if isinstance(work, tuple) else program.locate(work) for work in works]
    with _no_garbage_collection():
        return _digest(*(program.digest(root) for root in roots))


class Program:
    """The files below `source`, read on demand, each once."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self._files: dict[str, Path | None] = {}
        self._modules: dict[str, Module] = {}
        self._templates: dict[Definition, Template] = {}
        self._digests: dict[Definition, str] = {}

    def locate(self, work: Callable[..., Any]) -> Definition:
        """Finds where a function or class is defined; a file outside the project's packages counts as a module too."""
        name, file = work.__module__, Path(inspect.getfile(sys.modules[work.__module__])).resolve()
        if self.file(name) is None:
            self._files[name] = file
        return name, work.__qualname__.partition(".")[0]

    def digest(self, root: Definition) -> str:
        """Returns the digest of a definition and of all that it refers to, however far."""
        if root not in self._digests:
            for group in _groups(root, lambda each: self.template(each).references, self._digests):
                self._digests |= self._digests_of(group)
        return self._digests[root]

    def _digests_of(self, group: list[Definition]) -> dict[Definition, str]:
        """Returns the digests of definitions that refer to definition other, when all else that they refer to has one.

        Each round looks one reference further; when no two definitions that were alike differ any more, none ever will.
        """
        templates = {definition: self.template(definition) for definition in group}
        colours = {definition: _digest(template.text) for definition, template in templates.items()}
        if len(group) == 1 and group[0] not in templates[group[0]].references:
            template = templates[group[0]]
            return {
                group[0]: _digest(template.text, *(self._digests[definition] for definition in template.references))
            }
        colour_count = 0
        while len(set(colours.values())) > colour_count:
            colour_count = len(set(colours.values()))
            colours = {
                definition: _digest(
                    template.text, *(colours.get(ref) or self._digests[ref] for ref in template.references)
                )
                for definition, template in templates.items()
            }
        all_colours = sorted(set(colours.values()))
        return {definition: _digest(colour, *all_colours) for definition, colour in colours.items()}

    def file(self, name: str) -> Path | None:
        """Returns the file of a module of the project, None for anything else."""
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
            try:
                self._modules[name] = _parse(name, file.read_bytes(), file.name == "__init__.py")
            except SyntaxError as error:
                raise VigilError(f"{file}: line {error.lineno}: not valid Python: {error.msg}. Mend it.") from None
        return self._modules[name]

    def template(self, definition: Definition) -> Template:
        if definition not in self._templates:
            self._templates[definition] = self._make_template(*definition)
        return self._templates[definition]

    def _make_template(self, name: str, member: str) -> Template:
        module = self.module(name)
        implied = [(name, EFFECTS)] if module.sequence and member != EFFECTS else []
        if member == WHOLE:
            return self._describe_offer(module, implied)
        if member == FILES:
            return Template(self._digest_data_files(name), ())
        statements = module.sequence if member == EFFECTS else module.bindings.get(member, [])
        if not statements and member != EFFECTS:  # it may be asked for a name that it only imports
            target = self.follow(name, member)
            return Template(f"alias {target.text}", (*([target.definition] if target.definition else []), *implied))
        texts, references = [], list[Definition]()
        for statement in statements:
            template = Writer(module, self.follow).fill(statement)
            bound = module.bound_names(statement)
            texts.append(f"{bound.index(member) if member in bound else ''}: {template.text}")
            references += template.references
        return Template("\n".join(texts), (*references, *implied))

    def _digest_data_files(self, name: str) -> str:
        """Lists path and digest of all that lies beside a module or below it, save Python."""
        file = self.file(name)
        assert file is not None
        paths = sorted(path for path in file.parent.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
        return "\n".join(f"{path.relative_to(file.parent).as_posix()} {sha256_file(path)}" for path in paths)

    def _describe_offer(self, module: Module, implied: list[Definition]) -> Template:
        """Describes what those who have the module itself may ask it for, by name."""
        defined = {name: (module.name, name) for name in module.bindings}
        imported = {name: self.follow(*origin).definition for name, origin in module.scope.imports.items()}
        offered = {
            name: definition
            for name, definition in sorted((imported | defined).items())
            if definition
            and (not name.startswith("_") or name == "__getattr__")
            and (definition[1] != WHOLE or module.is_package)
        }
        return Template(" ".join(offered), (*offered.values(), *implied))

    def follow(self, name: str, member: str | None) -> Target:
        """Returns what `member` of module `name` is, or the module itself where no member is asked for."""
        for _ in range(100):  # a chain of re-exports
            whole = name if member is None else f"{name}.{member}"
            if _is_in(whole, ENGINE):
                return Target("<engine>")
            if any(_is_in(whole, module) for module in EXEMPT):
                return Target(f"<core {whole.rpartition('.')[2]}>")
            if self.file(name) is None:
                return Target(f"<{whole}>")
            if member is None:
                return Target("@", (name, WHOLE))
            module = self.module(name)
            if member in module.bindings:
                return Target("@", (name, member))
            if self.file(whole) is not None:
                return Target("@", (whole, WHOLE))
            if member not in module.scope.imports:
                return Target(f"@{member}", (name, WHOLE))
            name, member = module.scope.imports[member]
        raise RecursionError(f"{name}.{member} is imported in a circle")


@cache
def _parse(name: str, text: bytes, is_package: bool) -> Module:
    return Module(name, text, is_package=is_package)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Switches garbage collection off, which took half of the time: syntax trees are many objects and no garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _groups(
    root: Definition, references: Callable[[Definition], tuple[Definition, ...]], done: dict[Definition, str]
) -> Iterator[list[Definition]]:
    """Yields groups of definitions that refer to each other in a circle, each after all that it refers to (Tarjan)."""
    order: dict[Definition, int] = {}
    lowest: dict[Definition, int] = {}
    stack: list[Definition] = []
    on_stack: set[Definition] = set()
    path: list[tuple[Definition, Iterator[Definition]]] = []

    def enter(definition: Definition) -> None:
        order[definition] = lowest[definition] = len(order)
        stack.append(definition)
        on_stack.add(definition)
        path.append((definition, iter(references(definition))))

    enter(root)
    while path:
        definition, remaining = path[-1]
        for reference in remaining:
            if reference in done:
                continue
            if reference not in order:
                enter(reference)
                break
            if reference in on_stack:
                lowest[definition] = min(lowest[definition], order[reference])
        else:
            path.pop()
            if path:
                above = path[-1][0]
                lowest[above] = min(lowest[above], lowest[definition])
            if lowest[definition] == order[definition]:
                group = list[Definition]()
                while not group or group[-1] != definition:
                    group.append(stack.pop())
                on_stack.difference_update(group)
                yield group


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _is_in(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")
