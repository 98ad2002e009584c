"""The cache beside what it replaces; each part prints a table. --only picks one."""

import argparse
import os
import sys

import cache_eviction
import cache_hits
import cache_memory
import cache_resp
import cache_stack
import measure
import proxy
from measure import Failed

PARTS = {"hits": cache_hits, "stack": cache_stack, "resp": cache_resp, "eviction": cache_eviction,
         "memory": cache_memory}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench cache",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="this part alone")
    proxy.add_options(parser)  # of hits; the rounds also of stack and resp
    parser.add_argument("--requests", type=int, default=20000, help="of each run of ab")
    options = parser.parse_args()
    if os.cpu_count() < 2:
        raise Failed("two CPUs are needed: one for the cache, one for the load")
    print(measure.machine() + "\n")
    for name in [options.only] if options.only else PARTS:
        print(f"## {name}: {PARTS[name].__doc__}", flush=True)
        PARTS[name].run(options)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"bench: {failure}")
