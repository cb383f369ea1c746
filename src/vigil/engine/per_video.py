"""The loop over videos: what is in the store is linked, the rest is computed, and one bad video never stops the others.

    outcomes = run_per_video("flow", flow_of, items, params, runtime)
    finish_folder("flow", out, outcomes)

The same bytes come out whatever the executor, the number of workers and the number of interruptions.
"""

import fcntl
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.skipping import REJECTS
from vigil.core.storage import sha256_json, write_table
from vigil.engine import executors
from vigil.engine.code_version import code_version
from vigil.engine.executors import Results
from vigil.engine.store import Entry, Store, link
from vigil.engine.workers import Failure, Task

PRINTED_REJECTS = 20  # at most, in the summary of a stage
LINE_EVERY_S = 10.0  # from one line of progress to the next, where there is no terminal


class Runtime(Frozen):
    """How the work is run. Nothing here changes a result, so no stage depends on it."""

    executor: Literal["process", "serial", "dask"]
    workers: Annotated[int, Field(ge=0)]  # 0: one per core
    timeout_s: Annotated[float, Field(gt=0)]  # one video; not for `serial`
    address: str | None  # of the Dask scheduler


@dataclass(frozen=True)
class Item:
    """One video's share of the work."""

    name: str  # <set>/<stem>, shown to the user
    key: tuple[str, ...]  # what the result depends on beside params and code: digests of inputs, values
    args: tuple[Any, ...] = ()  # for the work function, before the output paths
    outputs: tuple[Path, ...] = ()  # final files


@dataclass(frozen=True)
class Outcome:
    item: Item
    value: Any  # what the work function returned, as JSON has it; None when rejected
    reason: str | None  # why there is no result
    reused: bool  # found in the store
    seconds: float = field(default=0.0, compare=False)  # its share of the time that all took


def run_per_video(
    stage: str, work: Callable[..., Any], items: Sequence[Item], params: Frozen | None, runtime: Runtime
) -> list[Outcome]:
    """Calls `work(*args, *output paths[, params=params])` for every item whose result is not yet in the store.

    `work` is a function of a module; it writes the temporary paths it is given, which have the extensions of the
    outputs, and returns JSON or None. When it raises Rejected, that is a result too, kept like any other. A crash, a
    time-out or another exception loses that item alone, and is tried again whenever the stage runs again.
    """
    began = time.monotonic()
    _refuse_shared_outputs(stage, items)
    work = _find_importable(work)
    if params is not None and (importable := _find_importable(type(params))) is not type(params):
        params = importable.model_validate(params.model_dump())
    store = Store()
    code = code_version(work)
    keys = _make_keys(code, items, params)
    with store.in_use():
        outcomes, missing = _look_up(store, items, keys)
        tasks = [_make_task(work, code, items[numbers[0]], key, params) for key, numbers in missing.items()]
        failures: list[Failure] = []
        if tasks:
            with _progress(stage, len(tasks)) as (begin, done), closing(_run(tasks, runtime, begin)) as results:
                for task, result in results:
                    if isinstance(result, Failure):
                        failures.append(result)
                        _report_failure(stage, task.name, result)
                    for number in missing[task.key]:
                        outcomes[number] = _accept(items[number], result, reused=False)
                    done(task.name)
    if failures:
        _report_failures(stage, failures, outcomes)
    share = (time.monotonic() - began) / max(1, len(items))
    return [replace(outcomes[number], seconds=share) for number in range(len(items))]


def finish_folder(stage: str, out: Path, outcomes: Sequence[Outcome]) -> None:
    """Makes `out` hold the results and nothing else, lists what was rejected in `rejects.csv`, prints the summary."""
    output_paths = {path.absolute() for outcome in outcomes if outcome.reason is None for path in outcome.item.outputs}
    for path in sorted(out.rglob("*"), reverse=True):  # a folder's content comes before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.absolute() not in output_paths:
            path.unlink()
    out.mkdir(parents=True, exist_ok=True)
    rejects = [{"video": outcome.item.name, "reason": outcome.reason} for outcome in outcomes if outcome.reason]
    if rejects:
        write_table(out / REJECTS, rejects, ["video", "reason"])
    count = Counter((outcome.reason is None, outcome.reused) for outcome in outcomes)
    print(
        f"{stage}: {len(outcomes)} videos: {count[True, False]} done, {count[True, True]} reused, "
        f"{len(rejects)} rejected in {sum(outcome.seconds for outcome in outcomes):.1f} s"
    )
    for reject in rejects[:PRINTED_REJECTS]:
        print(f"{stage}: rejected {reject['video']}: {reject['reason']}")
    if len(rejects) > PRINTED_REJECTS:
        print(f"{stage}: and {len(rejects) - PRINTED_REJECTS} more in {out / REJECTS}")


@contextmanager
def stage_lock(name: str) -> Iterator[None]:
    """Lets one process at a time run this stage in this workspace: waits for another, and says for whom."""
    path = Path(".vigil") / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            print(f"{name}: waits for process {file.read().strip() or '?'}, which runs this stage", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _look_up(
    store: Store, items: Sequence[Item], keys: Sequence[str]
) -> tuple[dict[int, Outcome], dict[str, list[int]]]:
    """Returns the outcomes of items that the store has, by number, and the numbers of all others by key."""
    outcomes: dict[int, Outcome] = {}
    missing: dict[str, list[int]] = {}
    for number, (item, key) in enumerate(zip(items, keys, strict=True)):
        entry = store.find(key)
        if entry is None:
            missing.setdefault(key, []).append(number)
        else:
            outcomes[number] = _accept(item, entry, reused=True)
    return outcomes, missing


def _report_failures(stage: str, failures: Sequence[Failure], outcomes: Mapping[int, Outcome]) -> None:
    """Prints how many failed and how to try again; VigilError where not one video has a result."""
    print(
        f"{stage}: {len(failures)} of {len(outcomes)} videos have no result for a reason that may pass (time-out, "
        f"crash). To try them again, run {_retry_advice()}",
        file=sys.stderr,
    )
    if all(outcome.reason is not None for outcome in outcomes.values()):
        raise VigilError(f"{stage}: not one of {len(outcomes)} videos has a result: {failures[0].reason}")


def _make_keys(code: str, items: Sequence[Item], params: Frozen | None) -> list[str]:
    shared = {"code": code, "params": None if params is None else params.model_dump(mode="json")}
    keys = []
    for item in items:
        ingredients = shared | {"key": item.key, "suffixes": [path.suffix for path in item.outputs]}
        keys.append(sha256_json(ingredients))
    return keys


def _make_task(work: Callable[..., Any], code: str, item: Item, key: str, params: Frozen | None) -> Task:
    suffixes = tuple(path.suffix for path in item.outputs)
    return Task(item.name, key, code, work, item.args, suffixes, params, Store().folder, settings.root(), Path.cwd())


def _run(tasks: Sequence[Task], runtime: Runtime, begin: Callable[[str], None]) -> Results:
    if runtime.executor == "serial":
        return executors.run_serially(tasks, begin)
    if runtime.executor == "dask":
        return executors.run_on_dask(tasks, runtime.address, runtime.timeout_s, begin)
    return executors.run_in_processes(tasks, runtime.workers or settings.available_cores(), runtime.timeout_s, begin)


def _accept(item: Item, result: Entry | Failure, reused: bool) -> Outcome:
    """Links the files of a result to the outputs of the item."""
    if isinstance(result, Failure):
        return Outcome(item, None, result.reason, reused)
    for source, final in zip(result.files, item.outputs, strict=result.reason is None):
        link(source, final)
    return Outcome(item, result.value, result.reason, reused)


def _retry_advice() -> str:
    """Returns the command that tries videos again: DVC would not run a stage again by itself that it has run."""
    stage = os.environ.get("DVC_STAGE")
    return f"`dvc repro --force {stage}`" if stage else "the same command again"


def _report_failure(stage: str, name: str, failure: Failure) -> None:
    """Prints a failure, and writes its traceback to a file: the path of a log does not belong into rejects.csv."""
    where = ""
    if failure.details:
        folders = [folder for folder in name.split("/") if folder not in ("", ".", "..")]
        log = settings.home().joinpath("logs", stage, *folders[:-1], f"{folders[-1]}.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(failure.details, encoding="utf-8", errors="backslashreplace")
        where = f" Traceback: {log}"
    line = f"{stage}: {name}: {failure.reason.rstrip('.')}.{where}"
    if failure.fatal:
        raise VigilError(line)
    print(line, file=sys.stderr)


def _refuse_shared_outputs(stage: str, items: Sequence[Item]) -> None:
    owners: dict[Path, str] = {}
    for item in items:
        for path in item.outputs:
            if path in owners:
                raise VigilError(
                    f"{stage}: {owners[path]} and {item.name} would both write {path}. Rename one of them."
                )
            owners[path] = item.name


def _find_importable(definition: Any) -> Any:
    """Returns a function or class of a module that is run by `python -m`, as every other process can import it."""
    main = getattr(sys.modules["__main__"], "__spec__", None)
    if definition.__module__ != "__main__" or main is None:
        return definition
    return getattr(import_module(main.name), definition.__qualname__)


@contextmanager
def _progress(stage: str, total: int) -> Iterator[tuple[Callable[[str], None], Callable[[str], None]]]:
    """Yields what to call when a video begins and when it is done; shows a bar in a terminal, else lines."""
    if sys.stderr.isatty():
        with _bar(stage, total) as functions:
            yield functions
        return
    began = last_line = time.monotonic()
    count = 0

    def done(name: str) -> None:
        nonlocal count, last_line
        count += 1
        now = time.monotonic()
        if now - last_line >= LINE_EVERY_S and count < total:
            last_line, rate = now, count / (now - began)
            left = (total - count) / rate
            print(f"{stage}: {count} of {total}, {rate:.3g} videos/s, {left:.0f} s left, last {name}", file=sys.stderr)

    yield lambda _name: None, done


@contextmanager
def _bar(stage: str, total: int) -> Iterator[tuple[Callable[[str], None], Callable[[str], None]]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    began = time.monotonic()
    columns = [
        TextColumn(stage),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[video]}", markup=False),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(stage, total=total, rate="", video="")

        def done(_name: str) -> None:
            progress.advance(bar)
            rate = progress.tasks[0].completed / (time.monotonic() - began)
            progress.update(bar, rate=f"{rate:.3g} videos/s")

        yield lambda name: progress.update(bar, video=name), done
