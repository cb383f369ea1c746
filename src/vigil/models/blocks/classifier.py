"""Shared by the models that name what goes on: classes of which the first is normal, their loss and judgement."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from vigil.core.errors import VigilError
from vigil.models.blocks.layers import Batch, Losses, Predictions, mean_loss


class Classifier(nn.Module):
    """Has loss and judgement; each model adds its layers and forward, to (B, classes) logits."""

    def __init__(self, name: str, classes: int) -> None:
        super().__init__()
        if classes < 2:
            raise VigilError(
                f"{name}: {classes} class{'es' if classes != 1 else ''}; expected `normal` and at least one more under "
                f"models.{name}.classes in params.yaml."
            )

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:
        """Returns the cross-entropy; `weight` (classes,) makes up for rare classes."""
        y = batch["y"].long()
        return {"loss": mean_loss(F.cross_entropy(output, y, reduction="none"), y, weight)}

    def odds(self, output: Tensor) -> Tensor:
        """Returns (B,) how much more likely (log odds) any abnormal class is than class 0."""
        return output[:, 1:].logsumexp(dim=1) - output[:, 0]

    @torch.no_grad()
    def judge(self, output: Tensor, x: Tensor) -> Predictions:  # noqa: ARG002  as every model
        """Returns the log odds of anything abnormal, and the logits of all classes."""
        return {"window": self.odds(output), "classes": output}
