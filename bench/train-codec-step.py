"""The generator step of bench/train-codec-step.ts as a plain PyTorch loop: SEANet, RVQ with moving averages, L1 and mel."""

import json
import math
import sys

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import weight_norm

from train_meter import measure

setting = json.loads(sys.argv[1])
FILTERS, RATIOS, RATE, BATCH, BOOKS, BINS, WIDTH, LSTMS = (
    setting[k] for k in ("filters", "ratios", "rate", "batch", "codebooks", "bins", "width", "lstms")
)
torch.set_num_threads(setting["threads"])
MELS = [64, 128, 256, 512, 1024]


class Conv(nn.Module):
    def __init__(self, a, b, kernel, stride=1):
        super().__init__()
        self.conv = weight_norm(nn.Conv1d(a, b, kernel, stride))
        self.pad = (kernel - stride - (kernel - stride) // 2, (kernel - stride) // 2)

    def forward(self, x):
        return self.conv(F.pad(x, self.pad, mode="reflect"))


class Up(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.conv, self.cut = weight_norm(nn.ConvTranspose1d(a, b, 2 * stride, stride)), stride

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


def encoder():
    a, layers = FILTERS, [Conv(1, FILTERS, 7)]
    for stride in reversed(RATIOS):
        layers += [Residual(a), nn.ELU(), Conv(a, 2 * a, 2 * stride, stride)]
        a *= 2
    return nn.Sequential(*layers, Recurrent(a), nn.ELU(), Conv(a, WIDTH, 7))


def decoder():
    a = FILTERS * 2 ** len(RATIOS)
    layers = [Conv(WIDTH, a, 7), Recurrent(a)]
    for stride in RATIOS:
        layers += [nn.ELU(), Up(a, a // 2, stride), Residual(a // 2)]
        a //= 2
    return nn.Sequential(*layers, nn.ELU(), Conv(a, 1, 7))


class Quantizer(nn.Module):
    def __init__(self):
        super().__init__()
        for name, shape in {"embed": (BOOKS, BINS, WIDTH), "size": (BOOKS, BINS), "mean": (BOOKS, BINS, WIDTH)}.items():
            self.register_buffer(name, torch.ones(shape) if name == "size" else 0.1 * torch.randn(shape))

    def forward(self, x):
        start = x.transpose(1, 2).reshape(-1, WIDTH)
        rest, penalty = start, 0
        for k in range(BOOKS):
            e = self.embed[k]
            with torch.no_grad():
                far = rest.pow(2).sum(1, keepdim=True) - 2 * rest @ e.t() + e.pow(2).sum(1)
                chosen = far.argmin(1)
                onehot = F.one_hot(chosen, BINS).type_as(rest)
                entry = F.embedding(chosen, e)
                self.size[k].mul_(0.99).add_(onehot.sum(0), alpha=0.01)
                self.mean[k].mul_(0.99).add_(onehot.t() @ rest, alpha=0.01)
                total = self.size[k].sum()
                share = (self.size[k] + 1e-5) / (total + BINS * 1e-5) * total
                self.embed[k] = self.mean[k] / share[:, None]
            penalty = penalty + F.mse_loss(rest, entry) / BOOKS
            rest = rest - entry
        made = start + (start - rest - start).detach()
        return made.view(x.shape[0], -1, WIDTH).transpose(1, 2), penalty


def bands(fft):
    mel = lambda f: 2595 * math.log10(1 + f / 700)
    corners = torch.tensor(
        [700 * (10 ** ((mel(64) + (mel(RATE / 2) - mel(64)) * i / 65) / 2595) - 1) for i in range(66)]
    )
    f = torch.arange(fft // 2 + 1) * RATE / fft
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return torch.minimum((f - left) / (peak - left), (right - f) / (right - peak)).clamp(min=0)


windows = {fft: torch.hann_window(fft) for fft in MELS}
banks = {fft: bands(fft) for fft in MELS}


def mel(x, fft):
    x = F.pad(x, ((fft - fft // 4) // 2,) * 2, mode="reflect")[:, 0]
    s = torch.stft(x, fft, fft // 4, window=windows[fft], center=False, return_complex=True)
    power = s.abs().pow(2) / windows[fft].pow(2).sum()
    return banks[fft] @ power


def mel_loss(y, x):
    total = 0
    for fft in MELS:
        a, b = mel(y, fft), mel(x, fft)
        total = total + F.l1_loss(a, b) + F.mse_loss(torch.log10(1e-5 + a), torch.log10(1e-5 + b))
    return total / (2 * len(MELS))


class Codec(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.quantizer, self.decoder = encoder(), Quantizer(), decoder()

    def forward(self, x):
        q, penalty = self.quantizer(self.encoder(x))
        return self.decoder(q), penalty


torch.manual_seed(0)
codec = Codec()
adam = torch.optim.Adam(codec.parameters(), lr=3e-4, betas=(0.5, 0.9))
x = torch.rand(BATCH, 1, RATE) - 0.5


def step():
    y, penalty = codec(x)
    loss = F.l1_loss(y, x) + mel_loss(y, x) + penalty
    adam.zero_grad()
    loss.backward()
    adam.step()
    return loss.item()


measure(step, setting["steps"])
