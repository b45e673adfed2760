# shellcheck shell=bash
# What the launcher prints: one line an event, each with the name of the service it is about.

say() { printf '%-18s %s\n' "${service:-services}" "$*" >&2; }

# The reason is printed and the (sub)shell ends.
die() {
    say "error: $*"
    exit 1
}

# die, with the end of a log below the reason; of that part of it that starts at a byte, if one is given.
die_with_log() { # REASON LOG [START]
    say "error: $1; the end of $2:"
    tail -c "+${3:-1}" "$2" 2>/dev/null | tail -n 25 | sed 's/^/    | /' >&2
    exit 1
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

seconds_since() { # MILLISECONDS
    local elapsed=$(($(now_ms) - $1))
    printf '%d.%d s' $((elapsed / 1000)) $((elapsed % 1000 / 100))
}
