#!/usr/bin/env bash
# Runs every test on SQLite and on PostgreSQL. Installs PostgreSQL, libfaketime, Chromium, Prometheus'
# promtool and, on Linux, systemd's checks of units from the distribution's packages if they are
# missing, and DuckDB from PyPI below target/; starts a private cluster that is gone afterwards.
# Arguments go to `cargo test`. With TEST_DATABASE_URL set, that server is used instead; servers
# that tests crash are their own, made with the programs in TEST_POSTGRES_BIN.
#
# Longer runs than the usual ones:
#   TIDEWATCH_KILLS=500 bash tests/run.sh --test it crash -- --nocapture
#   TIDEWATCH_LONG_TESTS=1 bash tests/run.sh --test it chaos -- --nocapture
#   TIDEWATCH_LONG_TESTS=1 bash tests/run.sh --release --test it large -- --nocapture
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/postgres.sh

# Installs what some tests cannot do without: they fail, and say so, where it is not to be had.
need() { install "$@" || echo "cannot install $1 here" >&2; }

faketime_library() {
    local file
    for file in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1 \
        /opt/homebrew/lib/faketime/libfaketime.1.dylib \
        /usr/local/lib/faketime/libfaketime.1.dylib; do
        if [ -e "$file" ]; then echo "$file"; return; fi
    done
}

# What the tests of clocks that jump need. Without it they fail, and say so.
find_faketime() {
    if [ -z "$(faketime_library)" ]; then
        need libfaketime faketime libfaketime libfaketime libfaketime libfaketime
    fi
    TEST_FAKETIME_LIBRARY=$(faketime_library)
    if [ -n "$TEST_FAKETIME_LIBRARY" ]; then export TEST_FAKETIME_LIBRARY; fi
}

# What the test of the unit needs. Without it that fails, and says so.
find_systemd() {
    if [ "$(uname)" = Linux ] && ! command -v systemd-analyze >/dev/null; then
        need systemd-analyze systemd systemd systemd systemd systemd
    fi
}

chromium() {
    local name
    for name in chromium chromium-browser google-chrome-stable google-chrome; do
        if command -v "$name"; then return; fi
    done
}

# What the tests of the page need. Without it they fail, and say so.
find_chromium() {
    if [ -z "$(chromium)" ]; then
        need Chromium chromium chromium chromium chromium chromium
    fi
    TEST_CHROMIUM=$(chromium)
    if [ -n "$TEST_CHROMIUM" ]; then export TEST_CHROMIUM; fi
}

# What the test of exports reads them with: DuckDB in a fixed version, below target/. Without it
# that test fails, and says so.
find_duckdb() {
    local venv
    if ! python3 -c 'import ensurepip' >/dev/null 2>&1; then
        need Python "python3 python3-venv" python3 python3 python python
    fi
    mkdir -p "${CARGO_TARGET_DIR:-target}"
    venv=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/duckdb
    if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv" || return 0; fi
    if "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --requirement tests/duckdb/requirements.txt; then
        export TEST_DUCKDB_PYTHON="$venv/bin/python"
    fi
}

# What the tests of metrics and alerts need. Without it they fail, and say so.
find_promtool() {
    if ! command -v promtool >/dev/null; then
        # Debian's package starts a server on installation, unless it is told not to.
        RUNLEVEL=1 need promtool "prometheus --no-install-recommends" golang-github-prometheus prometheus prometheus prometheus
    fi
}

find_systemd
if [ -z "${TEST_CHROMIUM:-}" ]; then find_chromium; fi
if [ -z "${TEST_DUCKDB_PYTHON:-}" ]; then find_duckdb; fi
find_promtool
if [ -z "${TEST_FAKETIME_LIBRARY:-}" ]; then find_faketime; fi
if [ -z "${TEST_DATABASE_URL:-}" ]; then
    start_postgres -c fsync=off -c max_connections=200
    export TEST_DATABASE_URL="$postgres_url" TEST_POSTGRES_BIN="$postgres_bin"
fi
export TEST_POSTGRES_BIN="${TEST_POSTGRES_BIN:-$(server_bin)}"
echo "testing on SQLite and on PostgreSQL at ${TEST_DATABASE_URL##*@}" >&2
cargo test --locked "$@"
