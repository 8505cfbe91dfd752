"""What scripts/bench measures: the layers and networks of each part, and what they cost.

A case is asked of both programs in the same words. Its operations and its memory are estimates that
only decide how often a case is repeated and whether this machine can hold it; no figure rests on them
but the rate "as direct convolution", which counts the operations exactly.
"""
import random
from dataclasses import dataclass, field
from math import prod

NETWORKS = [(50, 500), (150, 800), (300, 1000), (500, 1500)]
LARGEST = NETWORKS[-1]
PASSES = ["forward", "backward_data", "backward_weights"]

VGG_LAYERS = [(64, 64, 32), (64, 128, 16), (128, 128, 16), (128, 256, 8), (256, 256, 8),
              (256, 512, 4), (512, 512, 4)]  # channels in and out, height and width

# Batch, channels in and out, size, kernel, padding, stride: nothing that a fast path is made for.
ODD_SHAPES = [
    (1, 3, 17, "9", "3", "1", "1"),
    (1, 61, 61, "27", "1", "0", "1"),
    (1, 17, 61, "31x45", "7", "3", "1"),
    (7, 17, 61, "27", "7", "3", "1"),
    (7, 61, 61, "31x45", "4x2", "0", "1"),
    (7, 3, 61, "31x45", "11", "5", "1"),
    (33, 61, 17, "31x45", "3", "1", "1"),
    (33, 61, 61, "9", "3", "1", "1"),
    (33, 17, 61, "27", "3", "1", "2"),
    (33, 61, 61, "27", "11", "0", "1"),
]

# What random shapes are drawn from, and how much work they may be: whatever somebody may have.
RANDOM = {"batch": [1, 1, 2, 4, 7, 8, 16, 32, 33, 64, 128],
          "in": [1, 3, 3, 8, 16, 17, 32, 48, 61, 64, 96, 128, 192, 256],
          "out": [1, 8, 10, 16, 17, 32, 61, 64, 96, 100, 128, 200, 256, 384],
          "kernel": [1, 2, 3, 3, 3, 4, 5, 5, 7, 9, 11],
          "size": [4, 5, 7, 8, 9, 12, 14, 16, 19, 24, 27, 28, 31, 32, 38, 45, 56, 64, 112],
          "stride": [1, 1, 1, 1, 2, 2, 3]}
RANDOM_FLOPS, RANDOM_FLOATS = (2e6, 4e9), 3e7  # of a pass; of a map

ASSUMED_RATE = 1e11     # operations a second, to choose the repetitions
GPU_RATE = 5e12         # the same of a GPU
MOST_REPETITIONS = 50
PROGRAM_BYTES = 400e6   # of a process with PyTorch in it
COPIES_OF_MAPS = 6      # values, gradients and what oneDNN orders anew; PyTorch's step took 5
COPIES_OF_WEIGHTS = 5


@dataclass
class Side:
    """What one program gave for a case: one result a round until it failed."""

    results: list = field(default_factory=list)
    failure: str = ""

    def touched(self):
        return bool(self.results or self.failure)


@dataclass
class Case:
    title: str
    command: str      # "conv" or "step"
    parameters: dict  # of the command, the same for both programs
    flops: float      # of the whole step, counted as direct convolution
    memory: float     # bytes of the more demanding program, roughly
    batch: int
    rate: float = ASSUMED_RATE
    ours: Side = field(default_factory=Side)
    peers: dict[str, Side] = field(default_factory=dict)  # by the names that tables show

    def sides(self):
        return [self.ours, *self.peers.values()]

    def touched(self):
        return any(side.touched() for side in self.sides())

    def repetitions(self, seconds):
        return repetitions(self.flops, seconds, self.rate)

    def arguments(self, seconds):
        named = {**self.parameters, "repetitions": self.repetitions(seconds)}
        return [text for key, value in named.items() for text in (f"--{key}", str(value))]


def repetitions(flops, seconds, rate):
    return max(1, min(MOST_REPETITIONS, int(seconds * rate / flops)))


def pair(text):
    numbers = [int(number) for number in text.split("x")]
    return numbers * 2 if len(numbers) == 1 else numbers


def conv_case(title, batch, in_channels, out_channels, size, kernel="5", padding="0", stride="1"):
    parameters = {"batch": batch, "in-channels": in_channels, "out-channels": out_channels,
                  "size": size, "kernel-size": kernel, "padding": padding, "stride": stride}
    kernel, padding, stride = pair(kernel), pair(padding), pair(stride)
    in_size = pair(str(size))
    out_size = [(in_size[i] + 2 * padding[i] - kernel[i]) // stride[i] + 1 for i in (0, 1)]
    weights = out_channels * in_channels * prod(kernel)
    maps = batch * (in_channels * prod(in_size) + out_channels * prod(out_size))
    flops = len(PASSES) * 2 * batch * weights * prod(out_size)
    return Case(title, "conv", parameters, flops, memory(maps, weights), batch)


def memory(maps, weights):
    return PROGRAM_BYTES + 4 * (COPIES_OF_MAPS * maps + COPIES_OF_WEIGHTS * weights)


def paper_layers(batch, networks):
    """Both layers of each network, the largest first."""
    cases = []
    for first, second in sorted(networks, reverse=True):
        name = f"{first}:{second}"
        cases.append(conv_case(f"{name} conv2, {first} → {second}", batch, first, second, 14))
        cases.append(conv_case(f"{name} conv1, 3 → {first}", batch, 3, first, 32))
    return cases


def largest_layer(batch):
    first, second = LARGEST
    return conv_case(f"{first}:{second} conv2, {first} → {second}", batch, first, second, 14)


def vgg_layers(batch):
    return [conv_case(f"{first} → {second}, {size}x{size}", batch, first, second, size, "3", "1")
            for first, second, size in VGG_LAYERS]


def shape_case(batch, first, second, size, kernel, padding, stride):
    title = f"batch {batch}, {first} → {second}, {'x'.join(map(str, pair(size)))}, "
    title += f"kernel {'x'.join(map(str, pair(kernel)))}, padding {padding}, stride {stride}"
    return conv_case(title, batch, first, second, size, kernel, padding, stride)


def odd_layers():
    return [shape_case(*shape) for shape in ODD_SHAPES]


def random_layers(seed, count):
    """Square kernels and maps for the most part; the same shapes for the same seed."""
    draw = random.Random(seed)
    cases = []
    while len(cases) < count:
        batch, first, second, kernel, height, stride = (
            draw.choice(RANDOM[key]) for key in ("batch", "in", "out", "kernel", "size", "stride"))
        width = height if draw.random() < 0.7 else draw.choice(RANDOM["size"])
        kernel_width = kernel if draw.random() < 0.85 else draw.choice(RANDOM["kernel"])
        padding = draw.choice([0, kernel // 2])
        if kernel > height + 2 * padding or kernel_width > width + 2 * padding:
            continue
        case = shape_case(batch, first, second, f"{height}x{width}", f"{kernel}x{kernel_width}",
                          str(padding), str(stride))
        flops = case.flops / len(PASSES)
        if (RANDOM_FLOPS[0] < flops < RANDOM_FLOPS[1] and
                batch * max(first, second) * height * width < RANDOM_FLOATS):
            cases.append(case)
    return cases


def step_case(batch, network):
    first, second = network
    conv1, conv2 = 2 * batch * first * 3 * 25 * 28**2, 2 * batch * second * first * 25 * 10**2
    maps = batch * (first * (28**2 + 14**2) + second * (10**2 + 5**2))
    weights = 25 * first * (3 + second) + 10 * second * 5**2
    return Case(f"{first}:{second}", "step", {"kernels": f"{first},{second}", "batch": batch},
                2 * conv1 + 3 * conv2, memory(maps, weights), batch)
