#!/bin/sh
# Writes the lock files from the .in files: one universal lock, with hashes, for Python 3.11 and newer.
# Usage: requirements/lock.sh [--upgrade]      (needs `uv`; the development environment has it)
set -eu
cd "$(dirname "$0")"
for layer in base jobs servers s3 dev; do
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-annotate --output-file "$layer.txt" "$layer.in" "$@"
done
