"""The parts of scripts/bench: each measures one section of the document and gives its text."""
import csv
import datetime
import json
import os
import pathlib
import platform
import tempfile

import bench_cases as cases_of
import bench_methods as methods
import bench_tables as tables
from bench_process import (CONVOY, ROOT, TORCH, Failure, Runner, available_memory, commit,
                           processor, say, version)

REST_BENCH = ROOT / "build/bin/convoy_rest_bench"
PRODUCT = (1500, 3200, 12500)  # of conv2 of 500:1500 at batch 32, unrolled
SQUARE = (4096, 4096, 4096)
BUSY = 0.05  # of the cores' time in others' hands: more disturbs the ratios


def plural(count, noun):
    return f"{count} {noun}{'' if count == 1 else 's'}"


def host():
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB memory, {system}"


def times(product):
    return " x ".join(map(str, product))


class Bench:
    def __init__(self, options, python):
        self.options, self.python = options, python
        self.runner = Runner(options.cores, options.timeout, options.device)
        # Who is measured beside Convoy, by the names in the tables, and what their calls get.
        self.peers = {"PyTorch": []} if python else {}
        self.with_memory = True  # whether a process' memory says what the computing takes
        self.interrupted = False
        # Its version, and its memory before it computes anything.
        self.torch = self.runner.call_json([python, TORCH, "version"]) if python else None
        self.rounds = 0    # asked of the part under way
        self.done = 0      # of them whole
        self.what = ""     # the part under way, for the terminal

    def section(self, part, batch):
        """Measures and describes; "" where nothing could be measured."""
        self.runner.reset()
        self.rounds, self.done = self.options.rounds[part], 0
        self.what = f"{part}, batch {batch}" if batch else part
        return getattr(self, part)(batch) if batch else getattr(self, part)()

    # ---- One layer, one step ---------------------------------------------------------------------

    def conv(self, batch):
        options = self.options
        if options.explicit_batch or options.explicit_layers or options.quick or batch == 128:
            cases = cases_of.paper_layers(batch, options.layers or cases_of.NETWORKS)
        else:
            cases = [cases_of.largest_layer(batch)]
        return self.layers(cases, batch)

    def vgg(self, batch):
        return self.layers(cases_of.vgg_layers(batch), batch, with_sum=True)

    def odd(self):
        return self.layers(cases_of.odd_layers(), 0)

    def random(self):
        cases = cases_of.random_layers(self.options.seed, self.options.count)
        self.measure(cases)
        if not any(case.touched() for case in cases):
            return ""
        return self.text(0, [self.provenance(cases),
                             f"{plural(len(cases), 'shape')} of seed {self.options.seed}.",
                             tables.random_table(cases), tables.verdict(cases, tables.KEYS)])

    def layers(self, cases, batch, with_sum=False):
        sgemm = cases_of.Side()
        self.measure(cases, sgemm)
        if not any(case.touched() for case in cases):
            return ""
        rates = [result["gflops"][0] for result in sgemm.results]
        lines = [self.provenance(cases)]
        if rates:
            lines.append(f"Plain SGEMM {times(self.product())} in the same rounds: "
                         f"{tables.spread(rates)} GFLOP/s.")
        lines += [tables.conv_table(cases, rates, with_sum, self.with_memory),
                  tables.verdict(cases, tables.KEYS)]
        return self.text(batch, lines)

    def step(self, batch):
        networks = self.options.layers or cases_of.NETWORKS
        cases = [cases_of.step_case(batch, network) for network in networks]
        self.measure(cases)
        if not any(case.touched() for case in cases):
            return ""
        return self.text(batch, [self.provenance(cases),
                                 tables.step_table(cases, self.with_memory),
                                 tables.verdict(cases, {"step_ms": ""})])

    def measure(self, cases, sgemm=None):
        """Takes turns until all rounds are done or somebody stops it."""
        def ours(case):
            return self.runner.convoy(case, self.options.seconds)

        def theirs(case, extra):
            return self.runner.torch(case, self.options.seconds, self.python, self.options, extra)

        for case in cases:
            case.peers = {peer: cases_of.Side() for peer in self.peers}
            needed, free = case.memory, available_memory()
            if needed > free:
                for side in case.sides():
                    side.failure = (f"skipped: needs about {needed / 2**30:.0f} GiB, "
                                    f"{free / 2**30:.0f} GiB free")
                say(f"{case.title}, batch {case.batch}: {case.ours.failure}")

        def one_round(number):
            for case in cases:
                turns = [(case.ours, ours, case)]
                turns += [(case.peers[peer], theirs, case, extra)
                          for peer, extra in self.peers.items()]
                if not all(side.failure for side, *_ in turns):
                    self.say_round(number, case.title)
                for side, *call in turns if number % 2 == 0 else reversed(turns):
                    self.attempt(side, *call)
            if sgemm is not None and not sgemm.failure:
                self.say_round(number, "plain SGEMM")
                self.attempt(sgemm, self.sgemm)

        self.take_rounds(one_round)

    def sgemm(self):
        return self.runner.sgemm(*self.product())

    def attempt(self, side, call, *arguments):
        """One more result for a side that has not failed; what fails once is not asked again."""
        if side.failure:
            return
        try:
            side.results.append(call(*arguments))
        except Failure as failure:
            side.failure = failure.short
            say(str(failure))

    def take_rounds(self, one_round):
        try:
            for number in range(self.rounds):
                one_round(number)
                self.done += 1
        except KeyboardInterrupt:
            self.interrupted = True
            say("Interrupted: keeping what was measured")

    def say_round(self, number, title):
        say(f"{self.what}, round {number + 1} of {self.rounds}: {title}")

    def product(self):
        return (300, 640, 2500) if self.options.quick else PRODUCT

    # ---- Several devices -------------------------------------------------------------------------

    def devices(self, batch):
        networks = self.options.layers or [(300, 1000), (500, 1500)]
        ways = {"paper's": {}, "fused, resident": {"fuse_pooling": True, "resident_kernels": True}}
        cases = {("{}:{}".format(*network), way): network for network in networks for way in ways}
        runs = {case: cases_of.Side() for case in cases}

        def one_round(number):
            for case, network in cases.items():
                self.say_round(number, ", ".join(case))
                self.attempt(runs[case], self.run_two_devices, network, batch, ways[case[1]])

        self.take_rounds(one_round)
        if not any(side.touched() for side in runs.values()):
            return ""
        return self.text(batch, [self.provenance(), tables.devices_table(runs)])

    def run_two_devices(self, network, batch, distribution):
        first, second = sorted(self.options.cores)[:2]
        experiment = {
            "name": "two one-core devices",
            "dataset": {"kind": "synthetic", "train_limit": 10 * batch, "test_limit": batch},
            "network": {"kernels": list(network), "kernel_size": 5, "padding": "valid"},
            "training": {"batch_size": batch, "steps": 6},
            "devices": [{"id": f"cpu:{first}"}, {"id": f"cpu:{second}"}],
            "distribution": distribution,
            "baseline": "fastest",
        }
        with tempfile.TemporaryDirectory() as folder:
            path, out = pathlib.Path(folder) / "experiment.json", pathlib.Path(folder) / "run"
            path.write_text(json.dumps(experiment), encoding="utf-8")
            self.runner.call([CONVOY, "run", path, "--out", out, "--quiet"])
            with open(out / "summary.csv", newline="", encoding="utf-8") as file:
                return next(csv.DictReader(file))

    # ---- Methods and predictions -----------------------------------------------------------------

    def methods(self, batch):
        network = (self.options.layers or [(500, 1500)])[-1]
        convoys = [methods.MethodRuns(self.runner, batch, network, title)
                   for title in methods.CONVOYS]

        def one_round(number):
            for convoy in convoys:
                self.say_round(number, convoy.title)
                convoy.one_round()

        self.take_rounds(one_round)
        return self.text(batch, [self.provenance(), methods.methods_table(convoys)])

    def predict(self, batch):
        runs = methods.PredictionRuns(self.runner, self.options.cores, batch,
                                      self.options.layers or [(50, 500), (300, 1000)])

        def one_round(number):
            self.say_round(number, "two one-core devices")
            runs.one_round()

        self.take_rounds(one_round)
        return self.text(batch, [self.provenance(), methods.prediction_table(runs)])

    # ---- Where the time goes, and what the machine can do ----------------------------------------

    def phases(self):
        cases = [cases_of.largest_layer(batch) for batch in self.options.batches["phases"]]

        def ours(case):
            result = self.runner.convoy(case, self.options.seconds, ["--algorithm", "fft"])
            if "phases_ms" not in result:
                raise Failure("this build's `convoy bench conv --json` tells no phases_ms",
                              "tells no phases")
            return result

        def one_round(number):
            for case in cases:
                if not case.ours.failure:
                    self.say_round(number, f"batch {case.batch}")
                self.attempt(case.ours, ours, case)

        self.take_rounds(one_round)
        if not any(case.ours.results for case in cases):
            return ""
        return self.text(0, [self.provenance(cases, torch=False), tables.phases_table(cases)])

    def machine(self):
        products = [SQUARE, PRODUCT] if not self.options.quick else [(512, 512, 512)]
        all_cores, one_core = self.options.cores, {min(self.options.cores)}
        measured = [(product, cores, cases_of.Side()) for product in products
                    for cores in ([one_core, all_cores] if len(all_cores) > 1 else [all_cores])]
        bandwidth = cases_of.Side()

        def one_round(number):
            for product, cores, side in measured:
                self.say_round(number, f"SGEMM, {plural(len(cores), 'core')}")
                self.attempt(side, self.runner.sgemm, *product, cores)
            self.say_round(number, "memory bandwidth")
            self.attempt(bandwidth, self.rest_bench, ["50,500"], 1)

        self.take_rounds(one_round)
        rates = [(times(product), len(cores), side.results)
                 for product, cores, side in measured if side.results]
        lines = [self.provenance(), self.hardware([side for *_, side in measured])]
        if rates:
            lines.append(tables.sgemm_table(rates))
        lines.append(tables.bandwidth_table(bandwidth.results) if bandwidth.results else
                     f"Memory bandwidth: not measured ({bandwidth.failure or 'interrupted'}).")
        return self.text(0, lines) if rates or bandwidth.results else ""

    def rest(self):
        networks = [f"{first},{second}" for first, second in
                    self.options.layers or [(300, 1000), (500, 1500)]]
        batch = (self.options.batch or [128])[0]
        side = cases_of.Side()

        def one_round(number):
            if not side.failure:
                self.say_round(number, ", ".join(networks))
            self.attempt(side, self.rest_bench, networks, batch)

        self.take_rounds(one_round)
        if not side.results:
            return ""
        return self.text(0, [self.provenance(torch=False), tables.rest_table(side.results)])

    def rest_bench(self, networks, batch):
        if not REST_BENCH.exists():
            raise Failure("convoy_rest_bench is not in this build", "no convoy_rest_bench")
        named = [text for network in networks for text in ("--network", network)]
        cores = ",".join(str(core) for core in sorted(self.options.cores))
        return self.runner.call_json([REST_BENCH, *named, "--batch", batch, "--cores", cores, "--json"])

    # ---- What stands beside the figures ----------------------------------------------------------

    def text(self, batch, blocks):
        title = [f"### Batch {batch}"] if batch else []
        return "\n\n".join(title + [block for block in blocks if block]) + "\n"

    def provenance(self, cases=(), torch=True):
        """When, on what and how a section was measured, and how quiet the machine was."""
        options = self.options
        build = ", build not renewed" if options.no_build else ""
        parts = [f"Measured on {datetime.date.today().isoformat()} on {self.computer()}",
                 f"Convoy {version()}, commit {commit()}{build}"]
        foreign = self.runner.foreign_share()
        if torch and cases and self.peers:
            variants = [text for wanted, text in [(options.channels_last, "channels last"),
                                                  (options.keep_memory, "keeping freed memory")]
                        if wanted]
            parts.append(", ".join([self.pytorch(), *variants]))
        rounds = plural(self.rounds, "round")
        if self.done < self.rounds:
            rounds = f"interrupted after {self.done} of {rounds}"
        if cases:
            counts = [case.repetitions(options.seconds) for case in cases]
            least, most = min(counts), max(counts)
            rounds += f" of {'' if least == most else f'{least} to '}{plural(most, 'repetition')}"
        parts += [rounds, f"other processes took {foreign:.1%} of the cores' time"]
        text = "; ".join(parts) + "."
        if foreign > BUSY:
            say(f"The machine was busy: other processes took {foreign:.0%} of the cores' time")
            text += (" **The machine was busy.** Threads that wait for one another lose most by that, "
                     "PyTorch's more than Convoy's: do not use these figures.")
        return text

    def computer(self):
        return f"{processor()}, {len(self.options.cores)} of {os.cpu_count()} cores"

    def pytorch(self):
        return f"PyTorch {self.torch['version']}"

    def hardware(self, sgemms):
        lines = [f"- {host()}"]
        library = next((side.results[0]["library"] for side in sgemms if side.results), None)
        if library:
            lines.append(f"- {library}")
        _, bare = self.runner.call([CONVOY, "--version"])
        lines.append(f"- Convoy's process takes {bare / 1e6:.0f} MB before it computes anything")
        if self.python:
            lines.append(f"- {self.pytorch()}; its process takes "
                         f"{self.torch['peak_rss_bytes'] / 1e6:.0f} MB before it computes anything")
        return "\n".join(lines)
