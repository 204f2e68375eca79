# A private PostgreSQL, for scripts that source this.

. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

server_bin() {
    local dir
    if [ -n "${TEST_POSTGRES_BIN:-}" ]; then echo "$TEST_POSTGRES_BIN"; return; fi
    for dir in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin 2>/dev/null | sort -rV); do
        if [ -x "$dir/initdb" ]; then echo "$dir"; return; fi
    done
    if command -v initdb >/dev/null; then dirname "$(command -v initdb)"; fi
}

has_server() { [ -n "$(server_bin)" ]; }

need_postgres() {
    need has_server "PostgreSQL 14 or newer" \
        postgresql "postgresql-server postgresql" postgresql postgresql postgresql
}

# PostgreSQL refuses to run as root.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Starts a private cluster on 127.0.0.1, with the settings given besides; it is gone when the
# shell ends. Sets postgres_url, postgres_bin and cluster.
start_postgres() {
    local port
    need_postgres
    install_needed
    postgres_bin=$(server_bin)
    cluster=$(mktemp -d "${TMPDIR:-/tmp}/tidewatch-test.XXXXXX")
    if [ "$(id -u)" = 0 ]; then chown postgres "$cluster"; fi
    unprivileged "$postgres_bin/initdb" -D "$cluster/data" -U tidewatch -A trust -E UTF8 --no-locale -N \
        >"$cluster.log" 2>&1 || { cat "$cluster.log" >&2; exit 1; }
    stop_postgres() {
        unprivileged "$postgres_bin/pg_ctl" -D "$cluster/data" -m immediate stop >/dev/null 2>&1 || true
        rm -rf "$cluster" "$cluster.log"
    }
    trap stop_postgres EXIT
    # A port may be taken between choosing and binding: try a few.
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        if unprivileged "$postgres_bin/pg_ctl" -D "$cluster/data" -w -t 60 -l "$cluster/log" \
            -o "-p $port -k $cluster -h 127.0.0.1 $*" start >/dev/null 2>&1; then
            postgres_url="postgres://tidewatch@127.0.0.1:$port/postgres"
            return
        fi
    done
    cat "$cluster/log" >&2 || true
    echo "PostgreSQL does not start; its log is above" >&2
    exit 1
}
