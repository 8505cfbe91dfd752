"""docs/benchmarks-opencl.md: the figures of one OpenCL device, which its heading names."""
from bench_document import Document
from bench_process import ROOT

PATH = ROOT / "docs/benchmarks-opencl.md"
INTRODUCTION = """# Benchmarks on the OpenCL device {name} ({kind})

Convoy by OpenCL and PyTorch on the same device, measured by `scripts/bench --device {id}` in turns.
On a GPU PyTorch computes by CUDA or HIP and in two ways: "fp32" without TF32, as exact as Convoy,
and "TF32" with factors that may be rounded to 10 bits (`allow_tf32` of products and convolutions).
Both choose their algorithms by measurement (PyTorch: `cudnn.benchmark`). Convoy reads operands from
the host's memory and leaves results there, where links to other devices begin; to and from a GPU
with memory of its own that way is part of Convoy's times. PyTorch's tensors lie on the device
before and after.

"""
PARTS = {  # in the order of the document: heading and introduction
    "machine": ("The device", """
The largest rate of PyTorch's plain matrix product stands for the peak, and that of copying a large
array for the bandwidth: measured, not taken from a data sheet. Between a GPU and the host by pinned
memory."""),
    "conv": ("One layer of the paper's networks", """
5x5 kernels, no padding; conv1 on 32x32, conv2 on 14x14. Each figure is the median of the rounds,
with the smallest and the largest in brackets; each round is a process of its own, and the programs
take turns at being first. The ratios are those of the medians, in brackets those of the single
rounds. "All three" is the step as training runs it; what its passes share counts for the first of
Convoy's that needs it. GFLOP/s count Convoy's operations as a direct convolution would do them,
executed those that its algorithm really does, and "of SGEMM" is their share of the rate of
PyTorch's plain fp32 product in the same rounds. Memory is the largest resident set of the whole
process, and given for CPUs only: Convoy does not tell how much of a GPU's memory it takes at most."""),
    "vgg": ("3x3 layers of a VGG-like network", """
Padding 1; maps and figures as above. The sum is that of the layers' medians."""),
    "odd": ("Odd shapes", """
Small batches, few channels, odd sizes and kernels. Figures as above."""),
    "random": ("Random shapes", """
Shapes drawn from a seed (`--seed`, `--count`): nobody has chosen them. Times of all three passes as
a training step runs them; then how many times as long PyTorch takes, for all three and for each
alone."""),
    "step": ("A whole training step", """
32x32 colour pictures, 5x5 kernels, no padding, ReLU and 2x2 max pooling after each of the two
layers, one fully connected layer, SGD with momentum; figures as above. Of Convoy's step the device
computes the convolutional layers, the host's cores all else; of PyTorch's the device computes all."""),
}


def document(path, device):
    """For an entry of `convoy devices --json`."""
    return Document(path, PARTS, INTRODUCTION.format(**device))
