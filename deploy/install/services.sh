# shellcheck shell=bash
# What starts the box: systemd units and cron jobs.

UNIT=vv-video-ai
UNITS=/etc/systemd/system
JOBS=/etc/cron.d/vv-video-ai
ROTATION=/etc/logrotate.d/vv-video-ai
PROGRAMS=(vv-playlist vv-tv-api vv-capture vv-process-video vv-tv-mirror)

put_file() { # TARGET: stdin, if it differs; whole or not at all
  local text
  text=$(cat && printf .)
  text=${text%.}
  if [[ -f $1 ]] && cmp -s "$1" <(printf %s "$text"); then return; fi
  note "escrevendo $1" "writing $1"
  ((!DRY_RUN)) || { change put_file "$1" && return; }
  CHANGES=$((CHANGES + 1))
  mkdir -p "${1%/*}"
  # A name with a dot: cron and logrotate leave it alone.
  printf %s "$text" >"$1.vv-new"
  chmod 644 "$1.vv-new"
  mv "$1.vv-new" "$1"
}

drop_file() { # PATH…
  local path
  for path in "$@"; do
    [[ ! -e $path && ! -L $path ]] || change rm -f "$path"
  done
}

# Folder, data folder and user of this installation instead of those that the shipped units name.
fill_unit() { # FILE
  local data logs
  data=$(storage_root) logs=$(log_folder)
  sed -e "s|/opt/vv-video-ai-system/data|$data|g" -e "s|/opt/vv-video-ai-system/logs|$logs|g" \
    -e "s|/opt/vv-video-ai-system|$PREFIX|g" -e "s|^User=.*|User=$SERVICE_USER|" \
    -e "s|^OnBootSec=.*|OnBootSec=${BOOT_DELAY:-60}|" "$1"
}

log_folder() {
  local folder
  folder=$(read_setting VV_LOG_DIR)
  folder=${folder:-logs}
  [[ $folder == /* ]] || folder=$PREFIX/$folder
  printf '%s\n' "$folder"
}

has_timer() { [[ -n $BOOT_DELAY && $BOOT_DELAY != 0 ]]; }

install_services() {
  step "systemd: $UNIT.service" "systemd: $UNIT.service"
  if [[ $MODE == docker ]]; then
    drop_programs
    put_file "$UNITS/$UNIT.service" < <(fill_unit "$PREFIX/vv-video-ai.service")
  else
    put_file "$UNITS/$UNIT.service" < <(fill_unit "$PREFIX/deploy/systemd/vv-video-ai-process.service")
    put_file "$UNITS/$UNIT@.service" < <(fill_unit "$PREFIX/deploy/systemd/vv-video-ai@.service")
  fi
  if has_timer; then
    put_file "$UNITS/$UNIT.timer" < <(fill_unit "$PREFIX/vv-video-ai.timer")
  else
    disable_unit "$UNIT.timer"
    drop_file "$UNITS/$UNIT.timer"
  fi
  ! has_systemd || ((DRY_RUN)) || systemctl daemon-reload
  enable_units
}

enable_units() {
  if ! command -v systemctl >/dev/null; then
    note "não há systemd: os ciclos vêm do cron" "there is no systemd: cycles come from cron"
    return
  fi
  if has_timer; then
    disable_unit "$UNIT.service"
    enable_unit "$UNIT.timer"
  else
    enable_unit "$UNIT.service"
  fi
  local program wanted
  wanted=" $(wanted_programs) "
  for program in "${PROGRAMS[@]}"; do
    if [[ $wanted == *" $program "* ]]; then enable_unit "$UNIT@$program.service"; else drop_program "$program"; fi
  done
}

# Prints the programs that run as services: with Docker none, and not what the installed rooms cannot run.
wanted_programs() {
  local program wanted=()
  for program in "${PROGRAMS[@]}"; do
    [[ $MODE == process && -x $PREFIX/.venv/bin/$program ]] || continue
    [[ $program != vv-tv-api ]] || has_room api || continue
    [[ $program != vv-playlist ]] || has_room playlists || continue
    [[ $program != vv-tv-mirror ]] || has_room mirror || has_room mirror-blur || continue
    wanted+=("$program")
  done
  echo "${wanted[*]-}"
}

enable_unit() { [[ $(systemctl is-enabled "$1" 2>/dev/null) == enabled ]] || change quiet 60 systemctl enable "$1"; }

disable_unit() {
  command -v systemctl >/dev/null || return 0
  [[ $(systemctl is-enabled "$1" 2>/dev/null) != enabled ]] || change quiet 60 systemctl disable "$1"
}

drop_program() { # PROGRAM
  disable_unit "$UNIT@$1.service"
  ! is_running "$UNIT@$1.service" || change quiet 120 systemctl stop "$UNIT@$1.service"
}

drop_programs() {
  local program
  for program in "${PROGRAMS[@]}"; do drop_program "$program"; done
  drop_file "$UNITS/$UNIT@.service"
}

# Also what is starting again and again. Of a unit that there is not, systemctl stop would make an error.
is_running() { # UNIT
  has_systemd && [[ ! $(systemctl show --property ActiveState --value "$1") =~ ^(inactive|failed)$ ]]
}

install_jobs() {
  step "cron: $JOBS" "cron: $JOBS"
  put_file "$JOBS" < <(job_lines)
  put_file "$ROTATION" < <(fill_template "$PREFIX/deploy/logrotate/vv-video-ai")
  # Where systemd does not start cron, nothing does.
  if ! has_systemd && ((!DRY_RUN)) && [[ ! -e /run/crond.pid ]]; then
    note "o serviço cron não está rodando; inicie-o" "the cron service is not running; start it"
  fi
}

fill_template() { # FILE
  sed -e "s|@PREFIX@|$PREFIX|g" -e "s|@USER@|$SERVICE_USER|g" -e "s|@PYTHON@|$PREFIX/.venv/bin/python|g" \
    -e "s|@LOGS@|$(log_folder)|g" -e "s|@HOME@|$SERVICE_HOME|g" -e "s|@EVERY_INTERVAL@|$(cron_interval)|g" "$1"
}

# Prints the cron file, without the jobs that do not belong to this way of running.
job_lines() {
  local without=()
  if [[ $MODE == process ]]; then
    without+=(self_monitor.py rebuild_changed.sh)
    # There it stays, as a service.
    ! command -v systemctl >/dev/null || without+=(orchestrator.py)
  fi
  has_room selftest || has_room dev || without+=(daily_tests.sh)
  local name drop=()
  for name in ${without[@]+"${without[@]}"}; do
    drop+=(-e "s|^[^#].*/$name.*|# (not here: $name)|")
  done
  fill_template "$PREFIX/deploy/cron/vv-video-ai" | sed -e '' ${drop[@]+"${drop[@]}"}
}

# Prints ORCHESTRATOR_INTERVAL (seconds) as cron says it: whole minutes up to 59, whole hours above.
cron_interval() {
  local seconds minutes hours
  seconds=$(read_setting ORCHESTRATOR_INTERVAL)
  [[ $seconds =~ ^[0-9]+(\.[0-9]+)?$ ]] || seconds=300
  minutes=$(((10#${seconds%.*} + 59) / 60))
  hours=$((minutes / 60))
  if ((minutes <= 1)); then
    echo '* * * * *'
  elif ((minutes < 60)); then
    echo "*/$minutes * * * *"
  elif ((hours < 24)); then
    echo "0 */$hours * * *"
  else
    echo '0 0 * * *'
  fi
}

start_box() {
  step "iniciando" "starting"
  ((!DRY_RUN)) || { change systemctl start "$UNIT" && return; }
  local is_up=0
  ! has_systemd || ! systemctl is-active --quiet "$UNIT" || is_up=1
  if [[ $MODE == docker ]]; then
    start_containers || unhealthy "os contêineres não ficaram saudáveis" "the containers did not become healthy"
  fi
  has_systemd || return 0
  if ((!is_up)); then
    change quiet 400 systemctl start "$UNIT" || unhealthy "o serviço não iniciou" "the service did not start"
  elif [[ $MODE == process ]] && ((CHANGES > 0)); then
    change quiet 120 systemctl restart "$UNIT" || unhealthy "o serviço não reiniciou" "the service did not start again"
  fi
  local program
  for program in $(wanted_programs); do
    is_running "$UNIT@$program.service" || change quiet 120 systemctl start "$UNIT@$program.service" ||
      unhealthy "$program não iniciou" "$program did not start"
  done
}

stop_box() {
  local unit
  for unit in "$UNIT.timer" "$UNIT.service" "${PROGRAMS[@]/#/$UNIT@}"; do
    ! is_running "$unit" || quiet 120 systemctl stop "$unit" || true
  done
}
