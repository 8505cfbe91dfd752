"""The options of scripts/bench."""
import argparse
import os
import pathlib
import re

import bench_device_document as device_document
import bench_document as document
from bench_process import ROOT, say

DEFAULT_BATCHES = {"conv": [64, 128, 256, 512], "vgg": [128], "step": [64, 256, 1024],
                   "devices": [128], "methods": [256], "predict": [64], "phases": [64, 128, 256, 512]}
LONG_RUNS = ("devices", "methods", "predict")  # not for a quick look
DOCUMENT = ROOT / "docs/benchmarks.md"


def numbers(text):
    values = [int(number) for number in text.split(",")]
    if min(values) < 1:
        raise ValueError(f"{min(values)} is less than 1")
    return values


def network(text):
    kernels = tuple(int(number) for number in text.split(":"))
    if len(kernels) != 2 or min(kernels) < 1:
        raise ValueError(f"{text}: a network here has two layers, as 50:500")
    return kernels


def rounds(text):
    """"5,step=3": for all parts, and for some of them."""
    result = dict.fromkeys(document.PARTS, 5)
    for item in text.split(","):
        part, _, count = item.rpartition("=")
        if part and part not in result:
            raise ValueError(f"{part} is none of {', '.join(result)}")
        for name in [part] if part else result:
            result[name] = numbers(count)[0]
    return result


def checked(parse):
    """A parser of an option's text whose complaint argparse shows."""
    def of(text):
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return of


def parts(text):
    chosen = text.split(",")
    unknown = [part for part in chosen if part not in document.PARTS]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is none of {', '.join(document.PARTS)}")
    return chosen


def opencl_device(text):
    if not re.fullmatch(r"opencl:\d+:\d+", text):
        raise ValueError(f"{text} is no OpenCL device, as opencl:0:0; without --device the CPU is "
                         "measured, and --cores limits its cores")
    return text


def torch_device(text):
    if not re.fullmatch(r"cuda:\d+", text):
        raise ValueError(f"{text} is no GPU as PyTorch names them, as cuda:0 (also by HIP)")
    return text


def parse_options(description, arguments=None):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--only", type=checked(parts), metavar="PARTS", help="parts, comma-separated (all)")
    add("--rounds", type=checked(rounds), default="5", metavar="N",
        help="turns of each case (5); 5,step=3 names a part's own")
    add("--batch", type=checked(numbers), metavar="N", help="batch sizes, comma-separated")
    add("--layers", type=checked(lambda text: [network(one) for one in text.split(",")]),
        metavar="NETWORKS", help="networks measured by conv, step, devices, as 50:500,300:1000")
    add("--seed", type=int, default=1, help="of the random shapes (1)")
    add("--count", type=checked(lambda text: numbers(text)[0]), default=24,
        help="random shapes (24)")
    add("--seconds", type=float, default=2.0,
        help="about how long short cases are repeated in a round (2)")
    add("--timeout", type=float, default=3600.0, help="seconds that a process may take (3600)")
    add("--cores", type=int, help="so many cores (all)")
    add("--device", type=checked(opencl_device), metavar="opencl:P:D",
        help="measure this OpenCL device, and PyTorch on the same, in place of the CPU")
    add("--torch-device", type=checked(torch_device), metavar="cuda:N",
        help="what PyTorch calls that GPU (found by its name)")
    add("--python", help="the Python that has PyTorch")
    add("--channels-last", action="store_true", help="PyTorch's tensors are laid out NHWC")
    add("--keep-memory", action="store_true",
        help="PyTorch's process keeps the memory that it frees, which spares it page faults")
    add("--quick", action="store_true",
        help="a look: one round of 50:500 and small batches without the devices; printed, and "
             "written only where --output says")
    add("--output", type=pathlib.Path, help="the file with the tables "
        "(docs/benchmarks.md, of a GPU docs/benchmarks-opencl.md)")
    add("--no-build", action="store_true", help="measure the build that is there")
    options = parser.parse_args(arguments)

    options.explicit_batch, options.explicit_layers = options.batch, options.layers
    if options.quick:
        options.rounds = dict.fromkeys(document.PARTS, 1)
        options.seconds = min(options.seconds, 0.2)
        options.batch = options.batch or [16]
        options.layers = options.layers or [(50, 500)]
    elif not options.device:
        options.output = options.output or DOCUMENT
    if options.torch_device and not options.device:
        parser.error("--torch-device belongs to --device")
    cores = sorted(os.sched_getaffinity(0))
    if options.cores is not None and not 1 <= options.cores <= len(cores):
        parser.error(f"--cores: {options.cores} is not between 1 and {len(cores)}")
    options.cores = set(cores[:options.cores])
    known = device_document.PARTS if options.device else document.PARTS
    unfit = [part for part in options.only or [] if part not in known]
    if unfit:
        parser.error(f"--device: {', '.join(unfit)}: not measured on one OpenCL device; "
                     f"{', '.join(known)} are")
    options.only = options.only or [part for part in known
                                    if part not in LONG_RUNS or not options.quick]
    for part in ("devices", "predict"):
        if part in options.only and len(options.cores) < 2:
            say(f"{part}: two one-core devices need two cores; left out")
            options.only.remove(part)
    options.batches = {part: options.batch or DEFAULT_BATCHES.get(part, [0])
                       for part in document.PARTS}
    return options
