"""The step of bench/train-lm-step.ts as a plain PyTorch loop: a decoder that attends to itself and to a text."""

import json
import sys

import torch
from torch import nn
from torch.nn import functional as F

from train_meter import measure

setting = json.loads(sys.argv[1])
WIDTH, LAYERS, HEADS, BOOKS, BINS, STEPS, BATCH, TOKENS = (
    setting[k] for k in ("width", "layers", "heads", "codebooks", "bins", "columns", "batch", "tokens")
)
torch.set_num_threads(setting["threads"])
if "device" in setting:
    torch.set_default_device(setting["device"])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))

    def forward(self, x, memory, mask=None):
        heads = lambda y: y.view(y.shape[0], y.shape[1], HEADS, WIDTH // HEADS).transpose(1, 2)
        q, k, v = heads(self.q(x)), heads(self.k(memory)), heads(self.v(memory))
        scores = q @ k.transpose(2, 3) * (WIDTH // HEADS) ** -0.5
        if mask is not None:
            scores = scores + mask
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.attention, self.cross = Attention(), Attention()
        self.wide, self.back = nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x, text, mask):
        y = self.norms[0](x)
        x = x + self.attention(y, y, mask)
        x = x + self.cross(self.norms[1](x), text)
        return x + self.back(F.gelu(self.wide(self.norms[2](x))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(BINS + 1, WIDTH) for _ in range(BOOKS))
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, BINS, bias=False) for _ in range(BOOKS))
        self.register_buffer("positions", torch.randn(STEPS, WIDTH))
        self.register_buffer("mask", torch.full((STEPS, STEPS), -1e9).triu(1))

    def forward(self, codes, text):
        x = sum(table(codes[:, k]) for k, table in enumerate(self.tables)) + self.positions
        for layer in self.layers:
            x = layer(x, text, self.mask)
        x = self.norm(x)
        return [head(x) for head in self.heads]


torch.manual_seed(0)
decoder = Decoder()
adamw = torch.optim.AdamW(decoder.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
columns = torch.randint(0, BINS, (BATCH, BOOKS, STEPS))
targets = torch.randint(0, BINS, (BATCH, BOOKS, STEPS))
text = torch.randn(BATCH, TOKENS, WIDTH)


def step():
    logits = decoder(columns, text)
    losses = [F.cross_entropy(x.reshape(-1, BINS), targets[:, k].reshape(-1)) for k, x in enumerate(logits)]
    loss = sum(losses) / BOOKS
    adamw.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
    adamw.step()
    return loss.item()


measure(step, setting["steps"])
