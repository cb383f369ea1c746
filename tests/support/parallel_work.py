"""Work functions that worker processes can import."""

import ctypes
import os
import signal
import time
from pathlib import Path

from vigil.core.errors import Rejected, VigilError
from vigil.core.params import Frozen


class Params(Frozen):
    factor: int


def double(text: str, out: Path) -> dict[str, int]:
    """Write the text twice; leave a line in the file named by CALLS so that a test can count."""
    if calls := os.environ.get("CALLS"):
        with Path(calls).open("a") as file:
            file.write(f"{text}\n")
    out.write_text(text * 2)
    return {"length": len(text) * 2}


def scaled(text: str, out: Path, params: Params) -> int:
    double(text, Path(os.devnull))
    out.write_text(text * params.factor)
    return params.factor


def moody(text: str, out: Path) -> str:
    """Do what the text says."""
    if text == "exit":
        os._exit(3)
    elif text == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif text == "hang":
        ctypes.PyDLL(None).sleep(600)  # holds the interpreter lock, so no Python code runs until it is over
    elif text == "broken":
        raise Rejected("it is broken")
    elif text == "bug":
        raise ValueError(f"no such thing in {out} at {object()}")
    elif text == "leave":
        raise SystemExit("gone")
    elif text == "advice":
        raise VigilError("weights.pt: not found. Run the stage `weights`.")
    elif text == "nothing":
        return text
    elif text == "slow":
        time.sleep(0.5)
    double(text, out)
    return text


def patient(text: str, seconds: float, out: Path) -> int:
    """Take a while; the process id goes into the file named by CALLS."""
    with Path(os.environ["CALLS"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    out.write_text(text)
    return 0


def stubborn(out: Path) -> None:
    """Hang in C code that never gives the interpreter back."""
    with Path(os.environ["CALLS"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    ctypes.PyDLL(None).sleep(600)


def threads(out: Path) -> list[object]:
    """How many threads the numeric libraries of a worker use."""
    import cv2

    out.write_text("")
    return [cv2.getNumThreads(), os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]]


def twice(text: str, first: Path, second: Path) -> list[str]:
    first.write_text(text)
    second.write_text(text.upper())
    return [first.suffix, second.suffix]


def full(text: str, out: Path) -> None:
    if text == "b":
        raise OSError(28, "No space left on device", str(out))
    out.write_text(text)


def crash_once(text: str, out: Path) -> str:
    """Die the first time, as for want of memory."""
    flag = Path(os.environ["CALLS"])
    if text == "b" and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    out.write_text(text)
    return text


def refuse_what_is_missing(source: Path, out: Path) -> None:
    if not source.exists():
        raise Rejected("not found")
    out.write_bytes(source.read_bytes())
