"""A stage that waits in its middle, as a long training does, and then looks into the store for a result of before."""

import time
from pathlib import Path

from vigil.engine.stage_runner import run_stage
from vigil.engine.store import Store


def main(key: str, out: Path) -> None:
    Path("started").touch()
    while not Path("go").exists():
        time.sleep(0.05)
    out.write_text("there" if Store().find(key) else "gone", encoding="utf-8")


if __name__ == "__main__":
    run_stage("waiting", main)
