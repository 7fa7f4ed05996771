# shellcheck shell=bash
# Runs the steps of a longer script in turn, with a heading and the duration of each. A failed step does not stop the
# next one; `finish` lists the failed steps and makes the script fail.
#
#   source scripts/steps.bash
#   step "build" scripts/build release        # an external command: `set -e` holds inside it
#   finish

failed_steps=()

step() {
  local title=$1 started=$SECONDS outcome=ok
  shift
  printf '\n=== %s\n' "$title"
  "$@" || outcome="FAILED with status $?"
  if [[ $outcome != ok ]]; then
    failed_steps+=("$title")
  fi
  printf -- '--- %s: %s, %d s\n' "$title" "$outcome" $((SECONDS - started))
}

finish() {
  printf '\n%d s in total\n' "$SECONDS"
  if ((${#failed_steps[@]})); then
    printf 'failed step: %s\n' "${failed_steps[@]}"
    return 1
  fi
}
