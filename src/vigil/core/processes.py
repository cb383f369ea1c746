"""Processes that must not outlive who started them."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
LOOK_S = 0.2  # s, from one look for the parent to the next


def end_with_parent(parent: int | None = None) -> None:
    """Ends this process when its parent dies, however that happens: by the system on Linux, elsewhere by a thread.

    `parent` is the number of the process that started this one, where multiprocessing did not.
    """
    starter = multiprocessing.parent_process()
    expected = parent or (starter.pid if starter is not None else None) or os.getppid()

    def watch_parent() -> None:
        while os.getppid() == expected:
            time.sleep(LOOK_S)
        os._exit(1)

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != expected:  # it died before
            os._exit(1)
    else:
        threading.Thread(target=watch_parent, name="end-with-parent", daemon=True).start()
