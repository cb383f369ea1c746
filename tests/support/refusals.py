"""Commands that refuse what they are asked for, run one after the other in a process of their own."""

import json
import subprocess
import sys
from collections.abc import Iterable

SCRIPT = """
import contextlib, io, json, sys
from vigil.cli.main import main

for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main(words)
    print(json.dumps([code, said.getvalue(), sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def refuse_all(commands: Iterable[str], heavy: set[str]) -> dict[str, str]:
    """The line of each command on stderr; fails where there are more or none, or where one imports what is heavy."""
    commands = list(commands)
    words = json.dumps([command.split() for command in commands])
    ran = subprocess.run([sys.executable, "-c", SCRIPT], input=words, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines: dict[str, str] = {}
    for command, answer in zip(commands, ran.stdout.splitlines(), strict=True):
        code, lines[command], modules = json.loads(answer)
        assert code == 1, f"{command}: {code}, {lines[command]}"
        assert lines[command].count("\n") == 1, f"{command}: {lines[command]}"
        assert not heavy & set(modules), f"{command} imports {heavy & set(modules)}"
    return lines
