"""What scripts/bench takes and what it refuses."""
import contextlib
import io
import unittest

import scripts_path  # pylint: disable=unused-import
import bench_document
from bench_options import DOCUMENT, parse_options


def refusal(*arguments):
    """What is said to options that are refused."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        try:
            parse_options("", list(arguments))
        except SystemExit:
            return errors.getvalue()
    raise AssertionError(f"{arguments} were taken")


class OptionsTest(unittest.TestCase):
    def test_without_a_device_the_cpu_is_measured(self):
        with contextlib.redirect_stderr(io.StringIO()):  # one core leaves parts out
            options = parse_options("", [])
        self.assertIsNone(options.device)
        self.assertEqual(options.output, DOCUMENT)
        self.assertLessEqual(set(options.only), set(bench_document.PARTS))
        self.assertIn("phases", options.only)

    def test_a_device_has_parts_of_its_own(self):
        options = parse_options("", ["--device", "opencl:0:1"])
        self.assertEqual(options.only, ["machine", "conv", "vgg", "odd", "random", "step"])
        self.assertIsNone(options.output)  # which document depends on the device
        options = parse_options("", ["--device", "opencl:0:1", "--only", "step,conv"])
        self.assertEqual(options.only, ["step", "conv"])

    def test_parts_that_one_device_does_not_have_are_refused(self):
        said = refusal("--device", "opencl:0:0", "--only", "conv,methods,rest")
        self.assertIn("methods, rest: not measured on one OpenCL device", said)
        self.assertIn("machine, conv, vgg, odd, random, step are", said)

    def test_what_is_no_opencl_device_is_refused(self):
        for device in ("cpu", "opencl", "opencl:0", "opencl:0:0:1", "opencl:a:b"):
            self.assertIn(f"{device} is no OpenCL device", refusal("--device", device))

    def test_pytorchs_device_needs_a_device_and_is_a_gpu(self):
        self.assertIn("belongs to --device", refusal("--torch-device", "cuda:0"))
        self.assertIn("cpu is no GPU", refusal("--device", "opencl:0:0", "--torch-device", "cpu"))
        options = parse_options("", ["--device", "opencl:0:0", "--torch-device", "cuda:1"])
        self.assertEqual(options.torch_device, "cuda:1")


if __name__ == "__main__":
    unittest.main()
