# shellcheck shell=bash
# The box itself: its user, its environment, settings and data.

SERVICE_HOME=/var/lib/vv-video-ai

# Group, user and home one by one, each looked for: power that fails inside useradd leaves a user whose group has no
# name, or one without a home, and both look like a finished user to `id`.
make_user() {
  if ! id -u "$SERVICE_USER" >/dev/null 2>&1; then
    step "usuário do serviço: $SERVICE_USER" "user of the service: $SERVICE_USER"
    state_set made_user yes
    has_group "$SERVICE_USER" || change groupadd --system "$SERVICE_USER"
    change useradd --system --gid "$SERVICE_USER" --home-dir "$SERVICE_HOME" --shell /usr/sbin/nologin "$SERVICE_USER"
  fi
  # An administrator's own user stays as it is, and a dry run has made none.
  [[ $(state_get made_user) == yes ]] && id -u "$SERVICE_USER" >/dev/null 2>&1 || return 0
  has_group "$(id -g "$SERVICE_USER")" || change groupadd --system --gid "$(id -g "$SERVICE_USER")" "$SERVICE_USER"
  [[ -d $SERVICE_HOME ]] || change install -d -m 700 -o "$SERVICE_USER" -g "$(id -g "$SERVICE_USER")" "$SERVICE_HOME"
}

has_group() { # NAME or number
  getent group "$1" >/dev/null
}

# bootstrap.py makes the environment, folders, keys and .env, and gives the service's user what is the box's own. The
# product's files and the environment stay root's: what serves the box cannot change what root will run.
run_bootstrap() {
  step "ambiente, pastas, .env, chaves ($ROOMS)" "environment, folders, .env, keys ($ROOMS)"
  local options=(--rooms "$ROOMS" --owner "$SERVICE_USER" --quiet)
  # An update must renew what is there.
  [[ -n $UPDATE_FROM ]] || options+=(--skip-existing)
  if ((DRY_RUN)); then
    change python3 bootstrap.py "${options[@]}"
    return
  fi
  if [[ -z $BUNDLE ]] && has_room summarizer && [[ ! -d $PREFIX/.venv/lib ]]; then
    install_packages gcc g++ cmake make # llama.cpp is compiled here
  fi
  # With --quiet it says nothing when it did nothing.
  local said=$WORK/said
  (cd "$PREFIX" && timeout --kill-after=10 7200 "$(find_python)" bootstrap.py "${options[@]}") | tee "$said" ||
    die "$?" "bootstrap.py não terminou" "bootstrap.py did not end well" \
      "Siga o conselho acima e rode de novo." "Follow the advice above and run it again."
  [[ ! -s $said ]] || CHANGES=$((CHANGES + 1))
  rm "$said"
}

read_setting() { # NAME: its value in .env; the last line that sets it counts
  [[ ! -f $PREFIX/.env ]] || sed -n "s/^[[:space:]]*$1=//p" "$PREFIX/.env" | tail -n 1 | sed "s/^[\"']\(.*\)[\"']\$/\1/"
}

set_setting() { # NAME VALUE: into .env, whole or not at all
  note ".env: $1=$2" ".env: $1=$2"
  ((!DRY_RUN)) || { change set_setting "$@" && return; }
  CHANGES=$((CHANGES + 1))
  local new=$PREFIX/.env.vv-new
  (umask 077 && { grep -v "^[[:space:]]*$1=" "$PREFIX/.env" || true; printf '%s=%s\n' "$1" "$2"; } >"$new")
  chown --reference="$PREFIX/.env" "$new"
  sync "$new"
  mv "$new" "$PREFIX/.env"
}

# A value that somebody has set stays, unless the way of running was changed on the command line.
# It comes before bootstrap.py, which prepares what the way of running needs.
write_settings() {
  local runner=process
  if [[ ! -e $PREFIX/.env ]]; then
    change install -m 600 "$PREFIX/.env.example" "$PREFIX/.env.vv-new"
    change mv "$PREFIX/.env.vv-new" "$PREFIX/.env"
  fi
  [[ $MODE != docker ]] || runner=compose
  if [[ $(read_setting ORCHESTRATOR_RUNNER) != "$runner" ]] &&
    [[ $MODE == docker || -n $(read_setting ORCHESTRATOR_RUNNER) ]]; then
    set_setting ORCHESTRATOR_RUNNER "$runner"
  fi
  if [[ $MODE == docker && -z $(read_setting BOX_UID) ]] && ((!DRY_RUN)); then
    set_setting BOX_UID "$(id -u "$SERVICE_USER")"
    set_setting BOX_GID "$(id -g "$SERVICE_USER")"
  fi
  if [[ $MODE == docker && -z $(read_setting DOCKER_GID) ]] && ((!DRY_RUN)); then
    set_setting DOCKER_GID "$(docker_gid)"
  fi
  if [[ -n ${DVR_IP:-} && -z $(read_setting DVR_IP) ]]; then
    [[ $DVR_IP =~ ^[A-Za-z0-9.:_-]+$ ]] || usage_error "DVR_IP: endereço inválido" "DVR_IP: no valid address"
    set_setting DVR_IP "$DVR_IP"
  fi
}

storage_root() {
  local root
  root=$(read_setting VIDEO_STORAGE_ROOT)
  root=${root:-data}
  [[ $root == /* ]] || root=$PREFIX/$root
  printf '%s\n' "$root"
}

# Models of a bundle; a file that is there stays. bootstrap.py gives them to the service's user.
place_models() {
  local file target
  [[ -n $BUNDLE && -d $WORK/bundle/models ]] || return 0
  (cd "$WORK/bundle/models" && find . -type f -print0) | while IFS= read -r -d '' file; do
    target=$(storage_root)/models/${file#./}
    [[ -e $target ]] || install -D -m 644 "$WORK/bundle/models/$file" "$target"
  done
}

check_assets() {
  local clip
  clip=$(storage_root)/fallback/loop_silencioso.mp4
  step "conferindo o que há" "checking what is there"
  ((!DRY_RUN)) || return 0
  if ! timeout 60 ffprobe -v error -select_streams v:0 -show_entries stream=codec_name -of csv=p=0 "$clip" 2>/dev/null | grep -q .; then
    die "$EX_SOFTWARE" "o vídeo de reserva falta ou não toca: $clip" "the fallback clip is missing or does not play: $clip" \
      "Apague-o e rode de novo." "Delete it and run it again."
  fi
  if [[ -z $(read_setting DVR_IP) ]]; then
    warn "DVR_IP não está em .env: nada é gravado de um DVR até lá; input/ funciona" \
      "DVR_IP is not set in .env: nothing is recorded from a DVR until then; input/ works"
  fi
}
