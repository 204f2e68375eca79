#!/usr/bin/env bash
# Measures the usual queries on an archive of 10 million snapshots, on SQLite and on a private, temporary
# PostgreSQL; takes some minutes and 4 GB. Arguments are passed to the benchmark:
# `bash benches/questions.sh --help`.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/postgres.sh

cargo build --locked --release --bench questions
# Default settings with fsync; checkpoints only on request.
start_postgres -c fsync=on -c max_wal_size=16GB -c checkpoint_timeout=1h
cargo bench --quiet --locked --bench questions -- --postgres "$postgres_url" "$@"
