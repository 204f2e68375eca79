#!/usr/bin/env bash
# Measures how fast answers become rows, on SQLite and on a private, temporary PostgreSQL, compared with
# the floor and, if Python is available, with other programs, whose packages are installed below target/.
# Arguments are passed to the benchmark: `bash benches/run.sh --help`.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/postgres.sh

# Empty if Python or its packages are unavailable.
peers_python() {
    local venv=target/bench-peers
    if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv" >&2 || return 0; fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r benches/peers/requirements.txt >&2 || return 0
    echo "$PWD/$venv/bin/python"
}

cargo build --locked --release --bench pipeline
# With fsync, as in production, and the same document compression for all contestants.
start_postgres -c fsync=on -c default_toast_compression=lz4 -c max_wal_size=4GB
python=$(peers_python)
cargo bench --quiet --locked --bench pipeline -- --postgres "$postgres_url" --cluster "$cluster" \
    ${python:+--python "$python"} "$@"
