"""`python -m vigil.engine.dvc_lane WORDS...` is `dvc WORDS...` for a parent that may be killed.

When the parent is gone, whatever it died of, DVC and the stage that it runs are killed as well. Else they would go on
unseen, and hold the locks that the next run needs.
"""

import os
import runpy
import threading
import time
from contextlib import suppress

import psutil  # type: ignore[import-untyped]

PARENT_CHECK_S = 0.2  # s, from one look for the parent to the next


def end_with(parent: int) -> None:
    """Has a thread kill this process and all that it has started as soon as its parent is another one."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_S)
        for descendant in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                descendant.kill()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


if __name__ == "__main__":
    end_with(os.getppid())
    runpy.run_module("dvc", run_name="__main__", alter_sys=True)
