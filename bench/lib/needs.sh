# What the measurements need from Debian: sourced by bench/*/run.

# Sets the array `missing` to the packages that are not installed.
find_missing_packages() {
    missing=()
    command -v wrk >/dev/null || missing+=(wrk)
    command -v haproxy >/dev/null || missing+=(haproxy)
    command -v nginx >/dev/null || missing+=(nginx)
    [ -e /usr/lib/nginx/modules/ngx_stream_module.so ] || missing+=(libnginx-mod-stream)
    command -v python3 >/dev/null || missing+=(python3-minimal)
}

# Installs them when we are root, else says how to, and ends.
install_bench_needs() {
    find_missing_packages
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        echo "Missing: ${missing[*]}. Install them with: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    echo "Installing ${missing[*]} from the distribution ..." >&2
    apt-get update -qq
    # RUNLEVEL=1 keeps the packages from starting their services: only the copies started here are measured.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
