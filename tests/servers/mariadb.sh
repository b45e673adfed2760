# shellcheck shell=bash
# MariaDB from Debian's packages, with a row-based binary log. Users: root and app may do everything, cdc may replicate.
# What is committed is handed to the kernel, not forced to disk: it survives a kill of the server, not of the machine.

about="MariaDB, root or app/secret"

fetch() {
    need_command mariadbd mariadb-server-core
    need_command mariadb mariadb-client-core
}

prepare() {
    if is_root; then chown nobody "$data"; fi
    "${unprivileged[@]}" mariadb-install-db --no-defaults --datadir="$data/db" \
        --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve --innodb-log-file-size=16M
}

launch() {
    command=(
        "${unprivileged[@]}" "$(command -v mariadbd)" --no-defaults --datadir="$data/db"
        --socket=socket --pid-file="$data/pid" --port="$(port main)" --bind-address=127.0.0.1 --skip-name-resolve
        --character-set-server=utf8mb4
        --server-id=1 --log-bin=binlog --binlog-format=ROW --binlog-row-image=FULL --binlog-row-metadata=FULL
        --gtid-strict-mode=ON
        --innodb-buffer-pool-size=64M --innodb-log-file-size=16M --innodb-flush-log-at-trx-commit=2 --sync-binlog=0
        --skip-innodb-doublewrite
    )
}

# Without a character set of four bytes the client refuses to send emoji.
sql() { # CLIENT_ARG...
    mariadb --no-defaults --default-character-set=utf8mb4 -h 127.0.0.1 -P "$(port main)" -u root "$@"
}

ready() { sql -e 'select 1'; }

populate() {
    sql -e "
        CREATE USER 'app'@'%' IDENTIFIED BY 'secret';
        GRANT ALL ON *.* TO 'app'@'%';
        CREATE USER 'cdc'@'%' IDENTIFIED BY 'secret';
        GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, BINLOG MONITOR, LOCK TABLES
            ON *.* TO 'cdc'@'%'"
}

addresses() {
    cat <<END
MARIADB_HOST=127.0.0.1
MARIADB_PORT=$(port main)
MARIADB_USER=app
MARIADB_PASSWORD=secret
END
}

tool() { sql "$@"; } # CLIENT_ARG...
