#!/usr/bin/env bash
# Measures the usual questions to an archive of 10 million snapshots, on SQLite and on a private
# PostgreSQL that is gone afterwards; takes some minutes and 4 GB. Arguments go to the benchmark:
# `bash benches/questions.sh --help`.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/postgres.sh

cargo build --locked --release --bench questions
# With fsync and nothing else that anybody would not have; checkpoints come when they are asked for.
start_postgres -c fsync=on -c max_wal_size=16GB -c checkpoint_timeout=1h
cargo bench --quiet --locked --bench questions -- --postgres "$postgres_url" "$@"
