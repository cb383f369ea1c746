"""The result of a whole stage in the store, for stages that take long and whose key is known before they begin.

    result = restore_result(key, outputs)
    if result is None:
        with new_result(key, outputs) as (folder, result):
            ...  # write the files into `folder`, under the names of `outputs`, and fill `result`

Unlike the results of single videos, their files are checked byte by byte before they are used again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vigil.core.storage import sha256_file
from vigil.engine.store import Store, link

Result = dict[str, Any]  # as JSON has it


def restore_result(key: str, outputs: Mapping[str, Path]) -> Result | None:
    """Links the files of the result to `outputs`; returns None where the store has no such result, or a damaged one.

    `outputs` are the final paths by their names in the store. A damaged result leaves the store.
    """
    store = Store()
    with store.in_use():
        entry = store.find(key)
        if entry is None:
            return None
        digests: dict[str, str] = entry.value["sha256"]
        if {path.name: sha256_file(path) for path in entry.files} != digests or digests.keys() != outputs.keys():
            store.remove(key)
            return None
        for path in entry.files:
            link(path, outputs[path.name])
        return dict(entry.value["result"])


@contextmanager
def new_result(key: str, outputs: Mapping[str, Path]) -> Iterator[tuple[Path, Result]]:
    """Yields a folder for the files and an empty result. After the block both are stored and linked to `outputs`.

    When the block fails, nothing is stored.
    """
    store = Store()
    with store.in_use(), store.new_folder() as folder:
        result: Result = {}
        yield folder, result
        digests = {name: sha256_file(folder / name) for name in outputs}
        entry = store.add(key, folder, list(outputs), {"sha256": digests, "result": result})
        for path in entry.files:
            link(path, outputs[path.name])
