#!/usr/bin/env bash
# Runs every test on SQLite and on PostgreSQL. Installs PostgreSQL and libfaketime from the
# distribution's packages if they are missing, and starts a private cluster that is gone afterwards.
# Arguments go to `cargo test`. With TEST_DATABASE_URL set, that server is used instead.
set -euo pipefail
cd "$(dirname "$0")/.."

server_bin() {
    local dir
    for dir in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin 2>/dev/null | sort -rV); do
        if [ -x "$dir/initdb" ]; then echo "$dir"; return; fi
    done
    if command -v initdb >/dev/null; then dirname "$(command -v initdb)"; fi
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Installs a package, under its name for apt, dnf, apk, pacman and brew.
install() {
    echo "installing $1 from the distribution's packages" >&2
    if command -v apt-get >/dev/null; then
        as_root apt-get update -qq
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $2 >/dev/null
    # shellcheck disable=SC2086
    elif command -v dnf >/dev/null; then as_root dnf install -y -q $3
    elif command -v apk >/dev/null; then as_root apk add -q "$4"
    elif command -v pacman >/dev/null; then as_root pacman -S --noconfirm --quiet "$5"
    elif command -v brew >/dev/null; then brew install -q "$6"
    else return 1; fi
}

install_postgres() {
    install PostgreSQL postgresql "postgresql-server postgresql" postgresql postgresql postgresql || {
        echo "cannot install PostgreSQL here: install it (14 or newer), or set TEST_DATABASE_URL" >&2
        exit 1
    }
}

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
        install libfaketime faketime libfaketime libfaketime libfaketime libfaketime ||
            echo "cannot install libfaketime here" >&2
    fi
    TEST_FAKETIME_LIBRARY=$(faketime_library)
    if [ -n "$TEST_FAKETIME_LIBRARY" ]; then export TEST_FAKETIME_LIBRARY; fi
}

# PostgreSQL refuses to run as root.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start_postgres() {
    local port
    bin=$(server_bin)
    if [ -z "$bin" ]; then install_postgres; bin=$(server_bin); fi
    cluster=$(mktemp -d "${TMPDIR:-/tmp}/tidewatch-test.XXXXXX")
    if [ "$(id -u)" = 0 ]; then chown postgres "$cluster"; fi
    unprivileged "$bin/initdb" -D "$cluster/data" -U tidewatch -A trust -E UTF8 --no-locale -N \
        >"$cluster.log" 2>&1 || { cat "$cluster.log" >&2; exit 1; }
    stop_postgres() {
        unprivileged "$bin/pg_ctl" -D "$cluster/data" -m immediate stop >/dev/null 2>&1 || true
        rm -rf "$cluster" "$cluster.log"
    }
    trap stop_postgres EXIT
    # A port may be taken between choosing and binding: try a few.
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        if unprivileged "$bin/pg_ctl" -D "$cluster/data" -w -t 60 -l "$cluster/log" \
            -o "-p $port -k $cluster -h 127.0.0.1 -c fsync=off -c max_connections=200" start >/dev/null 2>&1; then
            export TEST_DATABASE_URL="postgres://tidewatch@127.0.0.1:$port/postgres"
            export TEST_POSTGRES_BIN="$bin"
            return
        fi
    done
    cat "$cluster/log" >&2 || true
    echo "PostgreSQL does not start; its log is above" >&2
    exit 1
}

if [ -z "${TEST_FAKETIME_LIBRARY:-}" ]; then find_faketime; fi
if [ -z "${TEST_DATABASE_URL:-}" ]; then start_postgres; fi
echo "testing on SQLite and on PostgreSQL at ${TEST_DATABASE_URL##*@}" >&2
cargo test --locked "$@"
