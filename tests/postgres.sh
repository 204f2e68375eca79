# A private PostgreSQL, for scripts that source this.

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

# PostgreSQL refuses to run as root.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Starts a private cluster on 127.0.0.1, with the settings given besides; it is gone when the
# shell ends. Sets postgres_url, postgres_bin and cluster.
start_postgres() {
    local port
    postgres_bin=$(server_bin)
    if [ -z "$postgres_bin" ]; then install_postgres; postgres_bin=$(server_bin); fi
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
