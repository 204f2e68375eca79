#!/usr/bin/env bash
# Tries the program with the real peers: JustOneAPI's own Python SDK against `tidewatch simulate`,
# and the real amagi server as the provider of `tidewatch run`. Both come from their registries, in
# fixed versions, into a directory below target/; Python and Node.js come from the distribution's
# packages if they are missing. `install` as the argument does this and stops. Only the registries
# are reached, and everything listens on 127.0.0.1.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/packages.sh

peers=$PWD/tests/peers
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tidewatch-peers.XXXXXX")
export PYTHONDONTWRITEBYTECODE=1
# The settings of whoever runs this are none of the tests'.
unset JUSTONEAPI_TOKEN JUSTONEAPI_TOKEN_FILE JUSTONEAPI_BASE_URL DATABASE_URL TIDEWATCH_CONFIG \
    RUST_LOG

# Stops what still runs. Why something failed is said last, below what the servers said.
finish() {
    local status=$? running
    set +e
    running=$(jobs -pr)
    if [ -n "$running" ]; then kill $running 2>/dev/null; fi
    wait
    if [ "$status" != 0 ]; then
        tail -n 20 "$scratch"/*.log 2>/dev/null | cut -c 1-200 >&2
        cat "$scratch/reason" >&2
    fi
    rm -rf "$scratch"
}
: >"$scratch/reason"
trap finish EXIT

die() { echo "peers: $*" >"$scratch/reason"; exit 1; }

has_python() {
    python3 -c 'import ensurepip, sqlite3, sys; sys.exit(sys.version_info < (3, 10))'
}
has_node() {
    node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && npm --version
}

install_peers() {
    if [ ! -x "$python" ]; then python3 -m venv "$installed/venv"; fi
    "$python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$peers/requirements.txt" || die "pip cannot install the SDK"
    cp "$peers/package.json" "$peers/package-lock.json" "$installed/"
    npm ci --prefix "$installed" --loglevel=error --ignore-scripts --no-audit --no-fund \
        >/dev/null || die "npm cannot install amagi"
}

# Runs one of the programs beside this.
check() {
    "$python" "$peers/$1.py" "${@:2}" 2>"$scratch/reason" &
    wait $!
}

# Runs a command in the background, with what it says in a file of that name.
begin() {
    : >"$scratch/$1.log"
    "${@:2}" >>"$scratch/$1.log" 2>&1 &
    pid=$!
}

# Begins a server; sets `url` to where it listens.
serve() {
    begin "$@"
    for _ in $(seq 200); do
        url=$(grep -om1 'http://127\.0\.0\.1:[0-9]*' "$scratch/$1.log") && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    die "$1 does not listen"
}

# A simulator on a free port, whose world stands still.
simulate() {
    serve "$1" "$tidewatch" simulate --port 0 --step 0 --start "2026-03-02 00:00:00" "${@:2}"
}

# The real amagi finds its packages from the folder that it is run in.
real_amagi() {
    cd "$installed"
    exec node "$peers/amagi.mjs" "$peers/works.json" "$peers/../fixtures" "$scratch/asked"
}

check_sdk() {
    simulate simulator --truth "$scratch/truth"
    simulate failing --faults "$(check sdk faults)"
    check sdk check "$tidewatch" "$scratch/simulator.log" "$scratch/truth" "$scratch/failing.log"
}

check_run() {
    check amagi jobs "$amagi" aweme_id >"$scratch/jobs.toml"
    begin run "$tidewatch" --config "$scratch/jobs.toml" --database-url "sqlite:$scratch/run.db" run
    check amagi settle "$scratch/run.db"
    kill "$pid"
    wait "$pid" || die "the daemon ended with $?"
    check amagi check "$scratch/run.db" "$scratch/asked"
}

check_by_link() {
    local status=0
    check amagi jobs "$amagi" url >"$scratch/by-link.toml"
    "$tidewatch" --config "$scratch/by-link.toml" --database-url "sqlite:$scratch/by-link.db" \
        fetch work 7601234567890123456 >"$scratch/by-link.log" 2>&1 || status=$?
    if [ "$status" != 1 ]; then die "a look that amagi refuses ended with $status"; fi
    check amagi check-by-link "$scratch/by-link.db"
}

check_alike() {
    simulate simulated-amagi --faults "$(check alike faults)"
    check alike check "$amagi" "$url"
}

need has_python "Python 3.10 or newer, with venv and sqlite3" \
    "python3 python3-venv" python3 python3 python python
need has_node "Node.js 18 or newer, with npm" "nodejs npm" "nodejs npm" "nodejs npm" "nodejs npm" node
install_needed
mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
tidewatch=$target/debug/tidewatch
installed=$target/peers
python=$installed/venv/bin/python
mkdir -p "$installed"
install_peers
if [ "${1:-}" = install ]; then exit; fi
cargo build --locked --quiet
# From here on everything is on this machine.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

check_sdk
serve amagi real_amagi
amagi=$url
check_run
check_by_link
check_alike
echo "peers: all of it holds"
