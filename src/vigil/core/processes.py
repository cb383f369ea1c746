"""Processes that must not outlive who started them."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def end_with_parent() -> None:
    """Has the system kill this process when its parent dies, however that happens; on Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
