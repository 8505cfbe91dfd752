"""Documents with a measured part, as docs/benchmarks.md: sections that are replaced one by one.

A comment line stands before each section ("section conv 128": part and batch size) and before each
part's heading; whatever stands between two of them belongs to the first. So a part measured today
leaves the others' figures, dates and commits alone.
"""
import os
import re

from bench_process import Failure, say

BEGIN, END = "<!-- scripts/bench writes from here -->", "<!-- to here -->"
MARK = re.compile(r"^<!-- (part|section) (\w+)(?: (\d+))? -->\n", re.MULTILINE)
INTRODUCTION = """# Benchmarks

Convoy and PyTorch on the same layers and networks, measured by `scripts/bench` in turns on one
machine, with the same cores.

"""

PARTS = {  # in the order of the document: heading and introduction
    "machine": ("The machine", """
The largest rate that a plain matrix product reaches here stands for the peak: it is measured by
OpenBLAS, not computed from the processor's data sheet."""),
    "conv": ("One layer of the paper's networks", """
5x5 kernels, no padding; conv1 on 32x32, conv2 on 14x14. Each figure is the median of the rounds, with
the smallest and the largest in brackets; each round is a process of its own, and the two programs take
turns at being first. The ratio is that of the medians, in brackets those of the single rounds. "All
three" is the step as training runs it. What the passes of a step share counts for the first of
Convoy's passes that needs it, so the ratio that matters is that of all three. GFLOP/s count Convoy's
operations as a direct convolution would do them, executed those that its algorithm really does, and
"of SGEMM" is their share of a plain product's rate in the same rounds. Memory is the largest resident
set of the whole process. Convoy is given its buffers, PyTorch allocates its results as in training,
which costs page faults."""),
    "vgg": ("3x3 layers of a VGG-like network", """
Padding 1; maps and figures as above. The sum is that of the layers' medians."""),
    "odd": ("Odd shapes", """
Small batches, few channels, odd sizes and kernels: where there is little to win. Figures as above."""),
    "random": ("Random shapes", """
Shapes drawn from a seed (`--seed`, `--count`): nobody has chosen them. Times of all three passes as a
training step runs them; then how many times as long PyTorch takes, for all three and for each alone."""),
    "step": ("A whole training step", """
32x32 colour pictures, 5x5 kernels, no padding, ReLU and 2x2 max pooling after each of the two layers,
one fully connected layer, SGD with momentum; figures as above."""),
    "devices": ("Two one-core devices", """
Unlimited bandwidth; the baseline is the faster of the two alone, in the same run. Times in ms."""),
    "methods": ("Ways to distribute", """
500:1500 on devices that one machine stands for, one after another (`clock: virtual`), every worker on a link of its
own without latency. The paper's method at unlimited bandwidth, then at the bandwidth that it needs for the paper's
best speedup (found from the measured pieces of the former, median of three runs), then all options of Convoy's at a tenth of that, and all but rounding at unlimited bandwidth.
GPU-like devices are five times as fast as this machine, an assumption. Medians of the runs, whose figures are medians of their steps."""),
    "predict": ("Predictions", """
Two one-core devices on the wall clock: the step that a run predicts after calibration and baseline, before its first
step, beside the step that it then measures. Medians of the runs."""),
    "phases": ("Where the frequency domain's time goes", """
conv2 of 500:1500, algorithm fft, as `convoy bench conv` tells it; medians."""),
    "rest": ("The rest of the step", """
Everything but the convolutions, beside what copying memory costs, as `convoy_rest_bench` tells it."""),
}


def mark(part, batch):
    return f"<!-- section {part}{f' {batch}' if batch else ''} -->\n"


def parse(text):
    """What lies between the markers: text that no section owns, and the sections by part and batch."""
    pieces = MARK.split(text)
    sections = {}
    for kind, part, batch, body in zip(*(iter(pieces[1:]),) * 4):
        if kind == "section":
            sections[part, int(batch or 0)] = body.strip() + "\n"
    return pieces[0].strip(), sections


class Document:
    def __init__(self, path, parts, introduction):
        self.path, self.parts, self.introduction = path, parts, introduction

    def check(self):
        """Refuses a file in which these figures have no place, before any is measured."""
        if not self.path.exists():
            return
        text = self.path.read_text(encoding="utf-8")
        if BEGIN not in text or END not in text:
            raise Failure(f"{self.path}: the lines '{BEGIN}' and '{END}' are not both there")
        heading = self.introduction.split("\n", 1)[0]
        if text.split("\n", 1)[0] != heading:
            # Figures of one device shall not stand below the name of another.
            raise Failure(f"{self.path} begins with '{text[:200].splitlines()[0]}', where "
                          f"'{heading}' is to be: name another file with --output")

    def has(self, part, batch):
        return self.path.exists() and mark(part, batch) in self.path.read_text(encoding="utf-8")

    def replace_sections(self, new):
        """Puts these sections, by part and batch, in place of the file's and keeps all others."""
        self.check()
        before, inside, after = self.introduction, "", "\n"
        if self.path.exists():
            before, rest = self.path.read_text(encoding="utf-8").split(BEGIN, 1)
            inside, after = rest.split(END, 1)
        unowned, sections = parse(inside)
        unknown = {part for part, _ in sections} - self.parts.keys()
        if unknown:
            raise Failure(f"{self.path}: unknown sections: {', '.join(sorted(unknown))}")
        if unowned:
            say(f"{self.path}: the first lines after '{BEGIN}' belong to no section and stay as "
                "they are")
        text = f"{before}{BEGIN}\n\n{self.assemble(unowned, {**sections, **new})}\n{END}{after}"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written = self.path.with_name(self.path.name + ".new")  # never half a document
        written.write_text(text, encoding="utf-8")
        os.replace(written, self.path)

    def assemble(self, unowned, sections):
        blocks = [unowned + "\n"] if unowned else []
        for part in self.parts:
            keys = sorted(key for key in sections if key[0] == part)
            if keys:
                blocks.append(self.heading(part))
            for key in keys:
                blocks.append(mark(*key) + sections[key])
        return "\n".join(blocks)

    def heading(self, part):
        title, text = self.parts[part]
        return f"<!-- part {part} -->\n## {title}\n\n{text.strip()}\n"
