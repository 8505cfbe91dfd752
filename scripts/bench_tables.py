"""The tables of docs/benchmarks.md, as Markdown."""
from math import exp, log
from statistics import median

from bench_cases import PASSES

PASS_TITLES = {f"{name}_ms": name.replace("_", "-") for name in PASSES}
KEYS = {"step_ms": "all three", **PASS_TITLES}
NONE = "–"


def short(value, digits=3):
    return f"{value:.0f}" if value >= 100 else f"{value:.{digits}g}"


def spread(values, digits=3):
    """The median with the smallest and the largest, to so many significant digits."""
    middle = short(median(values), digits)
    if len(values) == 1:
        return middle
    return f"{middle} ({short(min(values), digits)}–{short(max(values), digits)})"


def column(results, key):
    return [float(result[key]) for result in results]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def time(side, key):
    """A program's times, or why there are none."""
    if not side.results:
        return side.failure or NONE
    text = spread(column(side.results, key))
    return f"{text}, then {side.failure}" if side.failure else text


def ratio_of(ours, theirs):
    return f"{median(theirs) / median(ours):.2f}"


def ratio(ours, peer, key):
    """How many times as long the other side takes: of the medians, and in brackets round by round."""
    ours, theirs = column(ours.results, key), column(peer.results, key)
    if not ours or not theirs:
        return NONE
    rounds = [second / first for first, second in zip(ours, theirs)]
    text = ratio_of(ours, theirs)
    return f"{text} ({min(rounds):.2f}–{max(rounds):.2f})" if len(rounds) > 1 else text


def megabytes(side):
    if not side.results:
        return NONE
    return f"{median(column(side.results, 'peak_rss_bytes')) / 1e6:.0f}"


def compared(case, key):
    """Convoy's time, then for each of its peers theirs and how many times as long that is."""
    figures = [time(case.ours, key)]
    for peer in case.peers.values():
        figures += [time(peer, key), ratio(case.ours, peer, key)]
    return figures


def compared_heads(cases):
    return ["Convoy, ms", *(text for peer in cases[0].peers
                            for text in (f"{peer}, ms", f"{peer} / Convoy"))]


def memory_heads(cases):
    return [f"{name}, MB" for name in ["Convoy", *cases[0].peers]]


def memory(case):
    return [megabytes(side) for side in case.sides()]


# ---- One layer ----------------------------------------------------------------------------------

def conv_rows(case, sgemm, with_memory):
    def direct(key, passes):
        if not case.ours.results:
            return NONE
        flops = passes * case.flops / len(PASSES)
        return f"{flops / median(column(case.ours.results, key)) / 1e6:.0f}"

    executed, share = NONE, NONE
    if case.ours.results:
        rate = median(column(case.ours.results, "executed_gflops"))
        executed = f"{rate:.0f}"
        share = f"{rate / median(sgemm):.0%}" if sgemm else NONE
    occupied = memory(case) if with_memory else []
    rows = [[case.title, "all three", *compared(case, "step_ms"), "", direct("step_ms", len(PASSES)),
             executed, share, *occupied]]
    if not any(side.results for side in case.sides()):
        return rows
    for name in PASSES:
        key = f"{name}_ms"
        algorithm = case.ours.results[-1]["algorithm"][name] if case.ours.results else ""
        rows.append(["", PASS_TITLES[key], *compared(case, key), algorithm, direct(key, 1), "", "",
                     *[""] * len(occupied)])
    return rows


def sum_rows(cases, blanks):
    """The sums of the medians over the layers that all programs did."""
    done = [case for case in cases if all(side.results for side in case.sides())]
    rows = []
    for key, title in KEYS.items() if done else []:
        ours, *theirs = (sum(median(column(side.results, key)) for side in sides)
                         for sides in zip(*(case.sides() for case in done)))
        name = f"**sum of {len(done)} layers**" if key == "step_ms" else ""
        beside = [text for one in theirs for text in (short(one), f"**{one / ours:.2f}**")]
        rows.append([name, title, short(ours), *beside] + [""] * blanks)
    return rows


def conv_table(cases, sgemm, with_sum=False, with_memory=True):
    heads = ["algorithm", "GFLOP/s", "executed", "of SGEMM"]
    heads += memory_heads(cases) if with_memory else []
    rows = [row for case in cases for row in conv_rows(case, sgemm, with_memory)]
    if with_sum:
        rows += sum_rows(cases, len(heads))
    return table(["layer", "pass", *compared_heads(cases), *heads], rows)


def random_table(cases):
    """A line for each shape, and the geometric means of the ratios."""
    peers = list(cases[0].peers)
    rows = []
    logarithms = {(peer, key): [] for peer in peers for key in KEYS}
    for case in cases:
        beside = []
        for peer, side in case.peers.items():
            beside.append(time(side, "step_ms"))
            for key in KEYS:
                ours, theirs = column(case.ours.results, key), column(side.results, key)
                beside.append(ratio_of(ours, theirs) if ours and theirs else NONE)
                if ours and theirs:
                    logarithms[peer, key].append(log(median(theirs) / median(ours)))
        names = case.ours.results[-1]["algorithm"] if case.ours.results else {}
        rows.append([case.title, time(case.ours, "step_ms"), *beside,
                     ", ".join(names.get(name, "") for name in PASSES)])
    if peers and all(logarithms.values()):
        means = []
        for peer in peers:
            values = [logarithms[peer, key] for key in KEYS]
            means += ["", *(f"**{exp(sum(one) / len(one)):.2f}**" for one in values)]
        counts = dict.fromkeys(len(logarithms[peer, "step_ms"]) for peer in peers)
        rows.append([f"**geometric mean of {' and '.join(map(str, counts))}**", "", *means, ""])
    heads = []
    for peer in peers:
        heads += [f"{peer}, ms", *(f"{peer}: {title}" if len(peers) > 1 else title
                                   for title in KEYS.values())]
    return table(["shape", "Convoy, ms", *heads, "algorithms"], rows)


def verdict(cases, keys):
    """Where Convoy was slower, by the medians: a sentence for each peer."""
    return "\n\n".join(verdict_beside(peer, cases, keys) for peer in cases[0].peers)


def verdict_beside(peer, cases, keys):
    measured, slower = 0, []
    for case in cases:
        for key, title in keys.items():
            ours, theirs = column(case.ours.results, key), column(case.peers[peer].results, key)
            if not ours or not theirs:
                continue
            measured += 1
            if median(theirs) < median(ours):
                slower.append((median(theirs) / median(ours),
                               f"{case.title}{f', {title}' if title else ''}"))
    if not measured:
        return f"Nothing to compare with {peer}."
    if not slower:
        return f"Slower than {peer} in none of {measured} comparisons."
    return f"Slower than {peer} in {len(slower)} of {measured} comparisons: " + "; ".join(
        f"{name} ({value:.2f})" for value, name in sorted(slower)) + "."


# ---- Steps, devices, phases ----------------------------------------------------------------------

def step_table(cases, with_memory=True):
    heads = memory_heads(cases) if with_memory else []
    return table(["network", *compared_heads(cases), "Convoy's convolutions, ms", *heads],
                 [[case.title, *compared(case, "step_ms"),
                   time(case.ours, "conv_ms") if case.ours.results else NONE,
                   *(memory(case) if with_memory else [])] for case in cases])


def devices_table(runs):
    names = {"baseline_step_ms": "one device, ms", "step_ms": "two devices, ms",
             "speedup": "speedup", "efficiency": "efficiency", "amdahl_limit": "Amdahl's limit"}
    rows = []
    for (network, method), side in runs.items():
        figures = [spread(column(side.results, name)) for name in names] if side.results else (
            [side.failure or NONE] + [NONE] * (len(names) - 1))
        runs = f"{len(side.results)}"
        if side.results and side.failure:
            runs += f", then {side.failure}"
        rows.append([network, method, *figures, runs])
    return table(["network", "method", *names.values(), "runs"], rows)


def phases_table(cases):
    names = list(dict.fromkeys(name for case in cases for result in case.ours.results
                               for phases in result["phases_ms"].values() for name in phases))
    rows = []
    for case in cases:
        if not case.ours.results:
            rows.append([str(case.batch), "", case.ours.failure or NONE]
                        + [NONE] * (len(names) + 1))
            continue
        for key in PASSES:
            phases = [result["phases_ms"].get(key, {}) for result in case.ours.results]
            middle = {name: median([float(one[name]) for one in phases]) for name in names
                      if all(name in one for one in phases)}
            whole = sum(middle.values())
            rows.append([str(case.batch) if key == PASSES[0] else "", PASS_TITLES[f"{key}_ms"],
                         time(case.ours, f"{key}_ms"),
                         *(f"{short(middle[name])} ({middle[name] / whole:.0%})"
                           if middle.get(name) else NONE for name in names), short(whole)])
    return table(["batch", "pass", "wall time, ms", *(f"{name}, ms" for name in names), "sum, ms"],
                 rows)


# ---- The machine and the rest of the step --------------------------------------------------------

def sgemm_table(measured):
    """Of (product, cores, results of the rounds)."""
    return table(["product", "cores", "GFLOP/s", "a core"],
                 [[name, str(cores), spread([result["gflops"][0] for result in results]),
                   short(median([result["gflops"][0] for result in results]) / cores)]
                  for name, cores, results in measured])


def device_rates_table(products, modes):
    """Of results by product and mode of computing."""
    return table(["product", *(f"{mode}, GFLOP/s" for mode in modes)],
                 [[product, *(spread([result["gflops"][0] for result in sides[mode].results])
                              if sides[mode].results else sides[mode].failure or NONE
                              for mode in modes)] for product, sides in products.items()])


def device_copies_table(results):
    titles = {"copy": "copy in its memory, reads and writes", "to_device": "from the host's memory",
              "from_device": "to the host's memory"}
    return table(["device memory", "GB/s"],
                 [[title, spread([result[name] / 1e9 for result in results])]
                  for name, title in titles.items() if name in results[0]])


def bandwidth_table(results):
    rows = []
    for i, line in enumerate(results[0]["bandwidth"]):
        def rate(key, i=i):
            return spread([result["bandwidth"][i][key] / 1e9 for result in results])
        stores = "non-temporal" if line["non_temporal"] else "cached"
        rows.append([line["mix"], NONE if line["mix"] == "read" else stores,
                     rate("bytes_per_second"), rate("bytes_per_second_with_ownership")])
    return table(["memory, reads:writes", "stores", "GB/s", "with the reads of ownership"], rows)


def rest_table(results):
    rows = []
    for i, one in enumerate(results[0]["networks"]):
        networks = [result["networks"][i] for result in results]
        title = f"{':'.join(map(str, one['kernels']))}, batch {one['batch']}"
        for j, piece in enumerate(one["pieces"]):
            pieces = [network["pieces"][j] for network in networks]
            row = [title if j == 0 else "", piece["piece"], spread(column(pieces, "ms"))]
            if "share_of_bandwidth" in piece:
                row += [f"{piece['read_bytes'] / 1e6:.1f}", f"{piece['written_bytes'] / 1e6:.1f}",
                        spread([value / 1e9 for value in column(pieces, "bytes_per_second")]),
                        piece["mix"], f"{median(column(pieces, 'share_of_bandwidth')):.0%}"]
            rows.append(row + [NONE] * (8 - len(row)))
        least = median(column(networks, "sum_ms_at_bandwidth"))
        rows.append(["", "**sum**", spread(column(networks, "sum_ms")), "", "", "",
                     f"at the bandwidth: {short(least)} ms",
                     f"page faults: {median(column(networks, 'page_faults')):.0f}"])
    return table(["network", "piece", "ms", "MB read", "MB written", "GB/s", "beside", "share of it"],
                 rows)
