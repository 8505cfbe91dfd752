"""The parts of scripts/bench on a GPU, with programs that answer without being run."""
import argparse
import json
import unittest
from unittest import mock

import scripts_path  # pylint: disable=unused-import
import bench_cases as cases_of
from bench_device import DeviceBench
from bench_document import PARTS
from bench_process import Failure

GPU = {"id": "opencl:1:0", "name": "NVIDIA H200", "kind": "GPU", "compute_units": 132,
       "memory_bytes": 140 << 30, "backend": "OpenCL 3.0 CUDA", "driver": "570.1", "cores": []}
TORCH_GPU = {"device": "cuda:0", "name": "NVIDIA H200", "architecture": "", "tf32": True}


class FakeRunner:
    """In place of bench_process.Runner: keeps what it is asked."""

    def __init__(self, cores, timeout, device=None):
        self.cores, self.timeout, self.device = cores, timeout, device
        self.calls = []
        self.torch_devices = [TORCH_GPU]

    def reset(self):
        pass

    def foreign_share(self):
        return 0.0

    def call(self, *_):
        return json.dumps([{**GPU, "id": "cpu"}, GPU]), 0

    def call_json(self, *_):
        return {"version": "2.15.0", "peak_rss_bytes": 1}

    def call_torch(self, _, arguments):
        self.calls.append([str(argument) for argument in arguments])
        return {"devices": {"version": "2.15.0", "devices": self.torch_devices,
                            "libraries": "CUDA 13.2, cuDNN 91200"},
                "product": {"gflops": [5e4]},
                "copy": {"copy": 4e12, "to_device": 5e10, "from_device": 5e10}}[arguments[0]]

    def convoy(self, case, seconds):
        self.calls.append(["convoy", *case.arguments(seconds)])
        return {"step_ms": 3, "executed_gflops": 1e4, "conv_ms": 2,
                **{f"{name}_ms": 1 for name in cases_of.PASSES},
                "algorithm": dict.fromkeys(cases_of.PASSES, "fft+clblast")}

    def torch(self, _case, _seconds, _python, _options, extra):
        self.calls.append(["torch", *extra])
        if "--tf32" in extra:
            raise Failure("too large", "out of the GPU's memory")
        return {"step_ms": 6, **{f"{name}_ms": 2 for name in cases_of.PASSES}}


def options(**named):
    given = {"device": GPU["id"], "torch_device": None, "cores": {0}, "timeout": 1.0, "quick": True,
             "rounds": dict.fromkeys(PARTS, 2), "seconds": 2.0, "layers": [(50, 500)],
             "explicit_batch": None, "explicit_layers": None, "no_build": True, "keep_memory": False,
             "channels_last": False, "seed": 1, "count": 2}
    return argparse.Namespace(**{**given, **named})


@mock.patch("bench_parts.Runner", FakeRunner)
@mock.patch("bench_parts.say", lambda text: None)
@mock.patch("bench_device.say", lambda text: None)
class DeviceTest(unittest.TestCase):
    def test_pytorch_is_measured_without_and_with_tf32_on_the_same_gpu(self):
        bench = DeviceBench(options(), "python")
        text = bench.section("conv", 16)
        asked = [call for call in bench.runner.calls if call[0] == "torch"]
        fp32 = ["torch", "--torch-device", "cuda:0"]
        tf32 = [*fp32, "--tf32"]
        # What failed once is not asked again; rounds begin in turns with the one and the other.
        self.assertEqual(asked, [fp32, tf32, fp32, tf32, fp32, fp32])
        self.assertIn("PyTorch 2.15.0 (CUDA 13.2, cuDNN 91200) on cuda:0 (NVIDIA H200)", text)
        self.assertIn("on NVIDIA H200 (opencl:1:0, OpenCL 3.0 CUDA, driver 570.1), host ", text)
        self.assertIn("| 3 (3–3) | 6 (6–6) | 2.00 (2.00–2.00) | out of the GPU's memory | – |", text)
        self.assertIn("Plain SGEMM 300 x 640 x 2500 in the same rounds: 50000", text)
        self.assertNotIn("MB |", text)

    def test_a_gpu_repeats_more_often(self):
        bench = DeviceBench(options(), "python")
        bench.section("step", 1024)
        call = next(call for call in bench.runner.calls if call[0] == "convoy")
        self.assertGreater(int(call[-1]), cases_of.step_case(1024, (50, 500)).repetitions(2.0))

    def test_rates_are_measured_in_both_ways(self):
        bench = DeviceBench(options(), "python")
        text = bench.section("machine", 0)
        products = [call for call in bench.runner.calls if call[0] == "product"]
        self.assertEqual([call[-1] for call in products], ["cuda:0", "--tf32"] * 2)
        self.assertIn("| product | PyTorch fp32, GFLOP/s | PyTorch TF32, GFLOP/s |", text)
        self.assertIn("132 compute units, 140 GiB memory", text)

    def test_without_a_counterpart_convoy_is_measured_alone_and_the_text_says_so(self):
        bench = DeviceBench(options(), None)
        for part, batch in [("machine", 0), ("conv", 16), ("step", 16), ("random", 0)]:
            text = bench.section(part, batch)
            self.assertIn("Convoy's figures alone: there is no PyTorch here.", text)
            self.assertNotIn("/ Convoy", text)
            self.assertNotIn("interrupted", text)
        self.assertNotIn("torch", [call[0] for call in bench.runner.calls])

    def test_a_device_that_is_not_there_is_refused(self):
        with self.assertRaisesRegex(Failure, "there is no opencl:9:0; there are cpu, opencl:1:0"):
            DeviceBench(options(device="opencl:9:0"), "python")


if __name__ == "__main__":
    unittest.main()
