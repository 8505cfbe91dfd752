"""What the ways of distributing are worth, on the virtual clock, and how good predictions are."""
import collections
import csv
import json
import math
import pathlib
import tempfile
from statistics import median

import bench_tables as tables
from bench_process import CONVOY

BEST = {"resident_kernels": True, "fuse_pooling": True, "overlap": True, "split": "auto"}
METHODS = {
    "paper's": {},
    "best": {**BEST, "wire": "fp16"},
    "best, fp32": BEST,  # where bytes take no time rounding only costs
}
# Devices on the virtual clock, with the paper's best speedup, and the goal at unlimited bandwidth.
# GPU-like: five times as fast as this machine, an assumption.
CONVOYS = {
    "4 equal CPUs": ([{"id": "cpu", "name": f"CPU {i + 1}"} for i in range(4)], 3.28, 3.8),
    "3 GPU-like": ([{"id": "cpu", "name": f"GPU-like {i + 1}", "speed": 5} for i in range(3)],
                   2.45, 2.85),
}
STEPS = 6
PROBES = 3  # runs at unlimited bandwidth, at least, that the needed one is found by


def experiment_of(network, batch, devices, bandwidth=None, method="paper's", clock="wall"):
    return {
        "dataset": {"kind": "synthetic", "train_limit": STEPS * batch, "test_limit": batch},
        "network": {"kernels": list(network), "kernel_size": 5, "padding": "valid"},
        "training": {"batch_size": batch, "steps": STEPS},
        "devices": devices,
        "distribution": METHODS[method],
        "link": {"bandwidth_mbps": bandwidth},
        "clock": clock,
    }


class Step:
    """A measured step on the virtual clock, from which it follows what it takes over slower links: each
    exchange waits for the device that takes longest to receive, compute and send."""

    def __init__(self, ms):
        self.ms = ms
        self.exchanges = collections.defaultdict(dict)  # (layer, forward): device: [ms, bytes]

    def add(self, row):
        exchange = self.exchanges[row["layer"], row["pass"] == "forward"]
        work = exchange.setdefault(row["device"], [0.0, 0])
        work[0] += float(row["conv_ms"])
        work[1] += int(row["bytes_sent"]) + int(row["bytes_received"])

    def ms_at(self, mbps):
        return self.ms + sum(
            max(ms + size * 8 / (mbps * 1e3) for ms, size in devices.values())
            - max(ms for ms, _ in devices.values()) for devices in self.exchanges.values())


def needed_bandwidth(steps, target_ms):
    """Mb/s, to three digits, at which the median of the steps takes so long; infinite where none does."""
    def step_ms(mbps):
        return median(step.ms_at(mbps) for step in steps)
    low, high = math.log(1.0), math.log(1e7)
    if step_ms(math.exp(high)) > target_ms:
        return math.inf
    for _ in range(50):
        middle = (low + high) / 2
        if step_ms(math.exp(middle)) > target_ms:
            low = middle
        else:
            high = middle
    return float(f"{math.exp(high):.3g}")


class Folder:
    """Runs of experiments, with their files, until the end of a with block."""

    def __init__(self, runner):
        self.runner = runner
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def write(self, experiment):
        path = self.path / "experiment.json"
        path.write_text(json.dumps(experiment), encoding="utf-8")
        return path

    def run(self, experiment, out="run"):
        """The run's line of summary.csv, with the megabytes that a step moved."""
        out = self.path / out
        self.runner.call([CONVOY, "run", self.write(experiment), "--out", out, "--quiet"])
        with open(out / "summary.csv", newline="", encoding="utf-8") as file:
            summary = next(csv.DictReader(file))
        with open(out / "devices.csv", newline="", encoding="utf-8") as file:
            moved = sum(int(row["bytes_sent"]) + int(row["bytes_received"])
                        for row in csv.DictReader(file))
        summary["step_mb"] = moved / 1e6 / int(summary["steps"])
        return summary

    def measured(self, out="run"):
        """The run's steps after warming up, at unlimited bandwidth and without overlap."""
        with open(self.path / out / "steps.csv", newline="", encoding="utf-8") as file:
            steps = {row["step"]: Step(float(row["step_ms"])) for row in csv.DictReader(file)
                     if row["warm_up"] == "0"}
        with open(self.path / out / "devices.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["step"] in steps:
                    steps[row["step"]].add(row)
        return list(steps.values())


def bandwidth_text(bandwidth):
    if bandwidth is None:
        return "unlimited"
    return f"{bandwidth / 1000:.3g} Gb/s" if bandwidth >= 1000 else f"{bandwidth:.3g} Mb/s"


class MethodRuns:
    """The runs of one convoy, each once a round, so that they share the machine's good and bad minutes."""

    def __init__(self, runner, batch, network, title):
        self.runner, self.batch, self.network, self.title = runner, batch, network, title
        self.devices, self.of_paper, self.goal = CONVOYS[title]
        self.runs = {}  # (method, bandwidth, aim): summaries
        self.needed = None  # Mb/s; infinite: no bandwidth gives the paper's speedup

    def run(self, folder, method, bandwidth, aim):
        summary = folder.run(self.experiment(bandwidth, method))
        self.runs.setdefault((method, bandwidth, aim), []).append(summary)
        return summary

    def experiment(self, bandwidth, method):
        return experiment_of(self.network, self.batch, self.devices, bandwidth, method, "virtual")

    def find_bandwidth(self, folder):
        """By several runs, each with a baseline of its own: a hundredth of either is a fifth of the
        bandwidth. Infinite where most of them would need more than there is."""
        found = []
        for _ in range(PROBES):
            summary = self.run(folder, "paper's", None, "")
            target_ms = float(summary["baseline_step_ms"]) / self.of_paper
            found.append(needed_bandwidth(folder.measured(), target_ms))
        return median(found)

    def one_round(self):
        with Folder(self.runner) as folder:
            if self.needed is None:
                self.needed = self.find_bandwidth(folder)
            elif len(self.runs["paper's", None, ""]) <= len(self.runs["best, fp32", None, f"{self.goal}"]):
                self.run(folder, "paper's", None, "")
            if self.needed < math.inf:
                self.run(folder, "paper's", self.needed, f"{self.of_paper}")
                self.run(folder, "best", self.needed / 10, f"{self.of_paper}")
            self.run(folder, "best, fp32", None, f"{self.goal}")

    def remark(self):
        """What the rows do not say; may be empty."""
        if self.needed != math.inf:
            return ""
        return (f"{self.title}: the paper's method does not come to {self.of_paper}x at any bandwidth "
                "here, so there is none to divide by ten.")

    def rows(self):
        for (method, bandwidth, aim), summaries in self.runs.items():
            def column(name, found=summaries):
                return median(float(summary[name]) for summary in found)
            speedups = [float(summary["speedup"]) for summary in summaries]
            yield [self.title, method, bandwidth_text(bandwidth),
                   *(tables.short(column(name)) for name in
                     ("step_ms", "conv_ms", "comm_ms", "comp_ms", "step_mb")),
                   f"{median(speedups):.2f} ({min(speedups):.2f} to {max(speedups):.2f})",
                   f"{column('amdahl_limit'):.2f}", aim]


def methods_table(all_runs):
    table = tables.table(["devices", "method", "links", "step, ms", "conv", "comm", "comp",
                          "MB a step", "speedup", "Amdahl's limit", "aim"],
                         [row for runs in all_runs for row in runs.rows()])
    return "\n\n".join([table.rstrip("\n"), *filter(None, (runs.remark() for runs in all_runs))])


class PredictionRuns:
    """Predicted and measured steps of two one-core devices, by network, method and link."""

    def __init__(self, runner, cores, batch, networks):
        self.runner, self.batch = runner, batch
        self.devices = [{"id": f"cpu:{core}"} for core in sorted(cores)[:2]]
        self.runs = {(network, method, bandwidth): [] for network in networks
                     for method in ("paper's", "best") for bandwidth in (1000, 10000, None)}

    def one_round(self):
        for (network, method, bandwidth), found in self.runs.items():
            with Folder(self.runner) as folder:
                summary = folder.run(experiment_of(network, self.batch, self.devices, bandwidth,
                                                   method))
            found.append([float(summary[name]) for name in ("step_ms", "predicted_step_ms")])

    def rows(self):
        errors = []
        for (network, method, bandwidth), found in self.runs.items():
            if not found:
                continue
            # Of the runs' own errors: the machine is faster in one run than in another.
            error = median(predicted / step - 1 for step, predicted in found)
            errors += [abs(predicted / step - 1) for step, predicted in found]
            yield ["{}:{}".format(*network), method, bandwidth_text(bandwidth),
                   tables.short(median(step for step, _ in found)),
                   tables.short(median(predicted for _, predicted in found)), f"{error:+.1%}"]
        yield ["median of all errors' sizes", "", "", "", "", f"{median(errors):.1%}"]


def prediction_table(runs):
    return tables.table(["network", "method", "link", "step, ms", "predicted, ms", "error"],
                        list(runs.rows()))
