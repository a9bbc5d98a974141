#!/usr/bin/env python3
"""Writes test/fixtures/pytorch-curves.json: loss curves of small networks trained by PyTorch, that
test/model/pytorch-curves.test.ts holds ours against. Needs PyTorch; run it from the repository's root.

Parameters and tokens are given by formulas, so that the fixture stays small; float64 throughout.
"""
import json
import math
import torch

STREAMS, TIMES, CHUNKS, STEPS = 5, 6, 4, 20
VOCABULARY, EMBED, HIDDEN, LAYERS = 11, 7, 9, 2
LEARNING_RATE, MOMENTUM, CLIP_NORM = 0.3, 0.9, 1.0
CELLS = {
    "rnn tanh": lambda: torch.nn.RNN(EMBED, HIDDEN, LAYERS, nonlinearity="tanh"),
    "rnn relu": lambda: torch.nn.RNN(EMBED, HIDDEN, LAYERS, nonlinearity="relu"),
    "lstm": lambda: torch.nn.LSTM(EMBED, HIDDEN, LAYERS),
    "gru": lambda: torch.nn.GRU(EMBED, HIDDEN, LAYERS),
}


class Network(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, EMBED)
        self.rnn = cell
        self.head = torch.nn.Linear(HIDDEN, VOCABULARY)

    def forward(self, ids, state):
        output, state = self.rnn(self.embedding(ids), state)
        return self.head(output), state


def fill(network):
    """Element e of parameter p is 0.4 sin(1.7 (p + 1) + 0.9 e)."""
    with torch.no_grad():
        for p, parameter in enumerate(network.parameters()):
            values = [0.4 * math.sin(1.7 * (p + 1) + 0.9 * e) for e in range(parameter.numel())]
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))


def token(stream, time):
    """Id of a stream at a time step, counted over all chunks."""
    return (3 * stream + time * time + time // 3) % VOCABULARY


def detach(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def train(cell):
    network = Network(cell())
    fill(network)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    losses, norms = [], []
    for step in range(STEPS):
        chunk = step % CHUNKS
        if chunk == 0:
            state = None
        times = range(chunk * TIMES, (chunk + 1) * TIMES)
        ids = torch.tensor([[token(b, t) for b in range(STREAMS)] for t in times])
        targets = torch.tensor([[token(b, t + 1) for b in range(STREAMS)] for t in times])
        logits, state = network(ids, state)
        state = detach(state)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm.item())
    return {"losses": losses, "gradNorms": norms}


torch.set_default_dtype(torch.float64)
fixture = {
    "torch": torch.__version__,
    "streams": STREAMS, "times": TIMES, "chunks": CHUNKS, "steps": STEPS,
    "vocabulary": VOCABULARY, "embed": EMBED, "hidden": HIDDEN, "layers": LAYERS,
    "learningRate": LEARNING_RATE, "momentum": MOMENTUM, "clipNorm": CLIP_NORM,
    "cells": {name: train(cell) for name, cell in CELLS.items()},
}
with open("test/fixtures/pytorch-curves.json", "w") as file:
    json.dump(fixture, file, indent=1)
    file.write("\n")
