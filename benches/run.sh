#!/usr/bin/env bash
# Measures how fast answers become rows, on SQLite and on a private PostgreSQL that is gone
# afterwards, beside the floor and, where Python is there, beside other programs, whose packages
# are put below target/. Arguments go to the benchmark: `bash benches/run.sh --help`.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/postgres.sh

# Empty where there is no Python, or its packages cannot be had.
peers_python() {
    local venv=target/bench-peers
    if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv" >&2 || return 0; fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r benches/peers/requirements.txt >&2 || return 0
    echo "$PWD/$venv/bin/python"
}

cargo build --locked --release --bench pipeline
# With fsync, as anybody would run it, and the same compression for everyone's documents.
start_postgres -c fsync=on -c default_toast_compression=lz4 -c max_wal_size=4GB
python=$(peers_python)
cargo bench --quiet --locked --bench pipeline -- --postgres "$postgres_url" --cluster "$cluster" \
    ${python:+--python "$python"} "$@"
