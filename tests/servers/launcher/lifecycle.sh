# shellcheck shell=bash
# What can be done to one service. A service is one file, tests/servers/NAME.sh, that says what is special about it:
#
#   about             what it is, in a few words
#   needs=()          services that must be ready before it starts
#   ports=(main)      labels of the ports it listens on
#   stop_signal       what asks it to end (TERM)
#   start_deadline_s  how long it may take to be ready (180)
#   fetch             gets packages, jars and tools; quick when they are there
#   prepare           makes what a first start needs in $data
#   launch            sets the array `command`; may write configuration
#   ready             whether it answers
#   populate          makes users and databases, once, when it is first ready
#   addresses         prints NAME=value for its clients
#   tool ARG...       runs its command-line client
#
# They see: $service its name, $files the folder tests/servers, $dir its folder, $data the folder it may fill,
# $log its output, $log_start where the output of this start begins, `port LABEL`, and fetch.sh.

# Every function here works on the service that was loaded last; callers load it in a subshell of its own.
# shellcheck disable=SC2317 # the defaults are called where a service has none of its own
load() { # NAME
    service=$1
    dir="$TOWPATH_SERVICES_DIR/$service"
    data="$dir/data"
    log="$dir/log"
    about="" needs=() ports=(main) stop_signal=TERM start_deadline_s=180
    prepare() { :; }
    populate() { :; }
    tool() { die "has no command-line client here"; }
    # shellcheck source=/dev/null
    source "$files/$service.sh"
}

lock() {
    mkdir -p "$data"
    exec 9>>"$dir/lock"
    flock 9
}

start() {
    lock
    if is_running; then
        say "runs already"
        return
    fi
    fetch
    local label began
    for label in "${ports[@]}"; do choose_port "$label"; done
    once prepared prepare
    log_start=$(($(stat -c %s "$log" 2>/dev/null || echo 0) + 1))
    local command=()
    launch
    began=$(now_ms)
    spawn "${command[@]}"
    await_ready
    once populated populate
    addresses >"$dir/env"
    say "ready after $(seconds_since "$began") on port $(port "${ports[0]}")"
}

# A first start that did not come through is done again from an empty folder.
once() { # MARK STEP
    [[ -e $dir/$1 ]] && return
    if [[ $1 == prepared ]]; then
        rm -rf "$data"
        mkdir "$data"
    fi
    "$2" >>"$log" 2>&1 || die_with_log "could not be set up ($2)" "$log"
    touch "$dir/$1"
}

await_ready() {
    local deadline=$(($(now_ms) + start_deadline_s * 1000))
    until ready >/dev/null 2>&1; do
        is_running || die_with_log "ended while it started" "$log" "$log_start"
        if (($(now_ms) > deadline)); then
            end_at_once
            die_with_log "was not ready within $start_deadline_s s" "$log" "$log_start"
        fi
        sleep 0.1
    done
}

stop() {
    lock
    if is_running; then end_gently; fi
    rm -f "$dir/pid"
}

kill_now() {
    lock
    is_running || die "does not run, so it cannot be killed"
    end_at_once
    say "killed"
}

restart() {
    stop
    start
}

# Stops the service and forgets it: its data, its ports, its log.
discard() {
    stop
    release_ports
    rm -rf "$dir"
}

state() {
    if is_running; then
        echo running
    elif [[ -e $dir/pid ]]; then
        echo dead
    elif [[ -e $dir/prepared ]]; then
        echo stopped
    else
        echo -
    fi
}

status_line() {
    local label pid="" memory="" where=""
    if is_running; then
        pid=$(server_pid)
        memory="$(($(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status") / 1024)) MB"
    fi
    for label in "${ports[@]}"; do
        if [[ -s $dir/port.$label ]]; then where+=" $label=$(port "$label")"; fi
    done
    printf '%-18s %-8s %-8s %-8s %-30s %s\n' \
        "$service" "$(state)" "${pid:--}" "${memory:--}" "${where:- -}" "$about"
}
