"""Which of PyTorch's devices is the OpenCL device that Convoy is measured on.

A comparison is of one device or of none: where it is not certain that both are the same, Convoy is
measured alone and the document says why.
"""
from dataclasses import dataclass, field

from bench_process import Failure


@dataclass(frozen=True)
class Counterpart:
    device: str = ""  # what PyTorch calls it; "" where it has none
    name: str = ""
    # The ways in which PyTorch computes there, as tables name them, and what bench_torch.py is told.
    modes: dict[str, list[str]] = field(default_factory=dict)
    remark: str = ""  # what a reader of the figures has to know


def listed(devices):
    return ", ".join(f"{one['device']} {one['name']}" for one in devices)


def same_name(device, candidate):
    """Drivers name a GPU alike for OpenCL and CUDA; AMD's for OpenCL by its architecture."""
    def plain(text):
        return " ".join(text.split()).casefold()

    names = {plain(candidate[key]) for key in ("name", "architecture") if candidate[key]}
    return plain(device["name"]) in names


def counterpart(device, found, wanted=None):
    """Of an entry of `convoy devices --json` and what `bench_torch.py devices` tells (None without
    PyTorch); `wanted` names PyTorch's device, as "cuda:1"."""
    if device["kind"] == "CPU":
        if wanted:
            raise Failure(f"--torch-device: {device['id']} is a CPU, and so is its counterpart")
        if not found:
            return Counterpart(remark=alone("there is no PyTorch here"))
        return Counterpart("cpu", "the same cores", {"PyTorch": ["--torch-device", "cpu"]})
    devices = found["devices"] if found else []
    if wanted:
        named = [one for one in devices if one["device"] == wanted]
        if not named:
            raise Failure(f"--torch-device: PyTorch has no {wanted}; it has "
                          f"{listed(devices) or 'no GPU'}")
        return of_gpu(named[0], f"PyTorch's device was named by hand (`--torch-device {wanted}`).")
    if not found:
        return Counterpart(remark=alone("there is no PyTorch here"))
    if not devices:
        return Counterpart(remark=alone(f"PyTorch {found['version']} finds no CUDA or HIP device "
                                        "here"))
    alike = [one for one in devices if same_name(device, one)]
    if not alike:
        return Counterpart(remark=alone(
            f"none of PyTorch's devices ({listed(devices)}) has the name of the OpenCL device, and "
            "`--torch-device` names none"))
    remark = ""
    if len(alike) > 1:
        remark = (f"PyTorch has {len(alike)} devices of this name and was measured on "
                  f"{alike[0]['device']}: the same model, but maybe not the same card "
                  "(`--torch-device` names another).")
    return of_gpu(alike[0], remark)


def of_gpu(found, remark):
    on = ["--torch-device", found["device"]]
    modes = {"PyTorch fp32": on}
    if found["tf32"]:
        modes["PyTorch TF32"] = [*on, "--tf32"]
    else:
        remark = f"{remark} By PyTorch this GPU has no TF32.".strip()
    return Counterpart(found["device"], found["name"], modes, remark)


def alone(reason):
    return f"Convoy's figures alone: {reason}."
