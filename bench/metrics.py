"""What counting and its page cost; each part prints a table. --only picks one."""

import argparse
import os
import sys

import measure
import metrics_cost
import metrics_counters
import metrics_prom
import metrics_scrape
from measure import Failed

PARTS = {"counters": metrics_counters, "cost": metrics_cost, "scrape": metrics_scrape,
         "prom": metrics_prom}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench metrics",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="this part alone")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=10000, help="of each run of ab")
    options = parser.parse_args()
    if os.cpu_count() < 2:
        raise Failed("two CPUs are needed: one for the gateway, one for the load")
    print(measure.machine() + "\n")
    for name in [options.only] if options.only else PARTS:
        print(f"## {name}: {PARTS[name].__doc__}", flush=True)
        PARTS[name].run(options)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"bench: {failure}")
