"""PyTorch's side of scripts/bench: measures one layer, one training step, or what bounds them, and
prints JSON.

Times are medians in milliseconds, as `convoy bench` gives them. Called by scripts/bench in a process
of its own for each turn, with the cores that it may use already set. Tensors lie on --torch-device
before the clock starts.
"""
import argparse
import json
import os
import statistics
import time

# It overrules allow_tf32 in NVIDIA's libraries, and here --tf32 shall decide.
os.environ.pop("NVIDIA_TF32_OVERRIDE", None)
# pylint: disable=wrong-import-position
import torch
import torch.nn.functional as F


def pair(text):
    """The numbers of "5" or "4x2", one for the height and one for the width."""
    numbers = [int(number) for number in text.split("x")]
    return numbers * 2 if len(numbers) == 1 else numbers


def milliseconds(work, options):
    """The median wall time of the calls, after one that warms up."""
    def done():
        """A GPU works on when the call has returned."""
        if options.torch_device.type == "cuda":
            torch.cuda.synchronize(options.torch_device)

    work()
    done()
    times = []
    for _ in range(options.repetitions):
        start = time.perf_counter()
        work()
        done()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def set_precision(options):
    """What a GPU may do to compute in single precision: with TF32 it rounds the factors to 10 bits."""
    torch.backends.cuda.matmul.allow_tf32 = options.tf32
    torch.backends.cudnn.allow_tf32 = options.tf32
    torch.backends.cudnn.benchmark = True  # the fastest algorithm by measurement, as Convoy's


def has_tf32(index):
    if hasattr(torch.cuda, "is_tf32_supported"):
        with torch.cuda.device(index):
            return torch.cuda.is_tf32_supported()
    return torch.version.hip is None and torch.cuda.get_device_capability(index) >= (8, 0)


def list_devices(_):
    """The GPUs that this PyTorch computes on: a build for HIP calls them cuda, too."""
    devices = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        # OpenCL calls an AMD GPU by its architecture, which builds for CUDA do not have.
        architecture = getattr(torch.cuda.get_device_properties(index), "gcnArchName", "")
        devices.append({"device": f"cuda:{index}", "name": torch.cuda.get_device_name(index),
                        "architecture": architecture if torch.version.hip else "",
                        "tf32": has_tf32(index)})
    platform = f"HIP {torch.version.hip}" if torch.version.hip else f"CUDA {torch.version.cuda}"
    cudnn = torch.backends.cudnn.version() if devices else None
    library = f"{'MIOpen' if torch.version.hip else 'cuDNN'} {cudnn}"
    return {"version": torch.__version__, "devices": devices,
            "libraries": f"{platform}, {library}" if cudnn else platform}


@torch.no_grad()
def measure_conv(options):
    """One layer's three passes, each alone and as a training step runs them."""
    generator = torch.Generator().manual_seed(1)
    kernel, padding, stride = options.kernel_size, options.padding, options.stride
    out_size = [(options.size[i] + 2 * padding[i] - kernel[i]) // stride[i] + 1 for i in (0, 1)]

    def random(*shape):
        values = torch.randn(*shape, generator=generator)
        return values.to(options.torch_device, memory_format=options.memory_format)

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
        "step_ms": milliseconds(step, options),
        "forward_ms": milliseconds(forward, options),
        "backward_data_ms": milliseconds(lambda: backward(True, False), options),
        "backward_weights_ms": milliseconds(lambda: backward(False, True), options),
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
    model.to(options.torch_device, memory_format=options.memory_format)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images = torch.randn(options.batch, 3, 32, 32)
    images = images.to(options.torch_device, memory_format=options.memory_format)
    labels = torch.randint(0, 10, (options.batch,)).to(options.torch_device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return {"step_ms": milliseconds(step, options)}


@torch.no_grad()
def measure_product(options):
    """The rate of a plain matrix product: what stands for the device's peak."""
    a = torch.randn(options.m, options.k).to(options.torch_device)
    b = torch.randn(options.k, options.n).to(options.torch_device)
    c = torch.empty(options.m, options.n, device=options.torch_device)
    time_ms = milliseconds(lambda: torch.mm(a, b, out=c), options)
    return {"gflops": [2e-6 * options.m * options.n * options.k / time_ms]}


def measure_copy(options):
    """Bytes a second: read and written by a copy in the device's memory, and to and from a GPU."""
    size = options.mebibytes << 20
    source = torch.ones(size // 4, device=options.torch_device)
    target = torch.empty_like(source)
    copies = {"copy": (2, lambda: target.copy_(source))}
    if options.torch_device.type == "cuda":
        host = torch.ones(size // 4).pin_memory()
        copies["to_device"] = (1, lambda: target.copy_(host, non_blocking=True))
        copies["from_device"] = (1, lambda: host.copy_(source, non_blocking=True))
    return {name: 1e3 * times * size / milliseconds(work, options)
            for name, (times, work) in copies.items()}


def integers(text):
    return [int(number) for number in text.split(",")]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    version = commands.add_parser("version")
    version.set_defaults(measure=lambda options: {"version": torch.__version__})
    commands.add_parser("devices").set_defaults(measure=list_devices)

    measured = {}
    for name, measure in {"conv": measure_conv, "step": measure_step, "product": measure_product,
                          "copy": measure_copy}.items():
        measured[name] = command = commands.add_parser(name)
        command.set_defaults(measure=measure)
        command.add_argument("--torch-device", type=torch.device, default=torch.device("cpu"))
        command.add_argument("--tf32", action="store_true")
        command.add_argument("--repetitions", type=int, default=1)
    for name in ("conv", "step"):
        measured[name].add_argument("--batch", type=int, required=True)
        measured[name].add_argument("--channels-last", dest="memory_format", action="store_const",
                                    const=torch.channels_last, default=torch.contiguous_format)
    for name in ("in-channels", "out-channels"):
        measured["conv"].add_argument(f"--{name}", type=int, required=True)
    for name in ("size", "kernel-size", "padding"):
        measured["conv"].add_argument(f"--{name}", type=pair, required=True)
    measured["conv"].add_argument("--stride", type=pair, default=[1, 1])
    measured["step"].add_argument("--kernels", type=integers, required=True)
    for name in ("m", "n", "k"):
        measured["product"].add_argument(f"--{name}", type=int, required=True)
    measured["copy"].add_argument("--mebibytes", type=int, required=True)
    return parser.parse_args()


def main():
    options = parse_options()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    if hasattr(options, "torch_device"):
        set_precision(options)
    try:
        result = options.measure(options)
    except torch.cuda.OutOfMemoryError as error:
        result = {"failure": "out of the GPU's memory", "reason": str(error)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
