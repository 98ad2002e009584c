"""What counting and its page cost; each part prints a table. --only picks one."""

import measure
import metrics_cost
import metrics_counters
import metrics_paths
import metrics_prom
import metrics_scrape

PARTS = {"counters": metrics_counters, "cost": metrics_cost, "scrape": metrics_scrape,
         "paths": metrics_paths, "prom": metrics_prom}


def add_options(parser):
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=10000, help="of each run of ab")


if __name__ == "__main__":
    measure.run_parts("metrics", __doc__, PARTS, add_options)
