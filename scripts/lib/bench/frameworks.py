"""The same network trained batch-1 in eager PyTorch and in one jitted JAX scan, if installed.

Both get their samples and labels ready made, in memory, and plain SGD in float32; the kernel makes
its own samples and labels while it is timed. Each is timed in a process of its own on one core.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from chainbeasts.backend.kernel.constants import LAYERS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.held_out import held_out
from chainbeasts.backend.kernel.native.abi import encode_words
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernels import kernel_for
from scripts.lib.bench.beasts import RULES, Birth, context, train
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.learning import DOCUMENTED, PLANS
from scripts.lib.bench.speed import native_step

STEPS = {"torch": 2_000, "jax": 200_000}
ROUNDS = 5
RATE = 2.0**-6
TARGETS = {"torch": 300, "jax": 5}
NAMES = {"torch": "eager PyTorch", "jax": "JAX, one jit(lax.scan)"}


def _data(steps: int) -> tuple[Any, Any, Any, Any]:
    """Inputs float32[n][32]; moves (−1 none), attacks and blocks, int32[n]."""
    words = held_out(min(steps, 4_000), RULES)
    labels = kernel_labels(words)
    x = np.array([features(word) for word in words], np.float32) / 32
    rows = np.resize(np.arange(len(words)), steps)
    return x[rows], labels[rows, 0], labels[rows, 1], labels[rows, 2]


def kernel_labels(words: Sequence[int]) -> Any:
    """Labels of words, int32[n][3]."""
    kernel: Any = kernel_for(0xFF)
    return kernel.labels(encode_words(words), RULES).astype(np.int32)


def _matrices() -> list[Any]:
    generator = np.random.default_rng(1)
    return [(generator.standard_normal(s) / 8).astype(np.float32) for s in pairwise(LAYERS)]


def time_torch(steps: int) -> float:
    """Seconds a step."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    weights = [torch.tensor(matrix, requires_grad=True) for matrix in _matrices()]
    x, move, attack, block = (torch.tensor(column) for column in _data(steps))
    attack, block = attack.float(), block.float()
    optimizer = torch.optim.SGD(weights, lr=RATE)

    def run(count: int) -> None:
        for i in range(count):
            a = x[i]
            for matrix in weights[:-1]:
                a = functional.relu(a @ matrix)
            z = a @ weights[-1]
            loss = (z[4] - attack[i] / 8) ** 2
            loss = loss + functional.binary_cross_entropy_with_logits(z[5], block[i])
            if move[i] >= 0:
                loss = loss + functional.cross_entropy(z[:4], move[i].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return _best(lambda: run(steps)) / steps


def time_jax(steps: int) -> float:
    """Seconds a step."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    import jax
    import jax.numpy as jnp

    def loss(weights: Any, sample: Any) -> Any:
        x, move, attack, block = sample
        a = x
        for matrix in weights[:-1]:
            a = jnp.maximum(a @ matrix, 0)
        z = a @ weights[-1]
        chosen = -jax.nn.log_softmax(z[:4])[jnp.maximum(move, 0)]
        blocks = jnp.logaddexp(0, z[5]) - block * z[5]
        return jnp.where(move >= 0, chosen, 0) + (z[4] - attack / 8) ** 2 + blocks

    def step(weights: Any, sample: Any) -> Any:
        gradient = jax.grad(loss)(weights, sample)
        return [w - RATE * g for w, g in zip(weights, gradient, strict=True)], None

    def scan(weights: Any, data: Any) -> Any:
        return jax.lax.scan(step, weights, data)[0]

    run: Callable[..., Any] = jax.jit(scan)

    weights = [jnp.asarray(matrix) for matrix in _matrices()]
    data = tuple(jnp.asarray(column) for column in _data(steps))
    jax.block_until_ready(run(weights, data))
    return _best(lambda: jax.block_until_ready(run(weights, data))) / steps


def _best(run: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        found.append(time.perf_counter() - begun)
    return min(found)


def _on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> list[Figure]:
    """Ratios to the compiled kernel, measured before and after each framework in this run."""
    installed = [name for name in STEPS if importlib.util.find_spec(name) is not None]
    if not installed:
        tell("neither torch nor jax is installed: pip install -e '.[compare]'")
        return []
    birth = born[0]
    state = train(birth, PLANS[DOCUMENTED])
    ctx = context(birth, 1_999, Source.CURRICULUM)
    figures = []
    for name in installed:
        tell(NAMES[name])
        before = native_step(state, ctx)
        theirs = _in_a_process(name)
        native = min(before, native_step(state, ctx))
        figures.append(
            Figure(
                f"ratio to {NAMES[name]}",
                theirs / native,
                "×",
                TARGETS[name],
                method=f"batch of one, float32, one core: {theirs * 1e6:,.2f} µs a step, the "
                f"kernel {native * 1e6:.2f} µs with samples and labels",
            )
        )
    return figures


def _in_a_process(name: str) -> float:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "scripts.lib.bench.frameworks", name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def main() -> None:
    """Time one framework and print the seconds a step."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=list(STEPS))
    name = parser.parse_args().name
    _on_one_core()
    timed = {"torch": time_torch, "jax": time_jax}[name](STEPS[name])
    sys.stdout.write(json.dumps({"seconds": timed}) + "\n")


if __name__ == "__main__":
    main()
