# Sourced before each block of a page that a test runs (document_sandbox.py): what <!-- before: ... --> may call.
# $SANDBOX holds everything; folders such as /var/backups stand for folders below it, here as in the pages.

example() { # example TEXT VALUE: what a reader would put in the place of TEXT
  printf '%s\t%s\n' "$1" "$2" >>"$SANDBOX/examples"
}

new_key() {
  mkdir -p "$(dirname "$1")"
  openssl rand -hex 32 >"$1"
  chmod 400 "$1"
}

set_up() { # what SETUP.md leaves: a key, a configuration, a repository, a snapshot; and a second one
  new_key /etc/drstream/key
  mkdir -p /var/backups /var/lib/drstream /mnt /srv
  cat >/etc/drstream/config.toml <<EOF
repo = "/var/backups/drs"
key-file = "/etc/drstream/key"
state-dir = "/var/lib/drstream"
EOF
  drstream init -q
  drstream push pg/app -q --exec -- pg_dump -w -Fc -Z0 app
  change_database app
  drstream push pg/app -q --exec -- pg_dump -w -Fc -Z0 app
}

change_database() {
  psql -w -q -d "$1" -c "UPDATE orders SET status = 'closed' WHERE id % 50 = 0"
}

new_passphrase() {
  openssl rand -base64 24 >/etc/drstream/passphrase
  chmod 400 /etc/drstream/passphrase
  drstream key add -q --new-passphrase-file /etc/drstream/passphrase
}

new_replica() {
  new_key /etc/drstream/replica-key
  mkdir -p /mnt/replica
  drstream init -q --replica-of /var/backups/drs --from-key-file /etc/drstream/key \
    -r /mnt/replica/drs --key-file /etc/drstream/replica-key
  fill_replica
}

fill_replica() {
  drstream copy -q --from-repository /var/backups/drs --from-key-file /etc/drstream/key \
    -r /mnt/replica/drs --key-file /etc/drstream/replica-key
}

largest() { # largest FOLDER: the largest object in it, with the folder's name
  find "$1" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2
}

flip() { # changes a byte in the middle of a file
  chmod u+w "$1"
  python3 - "$1" <<'EOF'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[1], "wb").write(data)
EOF
}

damage_pack() { # damage_pack REPOSITORY
  local pack
  pack=$(largest "$1/packs")
  flip "$pack"
  example packs/9d/9d81... "${pack#"$1/"}"
}

damage_index() {
  flip "$(largest "$1/index")"
}

newest_manifest() { # the last part of its name
  drstream show pg/app | sed -n 's|^manifest *manifests/||p'
}

damage_newest_manifest() {
  local name
  name=$(newest_manifest)
  flip "$1/manifests/$name"
  example bd72301e... "$name"
}

delete_newest_manifest() {
  rm "$1/manifests/$(newest_manifest)"
}

remember_head() { # of the nights before: what a push printed
  example 'pg/app=7:aca4b427...' "$(drstream show pg/app | sed -n 's/^head *//p')"
}

keep() { # for put_back: the repository, and what this machine has seen
  cp -a /var/backups/drs "$SANDBOX/kept"
  cp -a /var/lib/drstream "$SANDBOX/kept-state"
}

put_back() {
  rm -rf /var/backups/drs /var/lib/drstream
  cp -a "$SANDBOX/kept" /var/backups/drs
  cp -a "$SANDBOX/kept-state" /var/lib/drstream
}

restic_and_borg() { # repositories of theirs, in the variables that they read
  export RESTIC_REPOSITORY=$SANDBOX/restic RESTIC_PASSWORD=example BORG_REPO=$SANDBOX/borg BORG_PASSPHRASE=example
  restic init -q
  borg init -e repokey
}

new_machine() { # one that has never seen the repository; the settings of the page are not there
  export HOME=$SANDBOX/new-machine XDG_STATE_HOME=$SANDBOX/new-machine/state
  mkdir -p "$HOME"
  unset DRSTREAM_REPOSITORY BACKUP_ENCRYPTION_KEY_FILE
  mv /etc/drstream/config.toml /etc/drstream/config.toml.old
}

new_second() {
  mkdir -p /mnt/second /mnt/offsite
  drstream init -q -r /mnt/second/drs --key-file /etc/drstream/key
}

new_offsite() { # a bucket, with credentials of its own
  new_key /etc/drstream/offsite.key
  drstream init -q -r 's3://offsite/backups?profile=offsite' --key-file /etc/drstream/offsite.key
}
