# shellcheck shell=bash
# The order in which a box is installed or updated. Read by install.sh, which has the common functions.

DOCKER_ROOMS=writer,api,monitor,alerts,selftest
PROCESS_ROOMS=scanner,summarizer,writer,api,playlists,monitor,alerts,selftest

install_box() {
  plan_box
  if [[ -z $UPDATE_FROM ]]; then
    set_up
    finish
    return
  fi
  begin_update
  trap 'end_update "$?"' EXIT
  set_up
  trap - EXIT
  forget_update
  finish
}

set_up() {
  place_code
  make_user
  [[ $MODE != docker ]] || install_engine
  write_settings
  place_models
  run_bootstrap
  check_assets
  [[ $MODE != docker ]] || make_images
  install_services
  install_jobs
  release_cycles
  start_box
  check_health
  [[ $MODE != docker ]] || remember_images
}

# Sets MODE, ROOMS, BOOT_DELAY (of the command line, else as last time) and UPDATE_FROM, the commit that is
# replaced; empty where there is none.
plan_box() {
  MODE=${MODE:-$(state_get mode)}
  MODE=${MODE:-docker}
  # Only what somebody chose is remembered: what is usual may be more with the next version.
  [[ -z $ROOMS ]] || state_set rooms_of_"$MODE" "$ROOMS"
  ROOMS=${ROOMS:-$(state_get rooms_of_"$MODE")}
  if [[ -z $ROOMS ]]; then
    if [[ $MODE == docker ]]; then ROOMS=$DOCKER_ROOMS; else ROOMS=$PROCESS_ROOMS; fi
  fi
  BOOT_DELAY=${BOOT_DELAY:-$(state_get boot_delay)}
  UPDATE_FROM=$(state_get updating_from)
  local installed
  installed=$(state_get installed)
  if [[ -z $UPDATE_FROM && -n $installed && $installed != "${TARGET:-$installed}" ]]; then
    UPDATE_FROM=$installed
  fi
  if [[ $ACTION == upgrade && -z $UPDATE_FROM ]]; then
    note "já é a versão mais nova" "it is the newest version already"
  fi
  state_set mode "$MODE"
  [[ -z $BOOT_DELAY ]] || state_set boot_delay "$BOOT_DELAY"
}

has_room() { [[ ,$ROOMS, == *,$1,* ]]; }
has_systemd() { [[ -d /run/systemd/system ]]; }

# Brings the files to TARGET. What is not the product's (data, keys, .env) is not touched.
place_code() {
  if [[ $(git_box rev-parse --quiet --verify refs/vv/placed || true) == "${TARGET:-none}" ]] &&
    [[ -z $(git_box ls-files --deleted) ]]; then
    return
  fi
  step "colocando os arquivos da versão ${TARGET:0:12}" "placing the files of version ${TARGET:0:12}"
  change git_box update-ref -d refs/vv/placed
  change git_box reset --quiet --hard "$TARGET"
  change git_box update-ref refs/vv/placed "$TARGET"
}

finish() {
  if ((DRY_RUN)); then
    say "--dry-run: nada foi mudado; mudanças a fazer: $CHANGES" "--dry-run: nothing was changed; changes to make: $CHANGES"
    return
  fi
  state_set installed "$TARGET"
  rm -rf "$WORK/bundle"
  if ((CHANGES == 0)); then
    say "pronto; nenhuma mudança foi necessária" "done; no change was needed"
    return
  fi
  say "pronto; mudanças: $CHANGES" "done; changes: $CHANGES"
  note "estado da caixa:" "state of the box:"
  printf '      sudo -u %s %s %s\n' "$SERVICE_USER" "$PREFIX/.venv/bin/python" "$PREFIX/scripts/status.py"
}
