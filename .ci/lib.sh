# shellcheck shell=bash
# Shared by the scripts in .ci: where things are, how steps are told, how system packages are asked for.
# To be sourced, after `set -euo pipefail`. Set-up scripts speak on stderr, so that stdout can carry values.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Tools that are built once per machine, by version, so that a second clone finds them.
cache=${LATCHKEY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/latchkey}
cargo_leptos_version=0.3.10

# The version that Cargo.lock says; the command line tool must be its exact twin.
wasm_bindgen_version() {
    awk '/^name = "wasm-bindgen"$/ { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}

cargo_leptos_home=$cache/cargo-leptos-$cargo_leptos_version
wasm_bindgen_home=$cache/wasm-bindgen-$(wasm_bindgen_version)
export PATH="$root/node_modules/.bin:$cargo_leptos_home/bin:$wasm_bindgen_home/bin:$PATH"

say() { printf '   %s\n' "$*" >&2; }
die() {
    printf '\nStopped: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# took START_SECONDS: the time since then, for people.
took() {
    local s=$((SECONDS - $1))
    if ((s >= 60)); then printf '%d min %02d s' $((s / 60)) $((s % 60)); else printf '%d s' "$s"; fi
}

# with_lock NAME COMMAND...: two clones that prepare themselves at once must not write the same file.
with_lock() {
    mkdir -p "$cache"
    local name=$1
    shift
    (
        flock 9
        "$@"
    ) 9>"$cache/$name.lock"
}

# debian_install WHY PACKAGE...: installs where it may, says what to do where it may not.
debian_install() {
    local why=$1 as=()
    shift
    have apt-get || die "$why is missing. Please install it (Debian calls it: $*) and try again."
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || die "$why is missing, and installing it needs an administrator. Please run: sudo apt-get install $*"
        as=(sudo -n)
    fi
    say "installing $* with apt-get"
    local log
    log=$(mktemp)
    if ! "${as[@]}" env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update -qq; apt-get install -y -qq --no-install-recommends "$@"' sh "$@" </dev/null >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        die "$why could not be installed. Please install it (Debian calls it: $*) and try again."
    fi
    rm -f "$log"
}

# Steps: each has a name, a verdict and a time; `summary` shows them all at the end.
steps=()
failed=0

# step NAME COMMAND...: runs it, goes on after a failure, remembers both.
step() {
    local name=$1 start=$SECONDS verdict=ok code=0
    shift
    printf '\n== %s\n' "$name"
    "$@" || code=$?
    if ((code != 0)); then
        verdict=FAILED
        failed=$((failed + 1))
    fi
    steps+=("$(printf '%-7s %-34s %s' "$verdict" "$name" "$(took "$start")")")
    printf '== %s: %s, %s\n' "$name" "$verdict" "$(took "$start")"
    return "$code"
}

# not_run NAME WHY: a step that cannot be run is a failure, never a silence.
not_run() {
    failed=$((failed + 1))
    steps+=("$(printf '%-7s %-34s %s' 'NOT RUN' "$1" "$2")")
}

summary() {
    printf '\n'
    printf '%s\n' "${steps[@]}"
    printf '%-7s %-34s %s\n' '' 'all together' "$(took 0)"
}
