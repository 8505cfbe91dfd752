"""What the ways of distributing are worth, on the virtual clock, and how good predictions are."""
import csv
import json
import pathlib
import tempfile
from statistics import median

import bench_tables as tables
from bench_process import CONVOY, Failure

METHODS = {
    "paper's": {},
    "best": {"resident_kernels": True, "fuse_pooling": True, "overlap": True, "wire": "fp16",
             "split": "auto"},
}
# Devices on the virtual clock, with the paper's best speedup, and the goal at unlimited bandwidth.
# GPU-like: five times as fast as this machine, an assumption.
CONVOYS = {
    "4 equal CPUs": ([{"id": "cpu", "name": f"CPU {i + 1}"} for i in range(4)], 3.28, 3.8),
    "3 GPU-like": ([{"id": "cpu", "name": f"GPU-like {i + 1}", "speed": 5} for i in range(3)],
                   2.45, 2.85),
}
STEPS = 6


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

    def needed_bandwidth(self, experiment, speedup, calibration="run"):
        """Mb/s from which on the step is predicted to be so much faster than one device's."""
        steps = [round(10 ** (2 + i / 20)) for i in range(81)]  # 100 Mb/s to 1 Tb/s
        text, _ = self.runner.call(
            [CONVOY, "predict", self.write(experiment), "--quiet", "--json", "--calibration",
             self.path / calibration / "calibration.json", "--vary",
             "link.bandwidth_mbps=" + ",".join(map(str, steps))])
        for bandwidth, point in zip(steps, json.loads(text)):
            if point["speedup"] >= speedup:
                return bandwidth
        raise Failure(f"no bandwidth gives {speedup}x", "no bandwidth is enough")


def bandwidth_text(bandwidth):
    if bandwidth is None:
        return "unlimited"
    return f"{bandwidth / 1000:.3g} Gb/s" if bandwidth >= 1000 else f"{bandwidth:.3g} Mb/s"


def methods_rows(runner, batch, network):
    rows = []
    for title, (devices, of_paper, goal) in CONVOYS.items():
        with Folder(runner) as folder:
            def run(method, bandwidth, aim, out="run"):
                summary = folder.run(experiment_of(network, batch, devices, bandwidth, method,
                                                   "virtual"), out)
                rows.append([title, method, bandwidth_text(bandwidth),
                             *(tables.short(float(summary[name])) for name in
                               ("step_ms", "conv_ms", "comm_ms", "comp_ms", "step_mb")),
                             f"{float(summary['speedup']):.2f}",
                             f"{float(summary['amdahl_limit']):.2f}", aim])
            run("paper's", None, "", "paper")
            needed = folder.needed_bandwidth(
                experiment_of(network, batch, devices, None, "paper's", "virtual"),
                of_paper, "paper")
            run("paper's", needed, f"{of_paper}")
            run("best", needed / 10, f"{of_paper}")
            run("best", None, f"{goal}")
    return rows


def methods_table(rows):
    return tables.table(["devices", "method", "links", "step, ms", "conv", "comm", "comp",
                         "MB a step", "speedup", "Amdahl's limit", "aim"], rows)


def prediction_rows(runner, cores, batch, networks):
    devices = [{"id": f"cpu:{core}"} for core in sorted(cores)[:2]]
    rows, errors = [], []
    for network in networks:
        for method in METHODS:
            for bandwidth in (1000, 10000, None):
                with Folder(runner) as folder:
                    summary = folder.run(experiment_of(network, batch, devices, bandwidth, method))
                step, predicted = (float(summary[name])
                                   for name in ("step_ms", "predicted_step_ms"))
                errors.append(predicted / step - 1)
                rows.append(["{}:{}".format(*network), method, bandwidth_text(bandwidth),
                             tables.short(step), tables.short(predicted), f"{errors[-1]:+.1%}"])
    rows.append(["median of the errors' sizes", "", "", "", "",
                 f"{median(abs(error) for error in errors):.1%}"])
    return rows


def prediction_table(rows):
    return tables.table(["network", "method", "link", "step, ms", "predicted, ms", "error"], rows)
