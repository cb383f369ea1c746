"""Models whose judgements are known, and judgements that must be alike."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vigil.core.params import Frozen
from vigil.judging.judgements import Judgement
from vigil.models.blocks.layers import Clip, Predictions
from vigil.models.checkpoint import Card, Checkpoint

STEP = 0.5


def assert_alike(judgements: Iterable[Judgement], expected: Iterable[Judgement]) -> None:
    judgements, expected = list(judgements), list(expected)
    assert [(a.span, a.person, a.shown) for a in judgements] == [(b.span, b.person, b.shown) for b in expected]
    for a, b in zip(judgements, expected, strict=True):
        assert a.score == pytest.approx(b.score, abs=1e-5)
        assert a.newest == pytest.approx(b.newest, abs=1e-5)
        for key in ("frames", "classes", "cells", "attention"):
            left, right = getattr(a, key), getattr(b, key)
            assert (left is None) == (right is None)
            assert left is None or np.allclose(left, right, atol=1e-5)


class Wanderer(torch.nn.Module):
    """A stream model: what it says is the mean of all planes so far."""

    def __init__(self) -> None:
        super().__init__()
        self.config, self.clip = None, Clip(4, size=8, target="itself")
        self.factor = torch.nn.Parameter(torch.ones(()))

    def step(self, frame: torch.Tensor, state: Any) -> tuple[Predictions, Any]:
        count, total = state or (0, torch.zeros(len(frame)))
        total = total + frame.mean(dim=(1, 2, 3)) * self.factor
        return {"window": total / (count + 1)}, (count + 1, total)


def checkpoint_of(model: torch.nn.Module, input_name: str = "flow") -> Checkpoint:
    card = Card("wanderer", Frozen(), {}, model.clip, input_name, {"frames": {"fps": 8.0}}, "", 0, [], [])
    return Checkpoint(model.eval().requires_grad_(False), card, "0" * 64, Path("nowhere"))
