"""DVC stage `code`: what each stage depends on of the code, as one digest.

Reads   the source of the project
Writes  <out>    JSON: a digest for every stage, and for stages of models one for every model

The other stages have their digest among their params. So an edit runs again what could compute something else because
of it, and no list of files has to be kept. See engine/code_version.py for what counts.
"""

from pathlib import Path

from vigil.core.storage import write_json
from vigil.engine.stage_code import stage_digests
from vigil.engine.stage_runner import run_stage


def main(*, out: Path) -> None:
    write_json(out, stage_digests())


if __name__ == "__main__":
    run_stage("code", main)
