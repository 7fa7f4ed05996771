# To be sourced: a scratch PostgreSQL with its socket in its own directory, and data like an application's.
#
#   scratch_postgres_start DIR [OPTIONS]
#                                       starts a new cluster in DIR, with further OPTIONS of postgres; sets PGHOST, PGPORT,
#                                       PGUSER
#   scratch_postgres_stop
#   scratch_postgres_fill DATABASE ROWS about 600 bytes of dump per row: text, jsonb, numbers, timestamps; run it in the
#                                       project's root. One transaction: with wal_level=minimal nothing goes to the log
#   scratch_postgres_churn DATABASE N   changes one row in N, spread evenly
#   scratch_postgres_checksums DATABASE one line per table: name, number of rows, digest of all rows in order

scratch_postgres_bin=/usr/lib/postgresql/15/bin
scratch_postgres_directory=

# PostgreSQL refuses to run as root, so root runs it as the package's user postgres, who may not enter every directory.
scratch_postgres_run() {
  if ((EUID == 0)); then
    (cd / && exec runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# pg_ctl gives its options to a shell: a line break in them would end the command.
scratch_postgres_start() {
  scratch_postgres_directory=$(realpath -m "$1")
  mkdir -p "$scratch_postgres_directory/socket"
  if ((EUID == 0)); then
    chown -R postgres "$scratch_postgres_directory"
  fi
  scratch_postgres_run "$scratch_postgres_bin/initdb" --no-sync -D "$scratch_postgres_directory/data" -U postgres -A trust -E UTF8 \
    --locale=C.UTF-8 --no-instructions >"$scratch_postgres_directory.initdb.log"
  scratch_postgres_run "$scratch_postgres_bin/pg_ctl" -D "$scratch_postgres_directory/data" -w -s \
    -l "$scratch_postgres_directory/socket/server.log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$scratch_postgres_directory/socket' -c fsync=off \
        -c full_page_writes=off -c max_wal_size=4GB -c autovacuum=off -c shared_buffers=256MB ${2:-}" start
  export PGHOST=$scratch_postgres_directory/socket PGPORT=5432 PGUSER=postgres
}

scratch_postgres_stop() {
  if [[ -n $scratch_postgres_directory && -e $scratch_postgres_directory/data/postmaster.pid ]]; then
    scratch_postgres_run "$scratch_postgres_bin/pg_ctl" -D "$scratch_postgres_directory/data" -w -s -m immediate stop || true
  fi
}

scratch_postgres_fill() {
  createdb "$1"
  /usr/bin/python3 scripts/sample-data "$2" | psql -q -1 -v ON_ERROR_STOP=1 -d "$1" -f -
}

scratch_postgres_churn() {
  psql -q -v ON_ERROR_STOP=1 -d "$1" -v n="$2" <<'SQL'
UPDATE orders SET status = 'closed', total = total + 1.23 WHERE id % :n = 0;
SQL
}

scratch_postgres_checksums() {
  local table
  for table in customers orders; do
    psql -At -d "$1" -c "SELECT '$table', count(*), md5(string_agg(md5(t::text), '' ORDER BY t.id)) FROM $table AS t"
  done
}
