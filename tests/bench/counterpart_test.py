"""Which of PyTorch's devices an OpenCL device is compared with."""
import unittest

import scripts_path  # pylint: disable=unused-import
from bench_counterpart import counterpart
from bench_process import Failure

CPU = {"id": "opencl:0:0", "name": "pthread-EPYC", "kind": "CPU"}
GPU = {"id": "opencl:1:0", "name": "NVIDIA  H200", "kind": "GPU"}


def torch_gpu(index, name, tf32=True, architecture=""):
    return {"device": f"cuda:{index}", "name": name, "architecture": architecture, "tf32": tf32}


def found(*devices):
    return {"version": "2.15.0", "devices": list(devices), "libraries": "CUDA 13.2"}


class CounterpartTest(unittest.TestCase):
    def test_a_cpu_runtime_is_compared_with_the_cpu(self):
        chosen = counterpart(CPU, found(torch_gpu(0, "NVIDIA H200")))
        self.assertEqual(chosen.modes, {"PyTorch": ["--torch-device", "cpu"]})
        self.assertEqual(chosen.remark, "")

    def test_a_gpu_is_found_by_its_name_and_measured_without_and_with_tf32(self):
        chosen = counterpart(GPU, found(torch_gpu(0, "NVIDIA T4"), torch_gpu(1, "NVIDIA H200")))
        self.assertEqual(chosen.modes, {"PyTorch fp32": ["--torch-device", "cuda:1"],
                                        "PyTorch TF32": ["--torch-device", "cuda:1", "--tf32"]})
        self.assertEqual(chosen.remark, "")

    def test_an_amd_gpu_is_found_by_its_architecture(self):
        device = {**GPU, "name": "gfx90a:sramecc+:xnack-"}
        chosen = counterpart(device, found(torch_gpu(0, "AMD Instinct MI210", False,
                                                     "gfx90a:sramecc+:xnack-")))
        self.assertEqual(list(chosen.modes), ["PyTorch fp32"])
        self.assertIn("no TF32", chosen.remark)

    def test_devices_of_one_name_are_told_of(self):
        chosen = counterpart(GPU, found(torch_gpu(0, "NVIDIA H200"), torch_gpu(1, "NVIDIA H200")))
        self.assertEqual(chosen.device, "cuda:0")
        self.assertIn("2 devices of this name", chosen.remark)

    def test_another_gpu_is_not_compared(self):
        for torch, reason in [(found(torch_gpu(0, "NVIDIA T4")), "cuda:0 NVIDIA T4"),
                              (found(), "finds no CUDA or HIP device"), (None, "no PyTorch")]:
            chosen = counterpart(GPU, torch)
            self.assertEqual(chosen.modes, {})
            self.assertIn("Convoy's figures alone", chosen.remark)
            self.assertIn(reason, chosen.remark)

    def test_a_device_can_be_named(self):
        there = found(torch_gpu(0, "NVIDIA T4"), torch_gpu(1, "Tesla"))
        chosen = counterpart(GPU, there, "cuda:1")
        self.assertEqual((chosen.device, chosen.name), ("cuda:1", "Tesla"))
        self.assertIn("--torch-device cuda:1", chosen.remark)
        with self.assertRaisesRegex(Failure, "no cuda:2; it has cuda:0 NVIDIA T4, cuda:1 Tesla"):
            counterpart(GPU, there, "cuda:2")
        with self.assertRaisesRegex(Failure, "it has no GPU"):
            counterpart(GPU, None, "cuda:0")
        with self.assertRaisesRegex(Failure, "opencl:0:0 is a CPU"):
            counterpart(CPU, there, "cuda:0")


if __name__ == "__main__":
    unittest.main()
