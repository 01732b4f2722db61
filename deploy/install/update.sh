# shellcheck shell=bash
# Updates: a backup before, and the way back when the box is not healthy after.

KEPT_BACKUPS=5
BACKUPS=$PREFIX-backups
OLD_ENVIRONMENT=$WORK/venv-before

begin_update() {
  step "atualização de ${UPDATE_FROM:0:12} para ${TARGET:0:12}: cópia de segurança" \
    "update from ${UPDATE_FROM:0:12} to ${TARGET:0:12}: backup"
  if ((DRY_RUN)); then
    change tar "--file=$BACKUPS/…"
    return
  fi
  stop_box
  hold_cycles
  if [[ $(state_get updating_from) != "$UPDATE_FROM" || ! -d $(state_get backup) ]]; then
    make_backup
    # Not again in an update that was cut off: its new images may bear the names already.
    [[ $MODE != docker ]] || keep_images
  fi
  state_set updating_from "$UPDATE_FROM"
  change git_box update-ref refs/vv/before "$UPDATE_FROM"
  if [[ ! -d $OLD_ENVIRONMENT && -d $PREFIX/.venv ]]; then
    # Hard links: pip replaces files, it does not write into them. Only the stamp is written in place.
    rm -rf "$OLD_ENVIRONMENT.new"
    cp -al "$PREFIX/.venv" "$OLD_ENVIRONMENT.new"
    cp --remove-destination -p "$PREFIX/.venv/.vv-installed" "$OLD_ENVIRONMENT.new/.vv-installed"
    mv "$OLD_ENVIRONMENT.new" "$OLD_ENVIRONMENT"
  fi
}

# No cycle begins while files are replaced: the lock is the orchestrator's own.
hold_cycles() {
  local lock
  lock=$(storage_root)/orchestrator_data/orchestrator.lock
  [[ -f $lock ]] || return 0
  exec 8<"$lock"
  flock --wait 1800 8 ||
    die "$EX_TEMPFAIL" "o orquestrador está trabalhando há mais de 30 min" "the orchestrator has been at work for more than 30 min" \
      "Rode de novo quando o ciclo terminar." "Run it again when its cycle has ended."
}

release_cycles() { exec 8<&-; }

# Settings, keys and state; not the videos. Kept for people: an update that fails needs only .env of it.
make_backup() {
  local name folder parts=() part
  name=$(date -u +%Y%m%dT%H%M%SZ)-${UPDATE_FROM:0:12}
  folder=$BACKUPS/$name
  mkdir -p "$folder.new"
  chmod 700 "$BACKUPS" "$folder.new"
  for part in "$PREFIX/.env" "$PREFIX/secrets" "$PREFIX/faces" "$JOBS" "$UNITS/$UNIT".* \
    "$(storage_root)"/{orchestrator_data,config,logins,loglines,models/registry}; do
    [[ ! -e $part ]] || parts+=("${part#/}")
  done
  (umask 077 && timeout 3600 tar -C / -czf "$folder.new/box.tar.gz" "${parts[@]}")
  cp -p "$PREFIX/.env" "$folder.new/env"
  printf '%s\n' "$UPDATE_FROM" >"$folder.new/commit"
  git_box diff --binary HEAD >"$folder.new/local-changes.patch"
  if [[ -s $folder.new/local-changes.patch ]]; then
    warn "arquivos do produto foram mudados à mão; a mudança está em $folder/local-changes.patch" \
      "files of the product were changed by hand; the change is in $folder/local-changes.patch"
  else
    rm "$folder.new/local-changes.patch"
  fi
  sync "$folder.new/box.tar.gz"
  mv "$folder.new" "$folder"
  state_set backup "$folder"
  note "cópia: $folder" "backup: $folder"
  drop_old_backups
}

drop_old_backups() {
  local folder
  find "$BACKUPS" -mindepth 1 -maxdepth 1 -type d -name '*Z-*' | sort | head -n -"$KEPT_BACKUPS" |
    while read -r folder; do rm -rf "$folder"; done
}

forget_update() {
  ((!DRY_RUN)) || return 0
  # In this order: cut off in between, the next run finds an update to finish, and finishes it again.
  state_set installed "$TARGET"
  state_set updating_from ''
  rm -rf "$OLD_ENVIRONMENT"
  [[ $MODE != docker ]] || forget_images
}

# At the end of an update that did not reach its end.
end_update() { # EXIT-CODE
  trap - EXIT
  set +e
  step "a atualização falhou; voltando a ${UPDATE_FROM:0:12}" "the update failed; going back to ${UPDATE_FROM:0:12}"
  # The way back takes the lock itself, and would wait for its own parent.
  release_cycles
  # Not as a condition: there bash would ignore what fails in it.
  (
    set -e
    roll_back
  )
  local code=$?
  if ((code == 0)); then
    state_set installed "$UPDATE_FROM"
    state_set updating_from ''
    say "de volta à versão anterior, em funcionamento; os dados não foram tocados" \
      "back at the former version, which works; data were not touched"
  else
    warn "a volta não terminou; rode install.sh de novo. Cópia: $(state_get backup)" \
      "going back did not end well; run install.sh again. Backup: $(state_get backup)"
  fi
  exit "$1"
}

# Code, environment, .env and services as before. State and LogLines stay as they are: the log only ever grows.
roll_back() {
  stop_box
  hold_cycles
  TARGET=$UPDATE_FROM
  place_code
  if [[ -d $OLD_ENVIRONMENT ]]; then
    rm -rf "$PREFIX/.venv"
    mv "$OLD_ENVIRONMENT" "$PREFIX/.venv"
  fi
  cp -p "$(state_get backup)/env" "$PREFIX/.env.vv-new"
  mv "$PREFIX/.env.vv-new" "$PREFIX/.env"
  [[ $MODE != docker ]] || bring_images_back
  install_services
  install_jobs
  release_cycles
  start_box
  check_health
  [[ $MODE != docker ]] || forget_images
}
