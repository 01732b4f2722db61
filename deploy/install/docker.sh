# shellcheck shell=bash
# The Docker engine, and the images of the box.

LEAST_ENGINE=25  # older ones know neither start_interval of health checks nor heredocs in Dockerfiles
DOCKER_KEY=9DC858229FC7DD38854AE2D88D81803C0EBFCD88

compose() { # SECONDS ARGUMENTS…: silent, but for its last lines when it fails
  local seconds=$1
  shift
  local command
  mapfile -t command < <(compose_command)
  quiet "$seconds" "${command[@]}" "$@"
}

# Prints the program, a word a line: docker compose as the orchestrator runs it, with the box's name, paths and settings.
# The language that install.sh was told to speak is not the containers': they would be made again by who starts them next.
# Without its environment (an uninstallation that was cut off) the compose file's own defaults have to do.
compose_command() {
  printf '%s\n' env --unset=VV_LANGUAGE
  if [[ -x $PREFIX/.venv/bin/python && -f $PREFIX/scripts/compose.py ]]; then
    printf '%s\n' "$PREFIX/.venv/bin/python" "$PREFIX/scripts/compose.py"
  else
    printf '%s\n' docker compose --file "$PREFIX/docker-compose.yml" --project-directory "$PREFIX"
  fi
}

engine_answers() {
  local version
  version=$(timeout 20 docker version --format '{{.Server.Version}}' 2>/dev/null) || return 1
  ((${version%%.*} >= LEAST_ENGINE)) && timeout 20 docker compose version >/dev/null 2>&1
}

install_engine() {
  if ! engine_answers; then
    step "Docker e compose" "Docker and compose"
    local packages
    # What is decided next depends on what apt offers today.
    [[ -n $BUNDLE ]] || change quiet 600 apt-get -qq update || die "$EX_UNAVAILABLE" "apt-get update falhou" \
      "apt-get update failed" "Confira a rede e rode de novo." "Check the network and run it again."
    packages=$(engine_packages)
    # shellcheck disable=SC2086 # a list of names
    install_packages $packages
    start_engine
  fi
  if ((!DRY_RUN)) && [[ " $(id -G "$SERVICE_USER") " != *" $(docker_gid) "* ]]; then
    change usermod --append --groups docker "$SERVICE_USER"
  fi
}

docker_gid() { getent group docker | cut -d : -f 3; }

# Prints the packages to install: the system's own where they are new enough, else Docker's.
engine_packages() {
  local compose=docker-compose
  [[ $(os_field ID) != ubuntu ]] || compose=docker-compose-v2
  if is_new_enough docker.io "$LEAST_ENGINE" && is_new_enough "$compose" 2; then
    echo docker.io docker-cli docker-buildx "$compose"
  else
    [[ -n $BUNDLE ]] || add_docker_source >&2
    echo docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
  fi
}

is_new_enough() { # PACKAGE MAJOR: what apt offers
  local candidate
  candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')
  [[ -n $candidate && $candidate != '(none)' ]] && dpkg --compare-versions "$candidate" ge "$2"
}

add_docker_source() {
  local id codename key=/etc/apt/keyrings/docker.asc list=/etc/apt/sources.list.d/docker.list line
  id=$(os_field ID) codename=$(os_field VERSION_CODENAME)
  line="deb [arch=$(dpkg --print-architecture) signed-by=$key] https://download.docker.com/linux/$id $codename stable"
  [[ ! -f $list || $(cat "$list") != "$line" ]] || return 0
  note "fonte de pacotes do Docker: download.docker.com" "Docker's package source: download.docker.com"
  install_packages gpg
  ((!DRY_RUN)) || { change add_docker_source && return; }
  mkdir -p /etc/apt/keyrings
  if ! timeout 120 curl --fail --silent --show-error --location --retry 3 "https://download.docker.com/linux/$id/gpg" -o "$key.new" ||
    ! gpg --batch --quiet --show-keys --with-colons "$key.new" | grep -q "^fpr:*$DOCKER_KEY:"; then
    die "$EX_UNAVAILABLE" "a chave do Docker não veio, ou não é a que se espera" "Docker's key did not come, or is not the expected one" \
      "Instale o Docker (25 ou mais novo, com compose) e rode de novo, ou use --no-docker." \
      "Install Docker (25 or newer, with compose) and run it again, or use --no-docker."
  fi
  mv "$key.new" "$key"
  printf '%s\n' "$line" >"$list.new"
  mv "$list.new" "$list"
}

start_engine() {
  ((!DRY_RUN)) || return 0
  if has_systemd; then change quiet 120 systemctl enable --now docker; fi
  local waited
  for ((waited = 0; waited < 60; waited++)); do
    ! engine_answers || return 0
    sleep 1
  done
  die "$EX_UNAVAILABLE" "o Docker não responde, ou é anterior a $LEAST_ENGINE" "Docker does not answer, or is older than $LEAST_ENGINE" \
    "Veja: systemctl status docker; docker version. Ou use --no-docker." \
    "Look at: systemctl status docker; docker version. Or use --no-docker."
}

make_images() {
  step "imagens (a primeira vez leva de 5 a 20 min)" "images (the first time takes 5 to 20 min)"
  if ((DRY_RUN)); then
    change docker compose pull --ignore-buildable
    change docker compose --profile stages build
    return
  fi
  local before
  before=$(image_ids)
  if [[ -n $BUNDLE ]]; then
    load_images
  else
    compose 1800 pull --ignore-buildable --quiet ||
      warn "imagens de terceiros não vieram; segue com as que há" "images of others did not come; going on with those here"
    compose 7200 --profile stages build ||
      die "$EX_UNAVAILABLE" "as imagens não foram construídas" "the images were not built" \
        "Leia as mensagens acima e rode de novo." "Read the messages above and run it again."
  fi
  if [[ $(image_ids) != "$before" ]]; then
    CHANGES=$((CHANGES + 1))
    note "há imagens novas" "there are new images"
  fi
}

load_images() {
  local file=$WORK/bundle/images.tar
  if [[ -f $file ]]; then
    quiet 3600 docker load --quiet --input "$file" ||
      die "$EX_UNAVAILABLE" "as imagens do pacote não foram carregadas" "the bundle's images were not loaded" \
        "Confira o espaço em disco e rode de novo." "Check the disk space and run it again."
  fi
  local missing
  missing=$(image_ids | awk 'NF == 1 { print $1 }')
  # Compose would build what is missing, which needs a network.
  [[ -z $missing ]] ||
    die "$EX_UNAVAILABLE" "faltam imagens, e o pacote não as traz: ${missing//$'\n'/ }" \
      "images are missing, and the bundle has none: ${missing//$'\n'/ }" \
      "Faça o pacote sem --no-images e sem --images, ou use --no-docker." \
      "Make the bundle without --no-images and --images, or use --no-docker."
}

image_names() {
  local command
  mapfile -t command < <(compose_command)
  timeout 60 "${command[@]}" --profile stages config --images | sort -u
}

image_ids() {
  local name
  for name in $(image_names); do
    printf '%s %s\n' "$name" "$(docker image inspect --format '{{.Id}}' "$name" 2>/dev/null || true)"
  done
}

# Before an update, each image gets a second name, by which it can come back.
keep_images() { rename_images '' -before-update; }
bring_images_back() { rename_images -before-update ''; }

rename_images() { # SUFFIX-OF-THE-TAG-THAT-IS SUFFIX-TO-GIVE
  local name
  for name in $(image_names); do
    ! docker image inspect "$name$1" >/dev/null 2>&1 || docker tag "$name$1" "$name$2"
  done
}

# After an update, and after the way back: the second names go, and the images that nobody uses any more.
forget_images() {
  local name command project
  for name in $(image_names); do
    ! docker image inspect "$name-before-update" >/dev/null 2>&1 || docker image rm "$name-before-update" >/dev/null
  done
  mapfile -t command < <(compose_command)
  project=$(timeout 60 "${command[@]}" config --format json | jq -r .name)
  # Compose's own mark of what it has built; a name that another image has taken leaves one without a name.
  quiet 600 docker image prune --force --filter "label=com.docker.compose.project=$project" ||
    warn "imagens sem uso não removidas" "unused images not removed"
}

# A stage that cannot even say its version would fail with every video.
check_stages() {
  local command services stages stage
  mapfile -t command < <(compose_command)
  services=$(timeout 60 "${command[@]}" config --services)
  stages=$(timeout 60 "${command[@]}" --profile stages config --services)
  for stage in $(comm -13 <(sort <<<"$services") <(sort <<<"$stages")); do
    compose 300 run --rm --no-deps --no-TTY "$stage" --version ||
      unhealthy "o estágio não inicia: $stage" "the stage does not start: $stage"
  done
}

# The weekly rebuild would build all of them once more, and could not without a network.
remember_images() {
  ((!DRY_RUN)) || return 0
  quiet 300 runuser -u "$SERVICE_USER" -- env HOME="$SERVICE_HOME" bash "$PREFIX/scripts/rebuild_changed.sh" --remember ||
    warn "as imagens serão construídas de novo no domingo" "the images will be built once more on Sunday"
}

start_containers() {
  local before
  before=$(containers)
  compose 600 up --detach --no-build --remove-orphans --wait --wait-timeout 300 || return 1
  if [[ $(containers) != "$before" ]]; then
    CHANGES=$((CHANGES + 1))
    note "contêineres criados" "containers were made"
  fi
}

containers() {
  timeout 60 docker ps --no-trunc --quiet --filter "label=com.docker.compose.project.working_dir=$PREFIX" | sort
}
