"""The ConvLSTM as it is written down: input and state joined, one convolution a step. What ours is measured against."""

import torch
from torch import Tensor, nn


class Cell(nn.Module):
    def __init__(self, inputs: int, hidden: int, kernel: int = 3) -> None:
        super().__init__()
        self.hidden = hidden
        self.joined = nn.Conv2d(inputs + hidden, 4 * hidden, kernel, padding=kernel // 2)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, o, g = self.joined(torch.cat([x, h], dim=1)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Textbook(nn.Module):
    """(B, T, inputs, H, W) -> (B, T, hidden, H, W) and the last h and c."""

    def __init__(self, inputs: int, hidden: int, kernel: int = 3) -> None:
        super().__init__()
        self.cell = Cell(inputs, hidden, kernel)

    def forward(self, clip: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        zeros = clip.new_zeros(clip.shape[0], self.cell.hidden, *clip.shape[3:])
        h, c = state or (zeros, zeros)
        shown = []
        for x in clip.unbind(1):
            h, c = self.cell(x, h, c)
            shown.append(h)
        return torch.stack(shown, dim=1), (h, c)
