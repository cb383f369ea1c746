"""Edits of Python source: some change what it computes, some do not."""

import ast
import io
import tokenize
from collections.abc import Callable

Edit = Callable[[str], str]


def edit_functions(source: str) -> str:
    """Every function of a file assigns something more."""
    lines = source.splitlines()
    bodies = [node.body for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for body in sorted(bodies, key=lambda body: -body[-1].lineno):
        if not lines[body[-1].lineno - 1].lstrip().startswith("def "):  # not all in one line
            lines.insert(body[-1].lineno - 1, " " * body[-1].col_offset + "edited = 1")
    return "\n".join(lines) + "\n"


def edit_function(name: str) -> Edit:
    """The function of that name, or the method `Class.name`, assigns something more."""

    def edit(source: str) -> str:
        body: list[ast.stmt] = ast.parse(source).body
        for part in name.split("."):
            named = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == part]
            assert named, f"there is no {name}"
            body = named[0].body
        lines = source.splitlines()
        lines.insert(body[-1].lineno - 1, " " * body[-1].col_offset + "edited = 1")
        return "\n".join(lines) + "\n"

    return edit


def replace(old: str, new: str) -> Edit:
    return lambda text: text.replace(old, new, 1)


def add_comments(source: str) -> str:
    """A comment after every line that ends a statement, and one at the end."""
    ends = {node.end_lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)}
    lines = [
        f"{line}  # a remark" if number in ends and line else line for number, line in enumerate(source.splitlines(), 1)
    ]
    return "\n".join([*lines, "# the end", ""])


def rename_locals(source: str) -> str:
    """Variables of functions get other names, save those that mean something else in the file too."""
    stored, other = set[str](), set[str]()
    tree = ast.parse(source)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            other |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store()):
                stored.add(node.id)
            case ast.arg(arg=name) | ast.keyword(arg=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name):
                other.add(str(name))
            case ast.ClassDef():
                fields = [statement for statement in node.body if isinstance(statement, ast.Assign | ast.AnnAssign)]
                other |= {inner.id for field in fields for inner in ast.walk(field) if isinstance(inner, ast.Name)}
            case ast.alias():
                other |= {node.asname or "", *node.name.split(".")}
            case ast.ImportFrom():
                other |= set((node.module or "").split("."))
            case ast.JoinedStr():  # a single token before Python 3.12
                other |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    assert stored - other
    tokens = [
        token._replace(string=f"{token.string}_renamed") if token.string in stored - other else token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
    ]
    return tokenize.untokenize((token.type, token.string) for token in tokens)
