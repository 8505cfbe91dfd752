"""The bandwidth that the paper's method needs, and what is measured where none is enough."""
import math
import unittest
from unittest import mock

import scripts_path  # pylint: disable=unused-import
import bench_methods as methods


def step(compute_ms, rest_ms, size):
    """One exchange: the master computes all its time, the other device half of it, and moves bytes."""
    made = methods.Step(compute_ms + rest_ms)
    for device, (ms, moved) in {"A": (compute_ms, 0), "B": (compute_ms / 2, size)}.items():
        made.add({"layer": "1", "pass": "forward", "device": device, "conv_ms": ms,
                  "bytes_sent": moved, "bytes_received": 0})
    return made


class FakeFolder:
    """Runs that all take as long, and notes what was asked for."""
    asked = []

    def __init__(self, _):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, experiment):
        FakeFolder.asked.append((experiment["distribution"], experiment["link"]["bandwidth_mbps"]))
        return {"step_ms": "100", "conv_ms": "80", "comm_ms": "10", "comp_ms": "10", "step_mb": 1.0,
                "speedup": "3", "amdahl_limit": "3.5", "baseline_step_ms": self.baseline_ms}

    def measured(self):
        return [step(80, 20, 1_000_000)]


class MethodsTest(unittest.TestCase):
    def round_with(self, baseline_ms):
        FakeFolder.asked = []
        FakeFolder.baseline_ms = baseline_ms
        runs = methods.MethodRuns(None, 4, (5, 6), "4 equal CPUs")
        with mock.patch.object(methods, "Folder", FakeFolder):
            runs.one_round()
        return runs

    def test_bytes_take_time_beyond_what_hides_behind_the_slowest(self):
        # Of the 80 ms that 8 Mb take at 100 Mb/s 40 hide behind the master, which computes for longer.
        self.assertAlmostEqual(step(80, 20, 1_000_000).ms_at(100), 140)
        self.assertEqual(methods.needed_bandwidth([step(80, 20, 1_000_000)], 140), 100)
        self.assertEqual(methods.needed_bandwidth([step(80, 20, 1_000_000)], 99), math.inf)

    def test_the_best_method_gets_a_tenth_of_what_the_papers_needs(self):
        runs = self.round_with(str(3.28 * 140))
        self.assertEqual(runs.needed, 100)
        self.assertEqual([link for _, link in FakeFolder.asked], [None] * 3 + [100, 10, None])
        self.assertEqual(runs.remark(), "")

    def test_where_no_bandwidth_is_enough_the_rest_is_measured(self):
        runs = self.round_with(str(3.28 * 99))
        self.assertEqual(runs.needed, math.inf)
        self.assertEqual([link for _, link in FakeFolder.asked], [None] * 4)
        self.assertEqual(FakeFolder.asked[-1][0], methods.METHODS["best, fp32"])
        table = methods.methods_table([runs])
        self.assertEqual(len([line for line in table.splitlines() if line.startswith("| 4 ")]), 2)
        self.assertIn("does not come to 3.28x at any bandwidth", table)


if __name__ == "__main__":
    unittest.main()
