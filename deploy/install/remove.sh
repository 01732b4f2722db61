# shellcheck shell=bash
# Uninstalling: the product goes; data, keys, .env and backups stay, unless --purge.

uninstall_box() {
  MODE=$(state_get mode)
  step "parando" "stopping"
  if ((!DRY_RUN)); then stop_box; fi
  if [[ $MODE == docker && -f $PREFIX/docker-compose.yml ]] && command -v docker >/dev/null; then
    local down=(--profile '*' down --remove-orphans)
    ((!PURGE)) || down+=(--rmi all)
    change compose 600 "${down[@]}" || warn "contêineres não removidos" "containers not removed"
  fi
  remove_services
  remove_code
  if ((PURGE)); then
    purge_box
  else
    say "removido; ficam em $PREFIX: dados, chaves, .env (--uninstall --purge apaga tudo)" \
      "removed; in $PREFIX stay: data, keys, .env (--uninstall --purge deletes all)"
  fi
}

remove_services() {
  step "removendo systemd e cron" "removing systemd and cron"
  local program
  disable_unit "$UNIT.service"
  disable_unit "$UNIT.timer"
  for program in "${PROGRAMS[@]}"; do disable_unit "$UNIT@$program.service"; done
  drop_file "$JOBS" "$ROTATION" "$UNITS/$UNIT.service" "$UNITS/$UNIT.timer" "$UNITS/$UNIT@.service"
  ! has_systemd || ((DRY_RUN)) || systemctl daemon-reload
}

# What git has placed, and what was made from it. The repository goes last, so that a removal that was cut off can go on.
remove_code() {
  [[ -d $PREFIX/.git ]] || return 0
  step "removendo o programa" "removing the program"
  if ((DRY_RUN)); then
    change rm -rf "$PREFIX/.venv" "$PREFIX/.git" '…'
    return
  fi
  CHANGES=$((CHANGES + 1))
  rm -rf "$PREFIX/.venv" "$PREFIX"/*.egg-info "$PREFIX/.cache"
  remove_tracked
  mkdir -p "$PREFIX/.vv-kept"
  grep -v -e ^installed= -e ^updating_from= "$PREFIX/.git/vv-state" >"$PREFIX/.vv-kept/state.new"
  mv "$PREFIX/.vv-kept/state.new" "$PREFIX/.vv-kept/state"
  rm -rf "$PREFIX/.vv-kept/steps"
  cp -r "$WORK/steps" "$PREFIX/.vv-kept/steps"
  rm -rf "$PREFIX/.git"
}

remove_tracked() {
  local folder
  (cd "$PREFIX" && git ls-files -z | xargs -0 rm -f --)
  git_box ls-files | sed -n 's|/.*||p' | sort -u | while read -r folder; do
    [[ -d $PREFIX/$folder ]] || continue
    find "$PREFIX/$folder" -name __pycache__ -type d -prune -exec rm -rf {} +
    find "$PREFIX/$folder" -depth -type d -empty -delete
  done
}

remove_user() {
  if id -u "$SERVICE_USER" >/dev/null 2>&1; then
    change userdel "$SERVICE_USER" || warn "usuário não removido" "user not removed"
  fi
  # userdel takes the group along where the system's login.defs says so.
  if ((!DRY_RUN)) && has_group "$SERVICE_USER"; then
    change groupdel "$SERVICE_USER" || warn "grupo não removido" "group not removed"
  fi
}

purge_box() {
  step "apagando dados, chaves, cópias e usuário" "deleting data, keys, backups and user"
  local data made_user
  data=$(storage_root)
  made_user=$(state_get made_user)
  if [[ $data != "$PREFIX"/* && -d $data ]]; then
    warn "os dados ficam, pois estão fora de $PREFIX: $data" "the data stay, as they are outside $PREFIX: $data"
  fi
  if [[ $made_user == yes ]]; then
    remove_user
    change rm -rf "$SERVICE_HOME"
  fi
  change rm -rf "$BACKUPS" "$TRUST_FOLDER"
  change rm -rf "$PREFIX"
  say "tudo foi apagado" "all was deleted"
}
