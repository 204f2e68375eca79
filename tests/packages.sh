# Installs programs from the distribution's packages, for scripts that source this: they name all
# they need with `need`, then call `install_needed` once.

# Seconds that a package manager at work elsewhere is waited for.
lock_timeout=600

missing=()
packages=()

die() { echo "$0: $*" >&2; exit 1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

package_manager() {
    local name
    for name in apt-get dnf apk pacman brew; do
        if command -v "$name" >/dev/null; then echo "$name"; return; fi
    done
}

# need CHECK NAME APT DNF APK PACMAN BREW: where the command CHECK fails, NAME is missing, and these
# packages have it; "" stands for none.
need() {
    if $1 >/dev/null 2>&1; then return; fi
    missing+=("$1" "$2")
    case $(package_manager) in
        apt-get) packages+=($3) ;;
        dnf) packages+=($4) ;;
        apk) packages+=($5) ;;
        pacman) packages+=($6) ;;
        brew) packages+=($7) ;;
    esac
}

# apt-get does not wait for the lock of its package lists.
update_lists() {
    local said waited=0
    until said=$(LC_ALL=C as_root apt-get -qq -o Acquire::http::Timeout=20 update 2>&1); do
        if [[ $said != *"Could not get lock"* ]] || ((waited >= lock_timeout)); then
            echo "$said"
            return 1
        fi
        sleep 5
        waited=$((waited + 5))
    done
}

install_packages() {
    case $(package_manager) in
        apt-get)
            update_lists
            # Packages of servers do not start them in this runlevel.
            as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -y \
                -o DPkg::Lock::Timeout=$lock_timeout install --no-install-recommends "$@" >/dev/null
            ;;
        dnf) as_root dnf -q -y install "$@" ;;
        apk) as_root apk -q --wait $lock_timeout add "$@" ;;
        pacman) as_root pacman -Sy --noconfirm --quiet "$@" ;;
        brew) brew install -q "$@" ;;
        *) return 1 ;;
    esac
}

# Installs what is missing; ends the script, with all that cannot be had, before anything is built.
install_needed() {
    local i absent=()
    if [ ${#missing[@]} = 0 ]; then return; fi
    if [ ${#packages[@]} != 0 ]; then
        echo "installing ${packages[*]}" >&2
        install_packages "${packages[@]}" >&2 || true
    fi
    for ((i = 0; i < ${#missing[@]}; i += 2)); do
        ${missing[i]} >/dev/null 2>&1 || absent+=("${missing[i + 1]}")
    done
    if [ ${#absent[@]} != 0 ]; then
        die "needs what cannot be installed here: $(IFS=,; echo "${absent[*]}")"
    fi
    missing=() packages=()
}
