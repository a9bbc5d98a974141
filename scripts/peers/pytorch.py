#!/usr/bin/env python3
"""Tokens a second that PyTorch trains. compare.ts calls it with one JSON argument; it prints one JSON object.

No argument: the version, whether DistributedDataParallel over gloo is there, and the GFLOP/s of a matrix product on one
thread, which tells a fast BLAS from the reference one. Else a workload:
cell, hidden, layers, batch (N), chunk (T), vocab, seconds, and
  threads    of the one process, or
  processes  of one thread each, with N shared out and gradients averaged by DistributedDataParallel.
"""
import json
import math
import os
import resource
import statistics
import sys
import tempfile
import time

WORKLOAD = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
# Some BLAS libraries have threads of their own, out of torch.set_num_threads' reach; they read these when loaded.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = str(WORKLOAD.get("threads", 1))

import torch
import torch.distributed
from torch.nn.parallel import DistributedDataParallel

LEARNING_RATE, CLIP_NORM = 2e-3, 1.0
LEAST_STEPS = 5
# Steps by which the others are counted; the time to warm up, of that which is measured, as every system has it.
FIRST_STEPS, WARMUP_SHARE = 3, 0.2
CELLS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


class Network(torch.nn.Module):
    def __init__(self, cell, hidden, layers, vocab):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab, hidden)
        self.rnn = CELLS[cell](hidden, hidden, layers)
        self.head = torch.nn.Linear(hidden, vocab)

    def forward(self, ids, state):
        output, state = self.rnn(self.embedding(ids), state)
        return self.head(output), state


def detach(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def trainer(workload, rank, processes):
    """A function that trains one step: this process's streams of a chunk, then the update."""
    streams, times, vocab = workload["batch"], workload["chunk"], workload["vocab"]
    torch.manual_seed(1)
    network = Network(workload["cell"], workload["hidden"], workload["layers"], vocab)
    if processes > 1:
        network = DistributedDataParallel(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    mine = slice(rank * streams // processes, (rank + 1) * streams // processes)
    ids = torch.randint(vocab, (times, streams))[:, mine].contiguous()
    targets = torch.randint(vocab, (times, streams))[:, mine].reshape(-1)
    # DistributedDataParallel takes the mean over processes: this makes it the mean over tokens.
    weight = ids.shape[1] * processes / streams
    state = None

    def step():
        nonlocal state
        logits, state = network(ids, state)
        state = detach(state)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, vocab), targets)
        if weight != 1:
            loss = loss * weight
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()

    return step


def timed(step):
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def measure(workload, rank=0, processes=1):
    """Every process takes the same number of steps, by the first one's clock."""
    step = trainer(workload, rank, processes)
    first = min(timed(step) for _ in range(FIRST_STEPS))
    steps = torch.tensor([max(LEAST_STEPS, math.ceil(workload["seconds"] / first))])
    if processes > 1:
        torch.distributed.broadcast(steps, 0)
    for _ in range(math.ceil(WARMUP_SHARE * int(steps))):
        step()
    seconds = [timed(step) for _ in range(int(steps))]
    unit = 1 if sys.platform == "darwin" else 1024
    resident = torch.tensor([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit])
    if processes > 1:
        torch.distributed.all_reduce(resident)
    return {
        "tokensPerSecond": workload["batch"] * workload["chunk"] / statistics.median(seconds),
        "steps": len(seconds),
        "peakBytes": int(resident),
    }


def run_process(rank, workload, meeting_point):
    torch.set_num_threads(1)
    processes = workload["processes"]
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{meeting_point}", rank=rank, world_size=processes
    )
    result = measure(workload, rank, processes)
    if rank == 0:
        print(json.dumps(result))
    torch.distributed.destroy_process_group()


def describe():
    factor = torch.randn(512, 512)
    seconds = min(timed(lambda: factor @ factor) for _ in range(20))
    distributed = torch.distributed.is_available() and torch.distributed.is_gloo_available()
    gflops = 2 * 512**3 / seconds / 1e9
    return {"version": torch.__version__, "distributed": distributed, "gflops": gflops}


def main():
    if not WORKLOAD:
        torch.set_num_threads(1)
        print(json.dumps(describe()))
    elif "processes" in WORKLOAD:
        with tempfile.TemporaryDirectory() as folder:
            arguments = (WORKLOAD, os.path.join(folder, "meeting-point"))
            torch.multiprocessing.spawn(run_process, arguments, nprocs=WORKLOAD["processes"])
    else:
        torch.set_num_threads(WORKLOAD["threads"])
        print(json.dumps(measure(WORKLOAD)))


if __name__ == "__main__":
    main()
