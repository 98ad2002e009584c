"""Nanoseconds of one update of a column of the metrics page, the best of five rounds of 20 million.
"""

import os
import subprocess
import sys

import measure


def run(_options):
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "bench-counters"],
                   cwd=measure.ROOT, stdout=sys.stderr, check=True)
    lines = subprocess.run([os.path.join(measure.BIN, "bench-counters")], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    header, *rows = [line.split("\t") for line in lines]
    measure.print_table(header, rows)
