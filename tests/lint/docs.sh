#!/bin/bash
# Every key of the configuration tables stands in docs/configuration.md, every command of gwctl in
# docs/commands.md.
set -euo pipefail

failed=0
rows() { # rows <pattern> <file...>: what its first group matched, once each
    sed -nE "s/.*$1.*/\1/p" "${@:2}" | sort -u
}
need() { # need <document> <what> <names...>
    local document=$1 what=$2 name
    if (($# < 3)); then
        echo "no $what found: has the form of the tables changed?"
        failed=1
    fi
    for name in "${@:3}"; do
        grep -qE "\`(gwctl )?${name}[\` ]" "$document" && continue
        echo "$document: $what $name is missing"
        failed=1
    done
}

mapfile -t keys < <(rows '\{"([a-z_]+)", KEY_' common/*_config.c)
mapfile -t commands < <(rows '^ *\{"([a-z ]+)", (NULL|ALIASES)' supervisor/cli/commands.c)
need docs/configuration.md key "${keys[@]}"
need docs/commands.md command "${commands[@]}"
exit "$failed"
