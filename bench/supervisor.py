"""The supervisor beside PM2; each part prints a table. --only picks one."""

import measure
import seed
import supervisor_apps
import supervisor_logs
import supervisor_many
import supervisor_sides

PARTS = {"apps": supervisor_apps, "many": supervisor_many, "logs": supervisor_logs}


def add_options(parser):
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=10000000, help="of the part logs")


if __name__ == "__main__":
    supervisor_sides.build_idle()
    seed.install()
    measure.run_parts("supervisor", __doc__, PARTS, add_options)
