# What Bascule needs from the machine, and how it gets there. Sourced by ./bascule, ./test, .ci/run and the benches:
#
#   need build test      installs what those two lack when root; otherwise prints the one command to run and exits 69
#   wish datapath        the same for what can be done without: says what is lost, and returns
#
# One line a need: who needs it | how to see that it is there | its package in Debian and Ubuntu | why.
needs='
build | library libssl.so.3                     | openssl         | the .NET SDK fetches packages over TLS
build | file /etc/ssl/certs/ca-certificates.crt | ca-certificates | the .NET SDK checks whom it fetches packages from
test  | command curl                            | curl            | tests ask the proxy with a client we did not write
test  | command tcpdump                         | tcpdump         | tests let a reader we did not write read the captures
test  | command aiosmtpd                        | python3-aiosmtpd | tests send letters to a mail server we did not write
test  | command nginx                           | nginx           | checks ask a web server we did not write, over TLS too
test  | command dnsmasq                         | dnsmasq-base    | checks and clients ask a server of datagrams we did not write
test  | command dig                             | bind9-dnsutils  | tests ask through the proxy with a DNS client we did not write
checks | command named                          | bind9           | checks ask a real name server
checks | command redis-server                   | redis-server    | checks ask a real Redis
checks | file /usr/lib/postgresql               | postgresql      | checks ask a real PostgreSQL
checks | command mariadbd                       | mariadb-server  | checks ask a real MariaDB
checks | command dovecot                        | dovecot-imapd   | checks ask a real IMAP server
checks | file /usr/lib/dovecot/pop3             | dovecot-pop3d   | checks ask a real POP3 server
checks | command vsftpd                         | vsftpd          | checks ask a real FTP server
checks | command slapd                          | slapd           | checks ask a real directory
checks | command freeradius                     | freeradius      | checks ask a real RADIUS server
checks | command kamailio                       | kamailio        | checks ask a real SIP server
checks | command haproxy                        | haproxy         | the PROXY protocol is spoken with a real HAProxy
checks | file /usr/lib/nginx/modules/ngx_stream_module.so | libnginx-mod-stream | the PROXY protocol is spoken with a real nginx
datapath | command clang                        | clang           | without it, the program is built without the packet datapath (forward: nat, dr, tun)
datapath | file /usr/include/bpf/bpf_helpers.h  | libbpf-dev      | without it, the program is built without the packet datapath (forward: nat, dr, tun)
datapath | file /usr/include/linux/bpf.h        | linux-libc-dev  | without it, the program is built without the packet datapath (forward: nat, dr, tun)
datapath | library libbpf.so.1                  | libbpf1         | without it, the packet datapath cannot be loaded
lab   | command ip                              | iproute2        | makes network namespaces and cables
lab   | command nsenter                         | util-linux      | starts programs in them
lab   | command ethtool                         | ethtool         | turns offloads off, so that packets are as on a wire
lab   | command nginx                           | nginx           | a real web server
lab   | command dnsmasq                         | dnsmasq-base    | a real DNS server
lab   | command dig                             | bind9-dnsutils  | its client
lab   | command iperf3                          | iperf3          | bulk over TCP and UDP
lab   | command ping                            | iputils-ping    | asks for an echo
lab   | command tcpdump                         | tcpdump         | judges addresses and checksums
lab   | command nft                             | nftables        | loses packets on purpose
lab   | command keepalived                      | keepalived      | the other director of a mixed pair
lab   | command faketime                        | faketime        | a wall clock that jumps
bench | command nginx                           | nginx           | a peer, and the origin behind every proxy
bench | file /usr/lib/nginx/modules/ngx_stream_module.so | libnginx-mod-stream | nginx as a TCP proxy
bench | command haproxy                         | haproxy         | a peer
bench | command wrk                             | wrk             | the load
bench | command python3                         | python3         | runs the rounds and writes the table
reload | command python3                        | python3         | writes the file, asks, and writes the table
failover | command keepalived                   | keepalived      | a peer
failover | command nft                       | nftables        | the gate
failover | command python3                      | python3         | runs the rounds and writes the table
failover | command ip                           | iproute2        | makes network namespaces and cables
failover | command nsenter                      | util-linux      | starts programs in them
health | command clang                          | clang           | compiles the real servers and the floor
health | command python3                        | python3         | runs the rounds and writes the table
packets | command clang                         | clang           | compiles the datapath and the load
packets | file /usr/include/bpf/bpf_helpers.h   | libbpf-dev      | compiles the datapath and the load
packets | file /usr/include/linux/bpf.h         | linux-libc-dev  | compiles the datapath and the load
packets | library libbpf.so.1                   | libbpf1         | loads them
packets | command ip                            | iproute2        | makes network namespaces and cables
packets | command ethtool                       | ethtool         | turns offloads off
packets | command nft                           | nftables        | a peer: forwarding by the kernel, with NAT
packets | command bpftool                       | bpftool         | looks at programs that are loaded
'

# Where a .NET SDK may be when PATH does not know it: Ubuntu's package, the tarball, dotnet-install.sh (which sudo hides:
# under it PATH and HOME are root's).
sdk_places=("${DOTNET_ROOT:-}" /usr/lib/dotnet /usr/share/dotnet /usr/local/share/dotnet "${HOME:-/root}/.dotnet"
    ${SUDO_USER:+"$(getent passwd "$SUDO_USER" | cut -d: -f6 || true)/.dotnet"})

# Debian's switch for "install the program, do not start its service": we want no nginx on port 80.
policy=/usr/sbin/policy-rc.d

# sysexits.h EX_UNAVAILABLE and EX_SOFTWARE, so that scripts can tell them from the program's own answers.
readonly exit_something_missing=69 exit_build_failed=70

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
export DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true

say() { echo "bascule: $*" >&2; }

# Finds the SDK that global.json asks for and exports DOTNET_ROOT, by which the built program finds its runtime too.
find_sdk() {
    local on_path place
    on_path=$(command -v dotnet || true)
    [ -z "$on_path" ] || on_path=$(dirname "$(readlink -f "$on_path")")
    for place in "$on_path" "${sdk_places[@]}"; do
        if [ -n "$place" ] && [ -x "$place/dotnet" ] && compgen -G "$place/sdk/10.0.*" > /dev/null; then
            export DOTNET_ROOT=$place
            return 0
        fi
    done
    return 1
}

# is_there command curl | is_there library libssl.so.3 | is_there file /etc/…
is_there() {
    case $1 in
        command) command -v "$2" > /dev/null || [ -x "/usr/sbin/$2" ] ;;
        # All of it read before it is searched: grep -q hangs up early, and with pipefail a busy machine then lacks the library.
        library) [[ $(/sbin/ldconfig -p) == *"$2"* ]] ;;
        file) [ -e "$2" ] ;;
        *) say "eng/needs.sh: '$1' is none of: command, library, file"; exit 1 ;;
    esac
}

# need GROUP…: returns when the SDK and everything those groups name is there, or ends the script with a sentence.
need() {
    missing=() sdk_missing=''
    find_missing " $* "
    ! everything_is_there || return 0

    if ! command -v apt-get > /dev/null; then
        [ ${#missing[@]} -eq 0 ] || say "there is no apt-get here; install these your way: ${missing[*]}"
    elif [ "$(id -u)" -eq 0 ]; then
        install_missing
    else
        say_what_to_run
    fi
    ! everything_is_there || return 0
    [ -z "$sdk_missing" ] || say_where_the_sdk_is
    exit "$exit_something_missing"
}

# wish GROUP…: installs, when root, what those groups name; else says what is lost without. Returns in any case.
wish() {
    missing=() sdk_missing=''
    find_missing " $* "
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi
    if command -v apt-get > /dev/null && [ "$(id -u)" -eq 0 ]; then
        ( sdk_missing='' && install_missing ) || say "going on without: ${missing[*]}"
    else
        say "to have it: sudo apt-get update && sudo apt-get install -y ${missing[*]}"
    fi
}

everything_is_there() { [ ${#missing[@]} -eq 0 ] && [ -z "$sdk_missing" ]; }

find_missing() {
    local groups=$1 group how package why
    find_sdk || sdk_missing=yes
    # The SDK wants libicu, whose package is named differently in every release; it does without when told so.
    is_there library libicuuc.so || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
    while IFS='|' read -r group how package why; do
        group=${group// /} package=${package// /}
        # shellcheck disable=SC2086 # how is two words
        if [ -n "$group" ] && [[ $groups == *" $group "* ]] && ! is_there $how; then
            say "$package is missing:$why"
            missing+=("$package")
        fi
    done <<< "$needs"
}

install_missing() {
    apt_update
    if [ -n "$sdk_missing" ] && sdk_is_packaged; then missing+=(dotnet-sdk-10.0); fi
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
    missing=()
    ! find_sdk || sdk_missing=''
}

say_what_to_run() {
    if [ -n "$sdk_missing" ] && sdk_is_packaged; then missing+=(dotnet-sdk-10.0) sdk_missing=''; fi
    [ ${#missing[@]} -eq 0 ] || say "run this, then try again: sudo apt-get update && sudo apt-get install -y ${missing[*]}"
}

say_where_the_sdk_is() {
    say "the .NET 10 SDK is missing, and this distribution does not package it; get it from https://dotnet.microsoft.com/download/dotnet/10.0"
    say "or run this, then try again: curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
}

# Ubuntu packages the SDK; Debian 12 does not. The lists of a fresh image are empty, so a user who may not update them is told by name.
sdk_is_packaged() {
    apt-cache show dotnet-sdk-10.0 > /dev/null 2>&1 || { [ "$(id -u)" -ne 0 ] && grep -qs '^ID=ubuntu' /etc/os-release; }
}

apt_update() {
    local log
    say "apt-get update"
    log=$(DEBIAN_FRONTEND=noninteractive apt-get update -qq 2>&1 < /dev/null) || say "apt-get update: $log"
}

apt_install() {
    local log ours='' result=0
    say "apt-get install -y $*"
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
        ours=yes
    fi
    log=$(DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" 2>&1 < /dev/null) || result=$?
    [ -z "$ours" ] || rm -f "$policy"
    if [ "$result" -ne 0 ]; then
        say "apt-get could not install $*:"
        echo "$log" >&2
        exit "$exit_something_missing"
    fi
}
