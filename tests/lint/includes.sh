#!/bin/bash
# Who may include whom: common only common; a program its own folder and common; nobody `../`.
set -euo pipefail
source tests/support/tree.bash

failed=0
complain() {
    echo "$1:$2: $3"
    failed=1
}

# own_folder <file>: the folder whose headers a file may name without a path.
own_folder() {
    case "$1" in
    common/* | gateway/* | cachesvc/* | metricsd/*) echo "${1%%/*}" ;;
    supervisor/*/*) cut -d/ -f1,2 <<<"$1" ;;
    esac
}

check_include() {
    local file=$1 line=$2 header=$3 folder=$4
    if [[ $header == ../* || $header == */../* ]]; then
        complain "$file" "$line" "\"$header\" leaves the folder"
    elif [[ -z $folder || $header == common/* ]]; then
        return
    elif [[ $folder == common ]]; then
        complain "$file" "$line" "common includes \"$header\", which is not common's"
    elif [[ $header == */* || ! -f $folder/$header ]]; then
        complain "$file" "$line" "\"$header\" is no header of $folder or common"
    fi
}

while IFS=: read -r file line text; do
    header=${text#*\"}
    check_include "$file" "$line" "${header%%\"*}" "$(own_folder "$file")"
done < <(tree_files '*.c' '*.h' | xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"')
exit "$failed"
