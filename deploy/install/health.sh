# shellcheck shell=bash
# Whether the box works, after an installation or update.

unhealthy() { # PORTUGUESE ENGLISH
  local places=$PREFIX/logs/app.log
  ! has_systemd || places+=", journalctl --unit='$UNIT*'"
  die "$EX_SOFTWARE" "$1" "$2" "Veja $places; corrija e rode de novo." "Look at $places; correct it and run it again."
}

# The box is healthy when its commands work as its own user and what should run, runs and does its job.
check_health() {
  step "exame de saúde" "health check"
  ((!DRY_RUN)) || return 0
  local python=$PREFIX/.venv/bin/python program
  quiet 600 "$(find_python)" "$PREFIX/bootstrap.py" --check --skip-existing --rooms "$ROOMS" --owner "$SERVICE_USER" ||
    unhealthy "falta algo à caixa" "something is missing in the box"
  quiet 120 runuser -u "$SERVICE_USER" -- env HOME="$SERVICE_HOME" "$python" "$PREFIX/scripts/status.py" --json ||
    unhealthy "o estado da caixa não pode ser lido" "the state of the box cannot be read"
  # Reads settings, rules and the state of the pipeline, and starts no work.
  quiet 120 runuser -u "$SERVICE_USER" -- env HOME="$SERVICE_HOME" "$python" "$PREFIX/scripts/orchestrator.py" --quarantine ||
    unhealthy "o orquestrador não funciona" "the orchestrator does not work"
  [[ $MODE != docker ]] || check_stages
  has_systemd || return 0
  is_service_steady || unhealthy "o serviço $UNIT não se mantém" "the service $UNIT does not keep running"
  for program in $(wanted_programs); do
    does_its_job "$program" ||
      unhealthy "$program não faz o seu trabalho: journalctl -u $UNIT@$program" "$program does not do its job: journalctl -u $UNIT@$program"
  done
}

is_service_steady() {
  local waited before
  before=$(systemctl show --property NRestarts --value "$UNIT")
  for ((waited = 0; waited < 5; waited++)); do
    systemctl is-active --quiet "$UNIT" || return 1
    sleep 1
  done
  [[ $(systemctl show --property NRestarts --value "$UNIT") == "$before" ]]
}

# A program that crashes again and again is "active" for seconds each time: it has to show what it did.
does_its_job() { # PROGRAM
  local waited
  for ((waited = 0; waited < 90; waited++)); do
    ! has_done_something "$1" || return 0
    sleep 1
  done
  return 1
}

has_done_something() { # PROGRAM
  systemctl is-active --quiet "$UNIT@$1" || return 1
  case $1 in
    vv-tv-api) answers "$(read_setting VV_TV_API_LISTEN)" 127.0.0.1:8000 ;;
    vv-tv-mirror) answers "$(read_setting VV_MIRROR_LISTEN)" 127.0.0.1:8001 ;;
    vv-playlist) has_beaten "$1" playlist_manager ;;
    vv-capture) has_beaten "$1" video_capture ;;
    vv-process-video) has_beaten "$1" clip_converter ;;
  esac
}

answers() { # HOST:PORT as a setting has it, and what holds where it is empty
  local address=${1:-$2}
  address=${address/#0.0.0.0:/127.0.0.1:}
  address=${address/#"[::]:"/"[::1]:"}
  curl --silent --output /dev/null --max-time 5 --noproxy '*' "http://$address/health"
}

# Each turn that went well is written down; one from before this start does not count.
has_beaten() { # PROGRAM NAME
  local file started
  file=$(storage_root)/orchestrator_data/services/$2.json
  # To the microsecond: within the second of its start the one before may have said that all is well.
  started=$(systemctl show --timestamp=us+utc --property ActiveEnterTimestamp --value "$UNIT@$1")
  [[ -n $(find "$file" -newermt "$started" 2>/dev/null) ]] && "$PREFIX/.venv/bin/python" -m vv_core.service_health "$file" >/dev/null
}
