#!/bin/bash
# Every test that docs/faults.md names exists: file.Class.test, below tests/integration.
set -euo pipefail

failed=0 count=0
while IFS=. read -r file class test; do
    count=$((count + 1))
    awk -v class="$class" -v test="$test" '
        /^class / { inside = $0 ~ "^class " class "[(:]" }
        inside && $0 ~ "^    def " test "\\(" { found = 1 }
        END { exit !found }' "tests/integration/$file.py" && continue
    echo "docs/faults.md: there is no $file.$class.$test"
    failed=1
done < <(grep -oE 'test_\w+\.\w+\.test_\w+' docs/faults.md | sort -u)
if ((count == 0)); then
    echo "docs/faults.md names no test"
    failed=1
fi
exit "$failed"
