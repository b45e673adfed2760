# shellcheck shell=bash
# One server process: started free of the command that starts it, known by its id AND its start time (an id alone may
# belong to somebody else by now), and ended.

# A server that has not ended by then is killed.
readonly stop_deadline_ms=20000

# The fields of /proc/PID/stat from the third on; the second is the program's name and may hold anything.
stat_fields() { # PID
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    echo "${stat##*) }"
}

start_time() { # PID
    local fields
    read -r -a fields < <(stat_fields "$1") || return 1
    echo "${fields[19]}"
}

# Whether the process still runs. One that ended but was not collected by its parent yet (a zombie) does not.
is_alive() { # PID START_TIME
    local fields
    read -r -a fields < <(stat_fields "$1") || return 1
    [[ ${fields[19]} == "$2" && ${fields[0]} != [ZX] ]]
}

is_running() {
    local pid started
    read -r pid started 2>/dev/null <"$dir/pid" && is_alive "$pid" "$started"
}

server_pid() {
    local pid _
    read -r pid _ <"$dir/pid" && echo "$pid"
}

children_of() { # PID
    local stat fields
    for stat in /proc/[0-9]*/stat; do
        stat=${stat#/proc/}
        read -r -a fields < <(stat_fields "${stat%/stat}") || continue
        if [[ ${fields[1]} == "$1" ]]; then echo "${stat%/stat}"; fi
    done
}

# Put before the command of a program that refuses to run as root. A person's own user is good enough for all.
unprivileged=()
if is_root; then unprivileged=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi

# Its own session: neither a signal to our terminal nor our own end reaches the server. It writes down its id itself,
# before it leaves our process group, so that whoever ends this command and its group can find it.
spawn() { # COMMAND...
    rm -f "$dir/pid"
    (
        self=$BASHPID
        echo "$self $(start_time "$self")" >"$dir/pid.new"
        mv "$dir/pid.new" "$dir/pid"
        cd "$data" || exit
        exec setsid "$@"
    ) </dev/null >>"$log" 2>&1 8>&- 9>&- &
    while [[ ! -e $dir/pid ]] && kill -0 $!; do sleep 0.01; done
}

await_end() { # DEADLINE_MS PID START_TIME
    local deadline=$(($(now_ms) + $1))
    while is_alive "$2" "$3"; do
        (($(now_ms) < deadline)) || return 1
        sleep 0.02
    done
}

# Asks the server to end, waits for it, and kills it when it does not.
end_gently() {
    local pid started began
    read -r pid started <"$dir/pid"
    began=$(now_ms)
    kill -s "$stop_signal" "$pid"
    if await_end "$stop_deadline_ms" "$pid" "$started"; then
        say "stopped after $(seconds_since "$began")"
    else
        say "warning: still running $((stop_deadline_ms / 1000)) s after SIG$stop_signal, so it is killed"
        end_at_once
    fi
}

# As a power cut would, for the server and the processes that it made.
end_at_once() {
    local pid started child children=()
    read -r pid started <"$dir/pid"
    mapfile -t children < <(children_of "$pid")
    kill -s KILL "$pid" "${children[@]}" 2>/dev/null || true
    for child in "${children[@]}"; do
        await_end "$stop_deadline_ms" "$child" "$(start_time "$child" || echo gone)" ||
            die "process $child is still there after SIGKILL"
    done
    await_end "$stop_deadline_ms" "$pid" "$started" || die "process $pid is still there after SIGKILL"
}
