#!/bin/bash
# Every C file is as clang-format writes it.
set -euo pipefail
source tests/support/tree.bash
skip_without clang-format

tree_files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror
