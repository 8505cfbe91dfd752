"""PyTorch's side of scripts/bench: measures one layer or one training step and prints JSON.

Every value is a list of milliseconds, one a repetition. Called by scripts/bench in a process of its
own for each turn, with the cores that it may use already set.
"""
import argparse
import json
import os
import time

import torch
import torch.nn.functional as F


def milliseconds(work, repeat):
    """The wall times of `repeat` calls, after one that warms up."""
    work()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return times


@torch.no_grad()
def measure_conv(options):
    """One layer's three passes, each alone and as a training step runs them."""
    generator = torch.Generator().manual_seed(1)
    batch, size, kernel = options.batch, options.size, options.kernel_size
    out_size = size + 2 * options.padding - kernel + 1
    x = torch.randn(batch, options.in_channels, size, size, generator=generator)
    w = torch.randn(options.out_channels, options.in_channels, kernel, kernel, generator=generator)
    dy = torch.randn(batch, options.out_channels, out_size, out_size, generator=generator)
    padding = [options.padding] * 2

    def forward():
        return F.conv2d(x, w, padding=padding)

    def backward(data, weights):
        return torch.ops.aten.convolution_backward(
            dy, x, w, None, [1, 1], padding, [1, 1], False, [0, 0], 1, [data, weights, False])

    def step():
        forward()
        backward(True, True)

    return {
        "step_ms": milliseconds(step, options.repetitions),
        "forward_ms": milliseconds(forward, options.repetitions),
        "backward_data_ms": milliseconds(lambda: backward(True, False), options.repetitions),
        "backward_weights_ms": milliseconds(lambda: backward(False, True), options.repetitions),
    }


def measure_step(options):
    """A whole training step of the network that `convoy bench step` trains."""
    torch.manual_seed(1)
    layers, channels, size = [], 3, 32
    for kernels in options.kernels:
        layers += [torch.nn.Conv2d(channels, kernels, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        channels, size = kernels, (size - 4) // 2
    model = torch.nn.Sequential(
        *layers, torch.nn.Flatten(), torch.nn.Linear(channels * size * size, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images = torch.randn(options.batch, 3, 32, 32)
    labels = torch.randint(0, 10, (options.batch,))

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return {"step_ms": milliseconds(step, options.repetitions)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    version = commands.add_parser("version")
    version.set_defaults(measure=lambda options: {"version": torch.__version__})
    conv = commands.add_parser("conv")
    conv.set_defaults(measure=measure_conv)
    for name in ("in-channels", "out-channels", "size", "kernel-size", "padding"):
        conv.add_argument(f"--{name}", type=int, required=True)
    step = commands.add_parser("step")
    step.set_defaults(measure=measure_step)
    step.add_argument("--kernels", type=lambda text: [int(k) for k in text.split(",")],
                      required=True)
    for command in (conv, step):
        command.add_argument("--batch", type=int, required=True)
        command.add_argument("--repetitions", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    print(json.dumps(options.measure(options)))


if __name__ == "__main__":
    main()
