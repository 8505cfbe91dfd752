#!/usr/bin/env python3
"""Trains small networks with PyTorch and keeps what the engine must compute as well.

For each case: NAME.initial.safetensors, NAME.gradients.safetensors (of the first step, before weight
decay), NAME.trained.safetensors (after all steps), and in cases.json the design, the losses and the
hits. PyTorch computes in double precision from weights rounded to single, so whatever differs is the
engine's own rounding. Images and labels are not kept: both sides make them with the same integer
generator.

    python3 make_fixtures.py        (needs PyTorch 1.13 or later; writes beside itself)
"""
import json
import pathlib
import struct

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent

CASES = [
    dict(name="one_layer", shape=[1, 28, 28], classes=10, kernels=[2], kernel_size=5, padding="valid",
         batch=5, steps=4, learning_rate=0.01, momentum=0.9, weight_decay=0.0),
    dict(name="two_layers_valid", shape=[3, 32, 32], classes=10, kernels=[4, 6], kernel_size=5,
         padding="valid", batch=8, steps=6, learning_rate=0.02, momentum=0.9, weight_decay=0.001),
    dict(name="three_layers_odd", shape=[3, 32, 32], classes=10, kernels=[3, 5, 4], kernel_size=3,
         padding="valid", batch=1, steps=5, learning_rate=0.03, momentum=0.5, weight_decay=0.0),
    dict(name="even_kernel_same", shape=[2, 29, 27], classes=7, kernels=[3, 4], kernel_size=4,
         padding="same", batch=3, steps=5, learning_rate=0.02, momentum=0.0, weight_decay=0.01),
    dict(name="five_layers_same", shape=[3, 32, 32], classes=100, kernels=[4, 5, 6, 5, 4], kernel_size=3,
         padding="same", batch=17, steps=5, learning_rate=0.05, momentum=0.9, weight_decay=0.0005),
    # Small integers: convolutions are exact, many windows have several largest values or only zeros.
    dict(name="ties", shape=[3, 12, 13], classes=5, kernels=[6], kernel_size=3, padding="same",
         batch=4, steps=1, learning_rate=0.01, momentum=0.9, weight_decay=0.0, integer=True),
]


class Generator:
    """x = 1664525 x + 1013904223 mod 2^32; the upper bits count."""

    def __init__(self, seed):
        self.state = seed

    def next(self, count):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 16) * count >> 16


def batch_of(case, step):
    """Images [batch, channels, height, width] and labels; multiples of 1/32 in [-2, 2)."""
    generator = Generator(1000 + step)
    count = case["batch"] * int(np.prod(case["shape"]))
    if case.get("integer"):
        pixels = [generator.next(3) for _ in range(count)]
    else:
        pixels = [(generator.next(128) - 64) / 32 for _ in range(count)]
    labels = [generator.next(case["classes"]) for _ in range(case["batch"])]
    return (torch.tensor(pixels, dtype=torch.float64).reshape([case["batch"]] + case["shape"]),
            torch.tensor(labels))


def initial_weights(case):
    random = np.random.default_rng(7)
    weights, channels = {}, case["shape"][0]
    height, width = case["shape"][1:]
    k = case["kernel_size"]
    for layer, kernels in enumerate(case["kernels"], 1):
        if case.get("integer"):
            weight = random.integers(-1, 2, [kernels, channels, k, k]).astype(np.float32)
            bias = random.integers(-3, 2, kernels).astype(np.float32)
        else:
            weight = random.normal(0, (2 / (channels * k * k)) ** 0.5, [kernels, channels, k, k])
            bias = random.normal(0, 0.1, kernels)
        weights[f"conv{layer}.weight"], weights[f"conv{layer}.bias"] = weight, bias
        shrink = k - 1 if case["padding"] == "valid" else 0
        channels, height, width = kernels, (height - shrink) // 2, (width - shrink) // 2
    features = channels * height * width
    weights["fc.weight"] = random.normal(0, features ** -0.5, [case["classes"], features])
    weights["fc.bias"] = random.normal(0, 0.1, case["classes"])
    return {name: torch.tensor(np.asarray(w, np.float32).astype(np.float64), requires_grad=True)
            for name, w in weights.items()}


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        values = tensor.detach().numpy().astype("<f4").tobytes()
        header[name] = dict(dtype="F32", shape=list(tensor.shape),
                            data_offsets=[len(data), len(data) + len(values)])
        data += values
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def logits_of(case, weights, images):
    maps = images
    for layer in range(1, len(case["kernels"]) + 1):
        maps = torch.nn.functional.conv2d(maps, weights[f"conv{layer}.weight"],
                                          weights[f"conv{layer}.bias"], padding=case["padding"])
        maps = torch.nn.functional.max_pool2d(torch.relu(maps), 2)
    return torch.nn.functional.linear(maps.flatten(1), weights["fc.weight"], weights["fc.bias"])


def train(case):
    weights = initial_weights(case)
    stem = str(HERE / case["name"])
    write_safetensors(pathlib.Path(stem + ".initial.safetensors"), weights)
    optimizer = torch.optim.SGD(weights.values(), lr=case["learning_rate"],
                                momentum=case["momentum"], weight_decay=case["weight_decay"])
    losses, correct = [], []
    for step in range(case["steps"]):
        images, labels = batch_of(case, step)
        logits = logits_of(case, weights, images)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            write_safetensors(pathlib.Path(stem + ".gradients.safetensors"),
                              {name: w.grad for name, w in weights.items()})
        optimizer.step()
        losses.append(loss.item())
        correct.append(int((logits.argmax(1) == labels).sum()))
    write_safetensors(pathlib.Path(stem + ".trained.safetensors"), weights)

    # The trained network on the first pictures of one more batch.
    images, labels = batch_of(case, case["steps"])
    count = (case["batch"] + 1) // 2
    with torch.no_grad():
        logits = logits_of(case, weights, images[:count])
    evaluation = dict(count=count,
                      loss=torch.nn.functional.cross_entropy(logits, labels[:count]).item(),
                      correct=int((logits.argmax(1) == labels[:count]).sum()))
    return dict(case, losses=losses, correct=correct, evaluation=evaluation)


def main():
    cases = [train(case) for case in CASES]
    (HERE / "cases.json").write_text(json.dumps(dict(torch=torch.__version__, cases=cases), indent=1) + "\n")


if __name__ == "__main__":
    main()
