"""Tables with one program beside Convoy, with two, and with none."""
import unittest

import scripts_path  # pylint: disable=unused-import
import bench_cases as cases_of
import bench_tables as tables


def results(*steps):
    """Of rounds whose passes take as long as each other."""
    return [{"step_ms": step, "conv_ms": step / 2, "peak_rss_bytes": 5e6, "executed_gflops": 50,
             **{f"{name}_ms": step / 3 for name in cases_of.PASSES},
             "algorithm": dict.fromkeys(cases_of.PASSES, "fft+tiled")} for step in steps]


def case(ours, peers):
    made = cases_of.conv_case("a layer", 1, 2, 3, 8)
    made.ours.results = results(*ours)
    made.peers = {name: cases_of.Side(results(*steps)) for name, steps in peers.items()}
    return made


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


TWO = {"PyTorch fp32": (6, 6, 9), "PyTorch TF32": (1, 1.5, 1.5)}


class TablesTest(unittest.TestCase):
    def test_two_programs_have_two_times_and_two_ratios(self):
        head, rule, step, *passes = cells(tables.conv_table([case((3, 3, 3), TWO)], [100], False,
                                                            False))
        self.assertEqual(head[2:7], ["Convoy, ms", "PyTorch fp32, ms", "PyTorch fp32 / Convoy",
                                     "PyTorch TF32, ms", "PyTorch TF32 / Convoy"])
        self.assertEqual(step[2:7], ["3 (3–3)", "6 (6–9)", "2.00 (2.00–3.00)", "1.5 (1–1.5)",
                                     "0.50 (0.33–0.50)"])
        self.assertNotIn("Convoy, MB", head)
        self.assertEqual({len(row) for row in [head, rule, step, *passes]}, {len(head)})

    def test_rows_are_as_long_as_their_heads(self):
        for peers in ({}, {"PyTorch": (2,)}, {name: steps[:1] for name, steps in TWO.items()}):
            layers = [case((1,), peers), case((2,), peers)]
            for made in (tables.conv_table(layers, [], True), tables.step_table(layers),
                         tables.conv_table(layers, [100], True, False), tables.random_table(layers),
                         tables.step_table(layers, False)):
                rows = cells(made)
                self.assertEqual({len(row) for row in rows}, {len(rows[0])}, made)

    def test_sums_and_means_are_of_each_program(self):
        layers = [case((1,), {"PyTorch fp32": (2,), "PyTorch TF32": (1,)}),
                  case((2,), {"PyTorch fp32": (1,), "PyTorch TF32": (4,)})]
        total = cells(tables.conv_table(layers, [], True, False))[-len(tables.KEYS)]
        self.assertEqual(total[:7], ["**sum of 2 layers**", "all three", "3", "3", "**1.00**", "5",
                                     "**1.67**"])
        head, *_, mean = cells(tables.random_table(layers))
        self.assertEqual(mean[head.index("PyTorch fp32: all three")], "**1.00**")
        self.assertEqual(mean[head.index("PyTorch TF32: all three")], "**1.41**")

    def test_each_program_has_a_verdict(self):
        said = tables.verdict([case((3, 3, 3), TWO)], {"step_ms": ""})
        self.assertEqual(said, "Slower than PyTorch fp32 in none of 1 comparisons.\n\n"
                               "Slower than PyTorch TF32 in 1 of 1 comparisons: a layer (0.50).")
        self.assertEqual(tables.verdict([case((3,), {})], {"step_ms": ""}), "")

    def test_a_failure_stands_in_its_own_column(self):
        layer = case((3,), {"PyTorch fp32": (6,), "PyTorch TF32": ()})
        layer.peers["PyTorch TF32"].failure = "out of the GPU's memory"
        step = cells(tables.conv_table([layer], [], False, False))[2]
        self.assertEqual(step[2:7], ["3", "6", "2.00", "out of the GPU's memory", tables.NONE])

    def test_rates_of_the_device(self):
        fast, none = cases_of.Side([{"gflops": [4e4]}]), cases_of.Side(failure="exit code 1")
        rows = cells(tables.device_rates_table({"8 x 8 x 8": {"fp32": fast, "TF32": none}},
                                               ["fp32", "TF32"]))
        self.assertEqual(rows[0], ["product", "fp32, GFLOP/s", "TF32, GFLOP/s"])
        self.assertEqual(rows[2], ["8 x 8 x 8", "40000", "exit code 1"])
        copies = cells(tables.device_copies_table([{"copy": 3e12, "to_device": 5e10}]))
        self.assertEqual([row[1] for row in copies[2:]], ["3000", "50"])


if __name__ == "__main__":
    unittest.main()
