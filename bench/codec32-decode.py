"""The decoder of bench/codec32.ts as a plain PyTorch loop: a codebook lookup, SEANet with its LSTM, at published sizes."""

import json
import sys

import torch
from torch import nn
from torch.nn import functional as F

from train_meter import measure

setting = json.loads(sys.argv[1])
FILTERS, RATIOS, FRAMES, BOOKS, BINS, WIDTH, LSTMS = (
    setting[k] for k in ("filters", "ratios", "frames", "codebooks", "bins", "width", "lstms")
)
torch.set_num_threads(setting["threads"])
torch.manual_seed(0)


class Conv(nn.Module):
    def __init__(self, a, b, kernel):
        super().__init__()
        self.conv = nn.Conv1d(a, b, kernel)  # without weight norm: taken out, as one does to infer
        self.pad = (kernel - 1 - (kernel - 1) // 2, (kernel - 1) // 2)

    def forward(self, x):
        return self.conv(F.pad(x, self.pad, mode="reflect"))


class Up(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.conv, self.cut = nn.ConvTranspose1d(a, b, 2 * stride, stride), stride

    def forward(self, x):
        right = self.cut // 2
        y = self.conv(x)
        return y[..., self.cut - right : y.shape[-1] - right]


class Residual(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.block = nn.Sequential(nn.ELU(), Conv(a, a // 2, 3), nn.ELU(), Conv(a // 2, a, 1))

    def forward(self, x):
        return x + self.block(x)


class Recurrent(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.lstm = nn.LSTM(a, a, LSTMS)

    def forward(self, x):
        y = x.permute(2, 0, 1)
        return (self.lstm(y)[0] + y).permute(1, 2, 0)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        a = FILTERS * 2 ** len(RATIOS)
        layers = [Conv(WIDTH, a, 7), Recurrent(a)]
        for stride in RATIOS:
            layers += [nn.ELU(), Up(a, a // 2, stride), Residual(a // 2)]
            a //= 2
        self.layers = nn.Sequential(*layers, nn.ELU(), Conv(a, 1, 7))
        self.tables = nn.ModuleList(nn.Embedding(BINS, WIDTH) for _ in range(BOOKS))

    def forward(self, codes):
        latent = sum(table(row) for table, row in zip(self.tables, codes))
        return self.layers(latent.t()[None])


decoder = Decoder().eval()
codes = torch.arange(BOOKS)[:, None] + 37 * torch.arange(FRAMES)[None]


def step():
    with torch.inference_mode():
        return decoder(codes % BINS).abs().mean().item()


measure(step, setting["steps"])
