#!/usr/bin/env bash
# Runs every test on SQLite and on a private PostgreSQL. The machine needs Rust and a C compiler: the
# rest (PostgreSQL, Chromium, promtool, libfaketime, Python with DuckDB, systemd-analyze) is installed
# before anything is built, and the script fails at once where it cannot be. Arguments go to
# `cargo test`; `install` as the only one installs and stops.
#
# At another date, written as GNU date reads it; the databases keep the machine's:
#   TEST_DATE='+40 days' bash tests/run.sh
#   TEST_DATE='2028-02-29 12:00' bash tests/run.sh --test it crash
#
# Longer runs than the usual ones:
#   TIDEWATCH_KILLS=500 bash tests/run.sh --test it crash -- --nocapture
#   TIDEWATCH_LONG_TESTS=1 bash tests/run.sh --test it chaos -- --nocapture
#   TIDEWATCH_LONG_TESTS=1 bash tests/run.sh --release --test it large -- --nocapture
#
# Used instead of what is installed and started, where they are set: TEST_DATABASE_URL,
# TEST_POSTGRES_BIN (its programs: some tests crash servers of their own), TEST_CHROMIUM,
# TEST_DUCKDB_PYTHON, TEST_FAKETIME_LIBRARY.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/postgres.sh

faketime_library() {
    local file
    for file in "${TEST_FAKETIME_LIBRARY:-}" /usr/lib{,64,/*}/faketime/libfaketime.so.1 \
        {/opt/homebrew,/usr/local}/lib/faketime/libfaketime.1.dylib; do
        if [ -e "$file" ]; then echo "$file"; return; fi
    done
    return 1
}
browser() {
    local name
    for name in "${TEST_CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
        if command -v "$name"; then return; fi
    done
    return 1
}
has_venv() { [ -n "${TEST_DUCKDB_PYTHON:-}" ] || python3 -c 'import ensurepip'; }
has_units() { [ "$(uname)" != Linux ] || command -v systemd-analyze; }

need_postgres
need faketime_library libfaketime faketime libfaketime libfaketime libfaketime libfaketime
need browser Chromium chromium chromium chromium chromium chromium
need has_venv "Python 3 with venv" "python3 python3-venv" python3 python3 python python
need has_units systemd-analyze systemd systemd systemd systemd ""
need "command -v promtool" promtool prometheus golang-github-prometheus prometheus prometheus prometheus
install_needed

TEST_FAKETIME_LIBRARY=$(faketime_library)
TEST_CHROMIUM=$(browser)
TEST_POSTGRES_BIN=$(server_bin)
if [ -z "${TEST_DUCKDB_PYTHON:-}" ]; then
    mkdir -p "${CARGO_TARGET_DIR:-target}"
    venv=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/duckdb
    if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
    TEST_DUCKDB_PYTHON=$venv/bin/python
    "$TEST_DUCKDB_PYTHON" -m pip install --quiet --disable-pip-version-check --timeout 10 \
        --requirement tests/duckdb/requirements.txt || die "cannot install DuckDB with pip"
fi
if [ "${1:-}" = install ]; then exit; fi

if [ -z "${TEST_DATABASE_URL:-}" ]; then
    start_postgres -c fsync=off -c max_connections=200
    TEST_DATABASE_URL=$postgres_url
fi
export TEST_FAKETIME_LIBRARY TEST_CHROMIUM TEST_POSTGRES_BIN TEST_DUCKDB_PYTHON TEST_DATABASE_URL

at=()
if [ -n "${TEST_DATE:-}" ]; then
    offset=$(printf %+d $(($(date -d "$TEST_DATE" +%s) - $(date +%s))))
    faketime="'LD_PRELOAD=$TEST_FAKETIME_LIBRARY', 'FAKETIME=$offset', 'FAKETIME_DONT_FAKE_MONOTONIC=1'"
    at=(--config "target.'cfg(all())'.runner = ['env', $faketime]")
fi
echo "testing on SQLite and on PostgreSQL at ${TEST_DATABASE_URL##*@}${TEST_DATE:+, at $TEST_DATE}" >&2
cargo ${at[@]+"${at[@]}"} test --locked "$@"
