"""Hit ratios of the store, beside models of SIEVE, W-TinyLFU and LRU, on the same traces.

200,000 keys, 2 million requests each, values of one size: all hold the same number of keys, given
as a share of all keys. The scan and the loop read other keys too.
"""

import os
import subprocess

import measure
from measure import Failed


def build():
    done = subprocess.run(["cmake", "--build", "--preset", "release", "--target",
                           "bench-eviction"], cwd=measure.ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f"bench-eviction: {done.stdout}")


def with_best_bold(fields):
    trace, cache, *ratios = fields
    best = max(map(float, ratios))
    shown = (f"{100 * float(ratio):.1f} %" for ratio in ratios)
    return [trace, cache, *(f"**{text}**" if float(ratio) == best else text
                            for text, ratio in zip(shown, ratios))]


def run(_options):
    build()
    done = subprocess.run([os.path.join(measure.BIN, "bench-eviction")], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(done.stdout)
    header, *rows = (line.split("\t") for line in done.stdout.splitlines())
    measure.print_table(header, [with_best_bold(fields) for fields in rows])
