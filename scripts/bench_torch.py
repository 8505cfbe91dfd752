"""PyTorch's side of scripts/bench: measures one layer or one training step and prints JSON.

Times are medians in milliseconds, as `convoy bench` gives them. Called by scripts/bench in a process
of its own for each turn, with the cores that it may use already set.
"""
import argparse
import json
import os
import statistics
import time

import torch
import torch.nn.functional as F


def pair(text):
    """The numbers of "5" or "4x2", one for the height and one for the width."""
    numbers = [int(number) for number in text.split("x")]
    return numbers * 2 if len(numbers) == 1 else numbers


def milliseconds(work, repetitions):
    """The median wall time of the calls, after one that warms up."""
    work()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


@torch.no_grad()
def measure_conv(options):
    """One layer's three passes, each alone and as a training step runs them."""
    generator = torch.Generator().manual_seed(1)
    kernel, padding, stride = options.kernel_size, options.padding, options.stride
    out_size = [(options.size[i] + 2 * padding[i] - kernel[i]) // stride[i] + 1 for i in (0, 1)]

    def random(*shape):
        return torch.randn(*shape, generator=generator).to(memory_format=options.memory_format)

    x = random(options.batch, options.in_channels, *options.size)
    w = random(options.out_channels, options.in_channels, *kernel)
    dy = random(options.batch, options.out_channels, *out_size)

    def forward():
        return F.conv2d(x, w, stride=stride, padding=padding)

    def backward(data, weights):
        return torch.ops.aten.convolution_backward(
            dy, x, w, None, stride, padding, [1, 1], False, [0, 0], 1, [data, weights, False])

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
    model.to(memory_format=options.memory_format)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images = torch.randn(options.batch, 3, 32, 32).to(memory_format=options.memory_format)
    labels = torch.randint(0, 10, (options.batch,))

    def step():
        optimizer.zero_grad(set_to_none=True)
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
    for name in ("in-channels", "out-channels"):
        conv.add_argument(f"--{name}", type=int, required=True)
    for name in ("size", "kernel-size", "padding"):
        conv.add_argument(f"--{name}", type=pair, required=True)
    conv.add_argument("--stride", type=pair, default=[1, 1])
    step = commands.add_parser("step")
    step.set_defaults(measure=measure_step)
    step.add_argument("--kernels", type=lambda text: [int(k) for k in text.split(",")],
                      required=True)
    for command in (conv, step):
        command.add_argument("--batch", type=int, required=True)
        command.add_argument("--repetitions", type=int, default=1)
        command.add_argument("--channels-last", dest="memory_format", action="store_const",
                             const=torch.channels_last, default=torch.contiguous_format)
    options = parser.parse_args()

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    print(json.dumps(options.measure(options)))


if __name__ == "__main__":
    main()
