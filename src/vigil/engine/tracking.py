"""What was tried, in MLflow: one run per training, with settings, curves and pictures. The only file that imports it.

    with tracking.training("panic", params, tags, memory) as run:
        run.log_epoch(row)
        run.log_result(model_sha256, metrics, pictures)

The store is `mlflow.db` beside dvc.yaml of the main checkout (temporary and queued experiments too), or whatever
MLFLOW_TRACKING_URI says. VIGIL_TRACKING=off switches it off, and then MLflow is not even imported. DVC decides and
MLflow mirrors: no result is ever read from it, and when it fails a warning is all that happens.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.lineage import flatten
from vigil.engine.provenance import describe_origin, name_group

EXPERIMENT = "vigil"
SWITCH = "VIGIL_TRACKING"
MODEL, GROUP, PARENT = "model_sha256", "vigil.group", "mlflow.parentRunId"
PARAM_LENGTH = 500  # characters, at most
PARAMS_PER_CALL = 100
NOT_SERVED = "training.safetensors"  # of a trained model, what only another training needs


class Run:
    """The run of one training. The first failure prints a warning; after that nothing more is sent."""

    def __init__(self, client: Any = None, run_id: str | None = None) -> None:
        self._client, self._run_id = client, run_id

    def log_epoch(self, row: Mapping[str, Any], member: int = 0) -> None:
        """Logs a line of the history."""
        prefix = f"member_{member}/" if member else ""
        numbers = {f"{prefix}{key}": value for key, value in row.items() if key != "epoch" and value is not None}
        self._try(lambda: self._metrics(numbers, int(row["epoch"])))

    def log_picture(self, path: Path) -> None:
        """Logs a picture of what the model says as it learns."""
        self._try(lambda: self._client.log_artifact(self._run_id, str(path), "pictures"))

    def log_result(self, model_sha256: str, metrics: Mapping[str, float], pictures: Sequence[Path] = ()) -> None:
        """Logs what a training that ended well has made."""

        def send() -> None:
            self._client.set_tag(self._run_id, MODEL, model_sha256)
            self._metrics(metrics, 0)
            for path in pictures:
                self._client.log_artifact(self._run_id, str(path), "pictures")

        self._try(send)

    def end(self, status: str) -> None:
        """Ends the run as FINISHED, FAILED or KILLED."""
        self._try(lambda: self._client.set_terminated(self._run_id, status))

    def _metrics(self, numbers: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(
            self._run_id, metrics=[Metric(key, float(value), now, step) for key, value in numbers.items()]
        )

    def _try(self, act: Callable[[], Any]) -> None:
        if self._client is not None and not _attempt(act):
            self._client = None


@contextlib.contextmanager
def training(name: str, params: Mapping[str, Any], tags: Mapping[str, str], memory: Path) -> Iterator[Run]:
    """Yields the run of a training, whose id file `memory` keeps: a training that goes on later is the same run."""
    run = Run()

    def start() -> None:
        nonlocal run
        client, experiment = _connect()
        with contextlib.suppress(Exception):  # forgotten, or of another store
            run_id = memory.read_text(encoding="utf-8")
            client.update_run(run_id, status="RUNNING")
            run = Run(client, run_id)
            return
        run_tags = {**describe_origin(), **tags, GROUP: name_group()}
        with _lock_store():
            run_tags[PARENT] = _find_parent(client, experiment, run_tags[GROUP])
        run_id = client.create_run(experiment, tags=run_tags, run_name=name).info.run_id
        run = Run(client, run_id)
        _log_params(client, run_id, params)
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(run_id, encoding="utf-8")

    if is_on():
        _attempt(start)
    try:
        yield run
    except KeyboardInterrupt:
        run.end("KILLED")
        raise
    except BaseException:
        run.end("FAILED")
        raise
    run.end("FINISHED")


def add_metrics(model_sha256: str, metrics: Mapping[str, float]) -> None:
    """Adds what a later stage has measured of a model to the run that trained it, where there is one."""

    def send() -> None:
        client, experiment = _connect()
        run_id = _newest_run(client, experiment, f"tags.{MODEL} = '{model_sha256}'")
        if run_id is None:
            print(
                "tracking: no run made these weights here (DVC restored them, or they were trained elsewhere): "
                "nothing is added",
                file=sys.stderr,
            )
            return
        Run(client, run_id).log_result(model_sha256, metrics)

    if is_on():
        _attempt(send)


def register(name: str, model_sha256: str, folder: Path, loader: str) -> str:
    """Puts the model in `folder` into the model registry as the next version of its name, which is returned.

    `mlflow.pyfunc.load_model("models:/<name>/<version>")` then has module `loader` load it. A failure is an error.
    """
    if not is_on():
        raise VigilError(f"{SWITCH}=off: there is no registry to put {name} into. Unset it.")
    try:
        with _quiet():
            client, experiment = _connect()
            import mlflow
            import mlflow.pyfunc

            run_id = _newest_run(client, experiment, f"tags.{MODEL} = '{model_sha256}'")
            if run_id is None:
                run_id = client.create_run(experiment, run_name=f"register {name}").info.run_id
            with _global_store(), mlflow.start_run(run_id=run_id), tempfile.TemporaryDirectory() as copy:
                served = shutil.copytree(
                    folder, Path(copy) / folder.resolve().name, ignore=shutil.ignore_patterns(NOT_SERVED)
                )
                mlflow.set_tag(MODEL, model_sha256)
                logged = mlflow.pyfunc.log_model(
                    name=name,
                    loader_module=loader,
                    data_path=str(served),
                    registered_model_name=name,
                    pip_requirements=["vigil"],
                )
            version = str(logged.registered_model_version)
            client.set_model_version_tag(name, version, MODEL, model_sha256)
    except Exception as error:
        raise VigilError(f"{uri()}: {name} cannot be registered: {_short(error)}") from error
    return version


@contextlib.contextmanager
def _global_store() -> Iterator[None]:
    """Sets the store for MLflow's functions that take no client; then that and MLflow's variables are set back."""
    import mlflow

    names = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
    variables_before = {name: os.environ[name] for name in names if name in os.environ}
    mlflow.set_tracking_uri(uri())
    mlflow.set_registry_uri(uri())
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # it may be, and then stands for "not set"
        mlflow.set_registry_uri("")
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(variables_before)


def is_on() -> bool:
    """Tells whether runs are to be tracked; VigilError where VIGIL_TRACKING is neither on nor off."""
    value = os.environ.get(SWITCH, "on").lower()
    if value not in {"on", "off"}:
        raise VigilError(f"{SWITCH}={value}: expected on or off.")
    return value == "on"


def uri() -> str:
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{settings.root() / 'mlflow.db'}"


def _connect() -> tuple[Any, str]:
    """Returns MLflow's client and the experiment of all runs; waits for others, as the first makes the database."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # a server that is away must not hold training up
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    from mlflow.tracking import MlflowClient

    for name in ("mlflow", "alembic"):  # importing MLflow sets them to INFO; an error is told here, without a traceback
        logging.getLogger(name).setLevel(logging.CRITICAL)
    store_uri = uri()
    is_file = store_uri.startswith("sqlite:///")
    with _lock_store():
        client = MlflowClient(tracking_uri=store_uri, registry_uri=store_uri)
        existing = client.get_experiment_by_name(EXPERIMENT)
        if existing is not None:
            return client, existing.experiment_id
        artifacts = (Path(store_uri.removeprefix("sqlite:///")).parent / "mlartifacts").as_uri() if is_file else None
        return client, client.create_experiment(EXPERIMENT, artifact_location=artifacts)


def _find_parent(client: Any, experiment: str, key: str) -> str:
    """Finds the run of the group `key`, which holds the runs of one `dvc repro`, or makes it."""
    parent = _newest_run(client, experiment, f"tags.`{GROUP}` = '{key}' and tags.kind = 'group'")
    if parent is None:
        tags = {**describe_origin(), GROUP: key, "kind": "group"}
        tags.pop("dvc_stage", None)
        parent = client.create_run(experiment, tags=tags, run_name=key).info.run_id
        client.set_terminated(parent)
    return str(parent)


def _newest_run(client: Any, experiment: str, query: str) -> str | None:
    """Returns the id of the newest run that the query finds; None where it finds none."""
    runs = client.search_runs([experiment], query, max_results=1, order_by=["attributes.start_time DESC"])
    return runs[0].info.run_id if runs else None


def _log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    flat = [Param(key, str(value)[:PARAM_LENGTH]) for key, value in sorted(flatten(params).items())]
    for start in range(0, len(flat), PARAMS_PER_CALL):
        client.log_batch(run_id, params=flat[start : start + PARAMS_PER_CALL])


@contextlib.contextmanager
def _lock_store() -> Iterator[None]:
    """Lets one process at a time into the block, of all that share the store."""
    path = settings.home() / "locks" / "mlflow.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides the warnings of MLflow about what it does itself, and sends what it prints to stderr."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield


def _attempt(act: Callable[[], Any]) -> bool:
    """Calls `act`; prints a warning and returns False where it fails."""
    try:
        with _quiet():
            act()
    except Exception as error:  # noqa: BLE001  tracking may fail in any way, and nothing else does for that
        print(f"tracking: warning: {uri()}: {_short(error)}. Goes on without.", file=sys.stderr)
        return False
    return True


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(": .")
