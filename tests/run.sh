#!/usr/bin/env bash
# Runs every test on SQLite and on PostgreSQL. Installs PostgreSQL from the distribution's
# packages if it is missing, and starts a private cluster that is gone afterwards.
# Arguments go to `cargo test`. With TEST_DATABASE_URL set, that server is used instead.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/postgres.sh

if [ -z "${TEST_DATABASE_URL:-}" ]; then
    start_postgres -c fsync=off -c max_connections=200
    export TEST_DATABASE_URL="$postgres_url" TEST_POSTGRES_BIN="$postgres_bin"
fi
echo "testing on SQLite and on PostgreSQL at ${TEST_DATABASE_URL##*@}" >&2
cargo test --locked "$@"
