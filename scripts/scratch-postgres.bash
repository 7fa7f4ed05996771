# Sourced: a scratch PostgreSQL on a socket in a directory of its own, with data that looks like an application's.
#
#   scratch_postgres_start DIR          starts a new cluster in DIR; sets PGHOST, PGPORT, PGUSER
#   scratch_postgres_stop
#   scratch_postgres_fill DATABASE ROWS about 600 bytes of dump a row: text, jsonb, numbers, timestamps; no network
#   scratch_postgres_churn DATABASE N   changes one row in N, spread evenly
#   scratch_postgres_checksums DATABASE one line a table: its name, rows, and a digest over all of them in order

scratch_postgres_bin=/usr/lib/postgresql/15/bin
scratch_postgres_directory=

# PostgreSQL refuses to run as root, so root runs it as the user postgres of its package.
scratch_postgres_run() {
  if ((EUID == 0)); then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

scratch_postgres_start() {
  scratch_postgres_directory=$1
  mkdir -p "$scratch_postgres_directory/socket"
  if ((EUID == 0)); then
    chown -R postgres "$scratch_postgres_directory"
  fi
  scratch_postgres_run "$scratch_postgres_bin/initdb" -D "$scratch_postgres_directory/data" -U postgres -A trust -E UTF8 \
    --locale=C.UTF-8 >"$scratch_postgres_directory.initdb.log"
  scratch_postgres_run "$scratch_postgres_bin/pg_ctl" -D "$scratch_postgres_directory/data" -w -s \
    -l "$scratch_postgres_directory/socket/server.log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$scratch_postgres_directory/socket' -c fsync=off
        -c full_page_writes=off -c max_wal_size=4GB -c autovacuum=off -c shared_buffers=256MB" start
  export PGHOST=$scratch_postgres_directory/socket PGPORT=5432 PGUSER=postgres
}

scratch_postgres_stop() {
  if [[ -n $scratch_postgres_directory ]]; then
    scratch_postgres_run "$scratch_postgres_bin/pg_ctl" -D "$scratch_postgres_directory/data" -w -s -m immediate stop || true
  fi
}

scratch_postgres_fill() {
  createdb "$1"
  psql -q -v ON_ERROR_STOP=1 -d "$1" -v rows="$2" <<'SQL'
SELECT setseed(0.42);
CREATE TABLE words AS
  SELECT i AS id, substr(translate(encode(sha256(int4send(i)), 'base64'), '+/=0123456789', 'aeioustrnlmdp'), 1, 3 + i % 9) AS word
  FROM generate_series(1, 4000) AS i;
ALTER TABLE words ADD PRIMARY KEY (id);
-- Words as a language uses them: few often, many seldom.
CREATE FUNCTION sentence(seed bigint, length int) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT string_agg(w.word, ' ' ORDER BY n)
  FROM generate_series(1, length) AS n
  JOIN words w ON w.id = 1 + floor(4000 * power(abs(hashint8(seed * 31 + n)::float8) / 2147483648.0, 3))::int % 4000
$$;
CREATE TABLE customers (id bigint PRIMARY KEY, name text, email text, created timestamptz, balance numeric(12,2), profile jsonb);
INSERT INTO customers
  SELECT i, initcap(sentence(i, 2)), 'user' || i || '@' || (ARRAY['example.org','example.com','mail.test'])[1 + i % 3],
         timestamptz '2021-01-01' + (i * 37 % 150000000) * interval '1 second', (abs(hashint8(i)) % 10000000) / 100.0,
         jsonb_build_object('lang', (ARRAY['en','de','fr','ro'])[1 + i % 4], 'score', abs(hashint8(i * 7)) % 1000,
                            'tags', jsonb_build_array(sentence(i * 3, 1), sentence(i * 5, 1)), 'active', i % 7 <> 0)
  FROM generate_series(1::bigint, :rows / 8) AS i;
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, reference uuid, placed timestamptz, total numeric(12,2), status text,
                     note text, details jsonb);
INSERT INTO orders
  SELECT i, 1 + abs(hashint8(i)) % (:rows / 8), encode(substr(sha256(int8send(i)), 1, 16), 'hex')::uuid,
         timestamptz '2024-01-01' + (i * 61) * interval '1 second', (abs(hashint8(i * 13)) % 500000) / 100.0,
         (ARRAY['new','paid','shipped','closed','returned'])[1 + abs(hashint8(i * 17)) % 5], sentence(i * 11, 24 + (i % 30)::int),
         jsonb_build_object('items', (abs(hashint8(i)) % 9) + 1, 'weight', (abs(hashint8(i * 19)) % 90000) / 1000.0, 'coupon',
                            CASE WHEN i % 5 = 0 THEN sentence(i, 1) END, 'address', sentence(i * 23, 6))
  FROM generate_series(1::bigint, :rows) AS i;
SQL
}

scratch_postgres_churn() {
  psql -q -v ON_ERROR_STOP=1 -d "$1" -v n="$2" <<'SQL'
UPDATE orders SET status = 'closed', total = total + 1.23 WHERE id % :n = 0;
SQL
}

scratch_postgres_checksums() {
  local table
  for table in customers orders words; do
    psql -At -d "$1" -c "SELECT '$table', count(*), md5(string_agg(md5(t::text), '' ORDER BY t.id)) FROM $table AS t"
  done
}
