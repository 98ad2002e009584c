#!/bin/bash
# cppcheck finds nothing in the programs.
set -euo pipefail
source tests/support/tree.bash
skip_without cppcheck

# - normalCheckLevelMaxBranches and missingIncludeSystem are notes about cppcheck itself.
# - With the library's headers unread, it takes their types and macros for unknown.
mapfile -t sources < <(tree_files 'common/*.c' 'gateway/*.c' 'cachesvc/*.c' 'metricsd/*.c' \
    'supervisor/*.c')
((${#sources[@]})) || exit 0
cppcheck --quiet -j2 --std=c11 --language=c --enable=warning,performance,portability \
    --inline-suppr --error-exitcode=1 --max-configs=1 -D_GNU_SOURCE -DGWCTL_VERSION='"0"' -I. \
    --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=normalCheckLevelMaxBranches \
    "${sources[@]}"
