"""The parts of scripts/bench on an OpenCL device, beside PyTorch on the same device."""
import json

import bench_cases as cases_of
import bench_tables as tables
from bench_counterpart import counterpart
from bench_parts import PRODUCT, SQUARE, Bench, host, times
from bench_process import CONVOY, Failure, say

GPU_SQUARE = (8192, 8192, 8192)  # 4096 do not fill a large GPU for long
COPIED_MEBIBYTES = 1024          # far more than any cache
COPIES = 20


class DeviceBench(Bench):
    def __init__(self, options, python):
        super().__init__(options, python)
        self.device = self.find_device()
        self.is_gpu = self.device["kind"] != "CPU"
        found = self.runner.call_torch(python, ["devices"]) if python else None
        self.counterpart = counterpart(self.device, found, options.torch_device)
        self.libraries = found["libraries"] if found and self.is_gpu else ""
        self.peers = self.counterpart.modes
        self.with_memory = not self.is_gpu
        if self.counterpart.remark:
            say(self.counterpart.remark)

    def find_device(self):
        text, _ = self.runner.call([CONVOY, "devices", "--json"])
        devices = {device["id"]: device for device in json.loads(text)}
        if self.options.device not in devices:
            raise Failure(f"there is no {self.options.device}; there are {', '.join(devices)}")
        return devices[self.options.device]

    def measure(self, cases, sgemm=None):
        for case in cases:
            case.rate = self.rate()
        super().measure(cases, sgemm if self.peers else None)

    def rate(self):
        return cases_of.GPU_RATE if self.is_gpu else cases_of.ASSUMED_RATE

    # ---- What the device can do ------------------------------------------------------------------

    def machine(self):
        if not self.peers:
            self.rounds = 0
            return self.text(0, [self.provenance(), self.about_device(), "Peak rate and bandwidth: not "
                                 "measured, which takes PyTorch on this device."])
        squares = GPU_SQUARE if self.is_gpu else SQUARE
        products = {product: {mode: cases_of.Side() for mode in self.peers}
                    for product in ([(512,) * 3] if self.options.quick else [squares, PRODUCT])}
        copies = cases_of.Side()

        def one_round(number):
            for product, sides in products.items():
                for mode, side in sides.items():
                    self.say_round(number, f"product {times(product)}, {mode}")
                    self.attempt(side, self.product_rate, product, self.peers[mode])
            self.say_round(number, "copying memory")
            self.attempt(copies, self.copy_rates)

        self.take_rounds(one_round)
        measured = [side for sides in products.values() for side in sides.values()] + [copies]
        if not any(side.touched() for side in measured):
            return ""
        named = {times(product): sides for product, sides in products.items()}
        return self.text(0, [
            self.provenance(), self.about_device(), tables.device_rates_table(named, list(self.peers)),
            tables.device_copies_table(copies.results) if copies.results else
            f"Bandwidth: not measured ({copies.failure or 'interrupted'})."])

    def sgemm(self):
        return self.product_rate(self.product(), next(iter(self.peers.values())))

    def product_rate(self, product, mode):
        m, n, k = product
        repetitions = cases_of.repetitions(2 * m * n * k, self.options.seconds, self.rate())
        return self.runner.call_torch(self.python, ["product", "--m", m, "--n", n, "--k", k,
                                                    "--repetitions", repetitions, *mode])

    def copy_rates(self):
        size = 64 if self.options.quick else COPIED_MEBIBYTES
        return self.runner.call_torch(self.python, ["copy", "--mebibytes", size, "--repetitions",
                                                    COPIES, "--torch-device",
                                                    self.counterpart.device])

    # ---- What stands beside the figures ----------------------------------------------------------

    def provenance(self, cases=(), torch=True):
        return " ".join(text for text in [super().provenance(cases, torch), self.counterpart.remark]
                        if text)

    def computer(self):
        device = self.device
        return (f"{device['name']} ({device['id']}, {device['backend']}, driver {device['driver']}), "
                f"host {super().computer()}")

    def pytorch(self):
        libraries = f" ({self.libraries})" if self.libraries else ""
        return (f"{super().pytorch()}{libraries} on {self.counterpart.device} "
                f"({self.counterpart.name})")

    def about_device(self):
        device = self.device
        lines = [f"- {device['name']}, {device['kind']}, {device['compute_units']} compute units, "
                 f"{device['memory_bytes'] / 2**30:.0f} GiB memory",
                 f"- {device['backend']}, driver {device['driver']}", f"- host: {host()}"]
        if self.peers:
            lines.append(f"- {self.pytorch()}")
        return "\n".join(lines)
