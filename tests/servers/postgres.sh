# shellcheck shell=bash
# PostgreSQL from Debian's packages, ready for logical decoding. User app owns the database app, may make further
# databases and replicate; postgres may do everything. Nothing is forced to disk: the data survives a kill of the server,
# not of the machine. synchronous_commit stays on, since logical decoding sees a commit late without it.

about="PostgreSQL, app/secret"
stop_signal=INT # ends open sessions; TERM would wait for them

# The folder of the newest version's programs.
postgres_bin() {
    local newest
    newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
    [[ -n $newest ]] && dirname "$newest"
}

fetch() {
    if ! postgres_bin >/dev/null; then
        # Debian would make and start a server of its own; this asks it not to.
        install_packages postgresql-common
        echo 'create_main_cluster = false' >>/etc/postgresql-common/createcluster.conf
        install_packages postgresql
    fi
    need_command psql postgresql-client
}

prepare() {
    if is_root; then chown nobody "$data"; fi
    echo secret >"$data/password"
    (cd "$data" && "${unprivileged[@]}" "$(postgres_bin)/initdb" -D "$data/db" -U postgres --pwfile="$data/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync)
}

launch() {
    local setting
    # It does not run: the launcher knows. A killed one whose process id is not given back yet would look alive.
    rm -f "$data/db/postmaster.pid"
    command=("${unprivileged[@]}" "$(postgres_bin)/postgres" -D "$data/db")
    for setting in \
        listen_addresses=127.0.0.1 port="$(port main)" unix_socket_directories= \
        wal_level=logical max_replication_slots=20 max_wal_senders=20 \
        fsync=off full_page_writes=off shared_buffers=32MB; do
        command+=(-c "$setting")
    done
}

sql() { # PSQL_ARG...
    PGPASSWORD=secret psql -X -h 127.0.0.1 -p "$(port main)" -v ON_ERROR_STOP=1 "$@"
}

ready() { "$(postgres_bin)/pg_isready" -h 127.0.0.1 -p "$(port main)"; }

populate() {
    sql -U postgres -c "CREATE ROLE app LOGIN CREATEDB REPLICATION PASSWORD 'secret'" -c 'CREATE DATABASE app OWNER app'
}

addresses() {
    cat <<END
POSTGRES_HOST=127.0.0.1
POSTGRES_PORT=$(port main)
POSTGRES_USER=app
POSTGRES_PASSWORD=secret
POSTGRES_DATABASE=app
END
}

tool() { sql -U app "$@"; } # PSQL_ARG...
