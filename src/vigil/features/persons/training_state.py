"""How far the training of the detector has come, so that a later process goes on and ends with the same bytes.

Ultralytics' own checkpoint is no such state: it halves the precision of weights and optimiser, and starts the random
numbers anew.
"""

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vigil.core.storage import replacing
from vigil.features.persons.best_epoch import BestEpoch


def save_state(path: Path, trainer: Any, best: BestEpoch) -> None:
    """Write all that the epochs to come depend on; call it at the end of an epoch."""
    generator = trainer.train_loader.generator
    kind, words, *rest = np.random.get_state(legacy=True)  # noqa: NPY002  the one that Ultralytics draws from
    state = {
        "epoch": trainer.epoch,
        "model": trainer.model.state_dict(),
        "average": trainer.ema.ema.state_dict(),
        "updates": trainer.ema.updates,
        "optimiser": trainer.optimizer.state_dict(),
        "order": generator.get_state(),
        "python": random.getstate(),
        "numpy": [kind, np.asarray(words).tolist(), *rest],
        "torch": torch.get_rng_state(),
        "best": best.state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load_state(path: Path, trainer: Any, best: BestEpoch) -> None:
    """Let a trainer that is about to start go on where the state was saved; without a readable one it starts anew."""
    if not path.exists():
        return
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        complete = state["epoch"] + 1
    except Exception as error:  # noqa: BLE001  a damaged file may fail in any way
        print(f"person: {path} cannot be read ({type(error).__name__}): starts again", file=sys.stderr)
        return
    print(f"person: goes on after epoch {complete}", file=sys.stderr)
    trainer.model.load_state_dict(state["model"])
    trainer.ema.ema.load_state_dict(state["average"])
    trainer.ema.updates = state["updates"]
    trainer.optimizer.load_state_dict(state["optimiser"])
    best.resume(state["best"])
    trainer.start_epoch = complete
    trainer.scheduler.last_epoch = complete - 1
    if complete > trainer.epochs - trainer.args.close_mosaic:  # mosaics had ended already
        trainer._close_dataloader_mosaic()  # noqa: SLF001
        trainer.args.close_mosaic = 0  # so that it does not end them again
    loader = trainer.train_loader
    loader.iterator = loader._get_iterator()  # noqa: SLF001  it draws a number when it begins: before what follows
    loader.generator.set_state(state["order"])
    random.setstate(state["python"])
    np.random.set_state(tuple(state["numpy"]))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
