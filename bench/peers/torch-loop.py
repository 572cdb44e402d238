"""PyTorch composes: MusicGen small's decoder in float32, plain, its cache grown by concatenation. Random weights.

Usage: python3 torch-loop.py '{"threads": 2, ...sizes}'; then as contestant.ts says.
"""

import json
import math
import sys
import time

import torch
from torch.nn import functional as F

S = json.loads(sys.argv[1])
WIDTH, LAYERS, HEADS, WIDE = S["width"], S["layers"], S["heads"], S["wide"]
BINS, CODEBOOKS, TOKENS, GUIDANCE, TOP_K = S["bins"], 4, 16, 3.0, 250
torch.set_num_threads(S["threads"])
if "device" in S:  # a GPU, which PyTorch 2 can be told once for all
    torch.set_default_device(S["device"])
    torch.set_default_dtype(torch.float16 if S["half"] else torch.float32)
torch.manual_seed(0)


def matrix(rows, columns):
    return torch.empty(rows, columns).uniform_(-1, 1) / math.sqrt(columns / 3)


def norm():
    return torch.ones(WIDTH), torch.zeros(WIDTH)


def layer():
    square = {name: matrix(WIDTH, WIDTH) for name in ("q", "k", "v", "o", "cross_q", "cross_k", "cross_v", "cross_o")}
    return {**square, "fc1": matrix(WIDE, WIDTH), "fc2": matrix(WIDTH, WIDE), "norms": [norm() for _ in range(3)]}


def split(x):
    return x.view(x.shape[0], x.shape[1], HEADS, WIDTH // HEADS).transpose(1, 2)


def attend(q, k, v, mask=None):
    scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(2, 3)
    if mask is not None:
        scores = scores + mask
    mixed = torch.softmax(scores, -1) @ v
    return mixed.transpose(1, 2).reshape(q.shape[0], q.shape[2], WIDTH)


class Decoder:
    def __init__(self):
        self.tables = [matrix(BINS + 1, WIDTH) for _ in range(CODEBOOKS)]
        self.layers = [layer() for _ in range(LAYERS)]
        self.last = norm()
        self.heads = [matrix(BINS, WIDTH) for _ in range(CODEBOOKS)]
        text = torch.cat([torch.randn(1, TOKENS, WIDTH), torch.zeros(1, TOKENS, WIDTH)])
        self.text = [(split(text @ w["cross_k"].T), split(text @ w["cross_v"].T)) for w in self.layers]
        self.cache = [None] * LAYERS
        self.past = 0

    def __call__(self, columns):
        """columns [2, K, S] -> logits [2, K, bins] after the last."""
        steps = columns.shape[2]
        x = sum(F.embedding(columns[:, k], table) for k, table in enumerate(self.tables))
        half = WIDTH // 2
        angles = torch.arange(self.past, self.past + steps)[:, None] / 10000 ** (torch.arange(half) / (half - 1))
        x = x + torch.cat([angles.cos(), angles.sin()], 1)
        self.past += steps
        mask = None
        if steps > 1:
            mask = torch.full((steps, self.past), -math.inf).triu(self.past - steps + 1)
        for i, w in enumerate(self.layers):
            y = F.layer_norm(x, (WIDTH,), *w["norms"][0])
            k, v = split(F.linear(y, w["k"])), split(F.linear(y, w["v"]))
            if self.cache[i] is not None:
                k, v = torch.cat([self.cache[i][0], k], 2), torch.cat([self.cache[i][1], v], 2)
            self.cache[i] = (k, v)
            x = x + F.linear(attend(split(F.linear(y, w["q"])), k, v, mask), w["o"])
            y = F.layer_norm(x, (WIDTH,), *w["norms"][1])
            x = x + F.linear(attend(split(F.linear(y, w["cross_q"])), *self.text[i]), w["cross_o"])
            y = F.layer_norm(x, (WIDTH,), *w["norms"][2])
            x = x + F.linear(F.gelu(F.linear(y, w["fc1"])), w["fc2"])
        x = F.layer_norm(x[:, -1], (WIDTH,), *self.last)
        return torch.stack([F.linear(x, head) for head in self.heads], 1)


def draw(logits):
    """[2, K, bins] -> [K]"""
    guided = logits[1] + GUIDANCE * (logits[0] - logits[1])
    likely, codes = guided.topk(TOP_K)
    return codes.gather(1, torch.multinomial(torch.softmax(likely, -1), 1))[:, 0]


@torch.inference_mode()
def main():
    before = int(sys.stdin.readline())
    decoder = Decoder()
    columns = torch.arange(CODEBOOKS * max(1, before)).view(1, CODEBOOKS, -1) * 37 % BINS
    times = []
    while True:
        print(json.dumps(times), flush=True)
        times = []
        for _ in range(int(sys.stdin.readline())):
            start = time.perf_counter()
            columns = draw(decoder(columns.expand(2, -1, -1))).view(1, CODEBOOKS, 1)
            if "device" in S:
                columns.tolist()  # waits for it
            times.append(1000 * (time.perf_counter() - start))


main()
