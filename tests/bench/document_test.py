"""Documents keep what was measured before, and hold the figures of one device."""
import pathlib
import tempfile
import unittest

import scripts_path  # pylint: disable=unused-import
import bench_device_document as device_document
import bench_document
from bench_options import DOCUMENT
from bench_process import Failure

GPU = {"id": "opencl:1:0", "name": "NVIDIA H200", "kind": "GPU"}
SECTION = {("conv", 64): "figures\n"}


class DocumentTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "benchmarks.md"

    def text(self):
        return self.path.read_text(encoding="utf-8")

    def test_the_heading_names_the_device(self):
        document = device_document.document(self.path, GPU)
        document.replace_sections(SECTION)
        self.assertTrue(self.text().startswith(
            "# Benchmarks on the OpenCL device NVIDIA H200 (GPU)\n"))
        self.assertIn("`scripts/bench --device opencl:1:0`", self.text())
        self.assertTrue(document.has("conv", 64))
        self.assertFalse(document.has("conv", 128))

    def test_sections_are_replaced_one_by_one(self):
        document = device_document.document(self.path, GPU)
        document.replace_sections({**SECTION, ("conv", 128): "others\n"})
        document.replace_sections({("conv", 64): "newer\n", ("machine", 0): "rates\n"})
        text = self.text()
        self.assertNotIn("figures", text)
        order = [text.index(one) for one in ("## The device", "rates", "## One layer", "newer",
                                             "others")]
        self.assertEqual(order, sorted(order))

    def test_figures_of_another_device_are_refused(self):
        device_document.document(self.path, GPU).replace_sections(SECTION)
        before = self.text()
        another = device_document.document(self.path, {**GPU, "name": "NVIDIA T4"})
        cpu = bench_document.Document(self.path, bench_document.PARTS, bench_document.INTRODUCTION)
        for document in (another, cpu):
            with self.assertRaisesRegex(Failure, "NVIDIA H200.*name another file with --output"):
                document.check()
            with self.assertRaises(Failure):
                document.replace_sections(SECTION)
        self.assertEqual(self.text(), before)

    def test_the_projects_own_document_is_taken(self):
        bench_document.Document(DOCUMENT, bench_document.PARTS, bench_document.INTRODUCTION).check()


if __name__ == "__main__":
    unittest.main()
