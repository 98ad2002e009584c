#!/bin/bash
# What must not stand in the tree: notes of unfinished work, unresolved conflicts, paths of one
# machine, addresses of package registries, and papers that are not part of it. (The brackets keep
# this file from finding itself.)
set -euo pipefail
source tests/support/tree.bash

failed=0
forbid() {
    local what=$1 pattern=$2 found
    found=$(tree_files '*' | xargs -r -d '\n' grep -nHIE -- "$pattern" || true)
    [[ -z $found ]] && return
    echo "$what:"
    echo "$found" | cut -c1-200
    failed=1
}

forbid 'unfinished work' '\b(TO[D]O|FIX[M]E|XX[X])\b'
forbid 'a path of one machine' '(^|[^[:alnum:]_.~/-])/(ho[m]e|Us[e]rs|ro[o]t|wo[r]k)/[[:alnum:]_.-]'
forbid 'a conflict of a merge' '^([<]{7}|[>]{7})( |$)'
forbid 'a package registry' '(regi[s]try\.(npm|yarn)|npmj[s]\.(com|org)|py[p]i\.org|pythonhos[t]ed\.org)'
forbid 'a paper that is not in the tree' '\b(DESIG[N]|STYL[E]\.md|RULING[S])\b'
exit "$failed"
