"""The cache beside what it replaces; each part prints a table. --only picks one."""

import cache_eviction
import cache_hits
import cache_memory
import cache_resp
import cache_stack
import measure
import proxy

PARTS = {"hits": cache_hits, "stack": cache_stack, "resp": cache_resp, "eviction": cache_eviction,
         "memory": cache_memory}


def add_options(parser):
    proxy.add_options(parser)  # of hits; the rounds also of stack and resp
    parser.add_argument("--requests", type=int, default=20000, help="of each run of ab")


if __name__ == "__main__":
    measure.run_parts("cache", __doc__, PARTS, add_options)
