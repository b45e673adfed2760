# shellcheck shell=bash
# Ports: chosen free on 127.0.0.1 when a service first starts, and kept until `down`, so that a restarted server is
# where its clients look for it.

# Below the range that Linux gives to outgoing connections: none of them can take the port of a server that is down.
readonly lowest_port=20000 port_count=10000
readonly reservations="${TMPDIR:-/tmp}/towpath-ports-$UID"

port_in_use() { # PORT
    local hex
    printf -v hex ':%04X' "$1"
    grep -qs "^ *[0-9]*: [0-9A-F]*$hex " /proc/net/tcp /proc/net/tcp6
}

# The variable that fixes a port: TOWPATH_KAFKA_PORT, or TOWPATH_KAFKA_CONTROLLER_PORT for a second one.
port_variable() { # LABEL
    local name="TOWPATH_${service^^}_${1^^}_PORT"
    name=${name/_MAIN_PORT/_PORT}
    echo "${name//-/_}"
}

port() { cat "$dir/port.$1"; } # LABEL

# Other run folders on this machine choose ports too, so a chosen one is written down where all of them look.
reserve_port() {
    local try candidate owner
    for ((try = 0; try < 500; try++)); do
        candidate=$((lowest_port + (RANDOM * 32768 + RANDOM) % port_count))
        owner=$(cat "$reservations/$candidate" 2>/dev/null) || owner=""
        if [[ -n $owner && -d $owner ]] || port_in_use "$candidate"; then continue; fi
        echo "$TOWPATH_SERVICES_DIR" >"$reservations/$candidate"
        echo "$candidate"
        return
    done
    die "no free port found from $lowest_port on"
}

choose_port() { # LABEL
    local variable fixed
    variable=$(port_variable "$1")
    fixed=${!variable:-}
    if [[ -z $fixed && -s $dir/port.$1 ]]; then return; fi
    if [[ -n $fixed ]] && port_in_use "$fixed"; then die "port $fixed ($variable) is in use by something else"; fi
    mkdir -p "$reservations"
    (
        flock 8
        echo "${fixed:-$(reserve_port)}" >"$dir/port.$1"
    ) 8>>"$reservations/lock"
}

release_ports() {
    local file
    for file in "$dir"/port.*; do
        if [[ -s $file ]]; then rm -f "$reservations/$(<"$file")"; fi
    done
}
