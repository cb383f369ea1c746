"""Work whose module never finishes importing in a worker."""

import multiprocessing
import time
from pathlib import Path

if multiprocessing.parent_process() is not None:
    time.sleep(60)


def work(out: Path) -> None:
    out.write_text("done")
