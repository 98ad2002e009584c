# For the lints: the files of the tree. To be sourced; the working directory is the project's root.

# tree_files <pattern...>: tracked files and new ones that git does not ignore; without git (an
# exported tree) everything outside build/ and node_modules/.
tree_files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r file; do
            [[ -f $file ]] && printf '%s\n' "$file"
        done
    else
        local pattern expression=()
        for pattern in "$@"; do
            expression+=(-o -path "*/${pattern}")
        done
        find . \( -path ./build -o -name node_modules -o -name __pycache__ \) -prune -o \
            -type f \( "${expression[@]:1}" \) -print | sed 's|^\./||'
    fi
}

# skip_without <program>: this lint cannot run; ctest shows it as skipped.
skip_without() {
    command -v "$1" >/dev/null && return
    echo "skipped: $1 is missing"
    exit 77
}
