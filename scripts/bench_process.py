"""Runs the measured programs for scripts/bench and describes the machine that they ran on."""
import functools
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONVOY = ROOT / "build/bin/convoy"
TORCH = ROOT / "scripts/bench_torch.py"
SGEMM = ROOT / "scripts/bench_sgemm.py"
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 40), "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}


class Failure(Exception):
    """A program that did not do what it was asked; `short` fits into a table."""

    def __init__(self, message, short="failed"):
        super().__init__(message)
        self.short = short


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def busy_seconds(cores):
    """How long these cores have worked since the machine started, for whomever."""
    ticks = 0
    for line in pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            user, nice, system, _, _, irq, softirq, steal = (int(field) for field in fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")


@functools.cache
def blas_kernels():
    """The environment in which OpenBLAS takes for everybody the kernels that Convoy has it take."""
    found = subprocess.run([CONVOY, "devices", "--json"], capture_output=True, check=False)
    if found.returncode != 0:
        return {}
    for device in json.loads(found.stdout):
        if device["backend"].startswith("OpenBLAS"):
            return {"OPENBLAS_CORETYPE": device["driver"].removesuffix(" kernels")}
    return {}


def available_memory():
    """Bytes that new processes may use."""
    info = dict(line.split(":", 1) for line in
                pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    available = 1024 * int(info["MemAvailable"].split()[0])
    limit = pathlib.Path("/sys/fs/cgroup/memory.max")  # of a container
    text = limit.read_text(encoding="ascii").strip() if limit.exists() else "max"
    return available if text == "max" else min(available, int(text))


class Runner:
    """Calls programs one at a time on these cores, and notes who else used them meanwhile."""

    def __init__(self, cores, timeout, device=None):
        self.cores, self.timeout = cores, timeout
        # Convoy's: these cores, or an OpenCL device.
        self.device = device or f"cpu:{','.join(str(core) for core in sorted(cores))}"
        self.reset()

    def reset(self):
        self.core_seconds = self.foreign_seconds = 0.0

    def foreign_share(self):
        """The part of the cores' time that went to other processes during the calls."""
        return max(0.0, self.foreign_seconds / self.core_seconds) if self.core_seconds else 0.0

    def call(self, arguments, cores=None, environment=None):
        """Returns the program's standard output and its largest resident set in bytes."""
        arguments = [str(argument) for argument in arguments]
        cores = cores or self.cores

        def prepare():  # in the child
            os.sched_setaffinity(0, cores)
            # Where memory runs out, this process shall go, not what has been measured.
            pathlib.Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")

        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            start, busy = time.monotonic(), busy_seconds(cores)
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=errors, preexec_fn=prepare, start_new_session=True,
                                       env={**blas_kernels(), **os.environ,
                                            **(environment or {})})
            late = threading.Event()
            timer = threading.Timer(self.timeout, lambda: (late.set(), process.kill()))
            timer.start()
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:  # Ctrl-C, above all
                process.kill()
                process.wait()
                raise
            finally:
                timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            self.core_seconds += len(cores) * (time.monotonic() - start)
            own = usage.ru_utime + usage.ru_stime
            self.foreign_seconds += busy_seconds(cores) - busy - own
            output.seek(0)
            errors.seek(0)
            if process.returncode != 0:
                how = self.outcome(process.returncode, late.is_set())
                raise Failure(f"{' '.join(arguments)}: {how}\n{errors.read().strip()}", how)
            return output.read(), usage.ru_maxrss * 1024

    def outcome(self, code, late):
        if late:
            return f"stopped after {self.timeout:g} s"
        if code == -signal.SIGKILL:
            return "killed (out of memory?)"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def call_json(self, arguments, cores=None, environment=None):
        text, memory = self.call(arguments, cores, environment)
        try:
            result = json.loads(text)
        except json.JSONDecodeError as error:
            raise Failure(f"{arguments[0]}: no JSON: {error}", "no JSON") from error
        result["peak_rss_bytes"] = memory
        return result

    def convoy(self, case, seconds, extra=()):
        return self.call_json([CONVOY, "bench", case.command, "--device", self.device,
                               *case.arguments(seconds), *extra, "--json"])

    def torch(self, case, seconds, python, options, extra=()):
        layout = ["--channels-last"] if options.channels_last else []
        return self.call_torch(python, [case.command, *case.arguments(seconds), *layout, *extra],
                               KEEP_MEMORY if options.keep_memory else None)

    def call_torch(self, python, arguments, environment=None):
        result = self.call_json([python, TORCH, *arguments], environment=environment)
        if "failure" in result:
            raise Failure(f"{result['failure']}: {result['reason']}", result["failure"])
        return result

    def sgemm(self, m, n, k, cores=None):
        return self.call_json([sys.executable, SGEMM, "--m", m, "--n", n, "--k", k,
                               "--repeat", "1"], cores)


def python_with_torch(named):
    for python in [named] if named else [sys.executable, "/usr/bin/python3"]:
        try:
            found = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False)
        except OSError as error:
            raise Failure(f"{python}: {error.strerror}") from error
        if found.returncode == 0:
            return python
    if named:
        raise Failure(f"{named} has no PyTorch")
    return None


# ---- The machine and the program ----------------------------------------------------------------

def first_line(arguments):
    if not shutil.which(arguments[0]):
        return "unknown"
    found = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return found.stdout.splitlines()[0] if found.returncode == 0 else "unknown"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def commit():
    """The checkout's commit; documentation may differ from it, nothing else."""
    text = first_line(["git", "-C", str(ROOT), "describe", "--always"])
    changed = subprocess.run(["git", "-C", str(ROOT), "diff", "--quiet", "HEAD", "--", ".",
                              ":(exclude)docs"], capture_output=True, check=False)
    return text + ("-dirty" if changed.returncode == 1 else "")


def version():
    return first_line([str(CONVOY), "--version"]).removeprefix("convoy ")
