#!/usr/bin/env bash
# VV-Video-AI-System: install, update or remove the box on Debian or Ubuntu. docs/install.md tells more.
#
#   curl -fsSL https://raw.githubusercontent.com/voulezvous-ai/vv-video-ai-system/main/install.sh | sudo bash
#
# May be run again at any time: what is there is kept, what is missing is done. Everything is in functions that the
# last line starts, so a download that was cut off does nothing. This file does what must be done before the product's
# files are there; the rest is in deploy/install/, which comes with them.
# shellcheck disable=SC2034 # deploy/install/ reads more of the variables than this file does

set_defaults() {
  PREFIX=/opt/vv-video-ai-system
  DEFAULT_SOURCE=https://github.com/voulezvous-ai/vv-video-ai-system.git
  SOURCE='' REF='' MODE='' ROOMS='' BUNDLE='' VKEY='' BOOT_DELAY=''
  ACTION=install DRY_RUN=0 PURGE=0
  CHANGES=0 STEPS=0
  SERVICE_USER=vv-video
  OS_RELEASE=/etc/os-release
  TRUST_FOLDER=/etc/vv-video-ai
  EX_USAGE=64 EX_NOINPUT=66 EX_UNAVAILABLE=69 EX_SOFTWARE=70 EX_TEMPFAIL=75 EX_NOPERM=77 EX_CONFIG=78
}

usage() {
  cat <<'TEXT'
install.sh: instala, atualiza ou remove o VV-Video-AI-System / installs, updates or removes it

  curl -fsSL URL/install.sh | sudo bash                      instala / installs
  curl -fsSL URL/install.sh | sudo bash -s -- --no-docker    com opções / with options

  --prefix DIR       pasta / folder (default: /opt/vv-video-ai-system)
  --no-docker        estágios como processos, sob systemd / stages as processes, under systemd
  --docker           de volta aos contêineres / back to containers (default)
  --rooms A,B        o que instalar no .venv, como bootstrap.py --rooms / what to install in .venv
  --source URL       repositório git / git repository (default: this checkout, else the public one)
  --ref REF          ramo ou etiqueta / branch or tag (default: main; of a checkout: what is checked out)
  --boot-delay SEC   começar SEC segundos após o boot, por timer / start so long after boot, by a timer; 0: no timer
  --offline BUNDLE   instalar sem rede, do arquivo de make bundle / without a network, from make bundle's file
  --vkey KEY         chave que deve ter assinado o pacote (texto ou arquivo) / key that must have signed it (text or file)
  --upgrade          atualizar; com cópia antes, e volta se a saúde falhar / update; backup first, back if unhealthy
  --uninstall        remover; dados, chaves e .env ficam / remove; data, keys and .env stay
  --purge            com --uninstall: tudo, também os dados / with --uninstall: everything, data too
  --dry-run          mostrar os passos, não mudar nada / show the steps, change nothing
  --help             esta ajuda / this help

VV_LANGUAGE=en: English only; VV_LANGUAGE=pt-BR: só português. DVR_IP=1.2.3.4: goes into .env.
Exit codes (sysexits.h): 0 done; 64 usage; 65 bundle; 66 not there; 69 unavailable; 75 busy; 77 signature or rights; 78 set-up.
TEXT
}

# --- talking -----------------------------------------------------------------------------------------------------

say() { # PORTUGUESE ENGLISH
  case ${VV_LANGUAGE:-} in
    en*) printf '%s\n' "$2" ;;
    pt*) printf '%s\n' "$1" ;;
    *) printf '%s / %s\n' "$1" "$2" ;;
  esac
}

step() { # PORTUGUESE ENGLISH: what comes now
  STEPS=$((STEPS + 1))
  printf '[%d] ' "$STEPS"
  say "$1" "$2"
}

note() { printf '    ' && say "$1" "$2"; }
warn() { printf '  ! ' >&2 && say "$1" "$2" >&2; }

die() { # EXIT-CODE PORTUGUESE ENGLISH ADVICE-PT ADVICE-EN
  printf 'install.sh: ' >&2
  say "$2" "$3" >&2
  printf '→ ' >&2
  say "$4" "$5" >&2
  exit "$1"
}

# Runs what changes the machine, and counts it; with --dry-run it is shown instead.
change() {
  CHANGES=$((CHANGES + 1))
  if ((DRY_RUN)); then
    printf '    +' && printf ' %q' "$@" && printf '\n'
    return 0
  fi
  "$@"
}

# Runs a talkative command in silence; its last lines are shown when it fails.
quiet() { # SECONDS COMMAND…
  local output seconds=$1
  shift
  if ! output=$(timeout --kill-after=10 "$seconds" "$@" 2>&1); then
    printf '%s\n' "$output" | tail -n 15 >&2
    return 1
  fi
}

# --- reading the command line ------------------------------------------------------------------------------------

parse_arguments() {
  while (($#)); do
    case $1 in
      --prefix | --source | --ref | --rooms | --offline | --vkey | --boot-delay)
        [[ $# -ge 2 && -n $2 ]] || usage_error "$1: falta o valor" "$1: its value is missing"
        take_value "$1" "$2"
        shift
        ;;
      --prefix=* | --source=* | --ref=* | --rooms=* | --offline=* | --vkey=* | --boot-delay=*)
        [[ -n ${1#*=} ]] || usage_error "${1%%=*}: falta o valor" "${1%%=*}: its value is missing"
        take_value "${1%%=*}" "${1#*=}"
        ;;
      --no-docker) MODE=process ;;
      --docker) MODE=docker ;;
      --upgrade) ACTION=upgrade ;;
      --uninstall) ACTION=uninstall ;;
      --purge) PURGE=1 ;;
      --dry-run) DRY_RUN=1 ;;
      --help | -h) usage && exit 0 ;;
      *) usage_error "opção desconhecida: $1" "unknown option: $1" ;;
    esac
    shift
  done
  check_arguments
}

take_value() {
  case $1 in
    --prefix) PREFIX=${2%/} ;;
    --source) SOURCE=$2 ;;
    --ref) REF=$2 ;;
    --rooms) ROOMS=$2 ;;
    --offline) BUNDLE=$2 ;;
    --vkey) VKEY=$2 ;;
    --boot-delay) BOOT_DELAY=$2 ;;
  esac
}

check_arguments() {
  # It goes into cron lines and units, and --purge removes it.
  [[ $PREFIX =~ ^(/[A-Za-z0-9._-]+){2,}$ && $PREFIX != *..* ]] ||
    usage_error "--prefix: caminho absoluto, de letras, números e . _ -, abaixo de uma pasta" \
      "--prefix: an absolute path of letters, digits and . _ -, below a folder"
  [[ ! -L $PREFIX ]] || usage_error "--prefix é um link: $PREFIX" "--prefix is a link: $PREFIX"
  [[ -z $ROOMS || $ROOMS =~ ^[a-z-]+(,[a-z-]+)*$ ]] || usage_error "--rooms: nomes e vírgulas" "--rooms: names and commas"
  [[ -z $REF || $REF =~ ^[A-Za-z0-9][A-Za-z0-9._/-]*$ ]] || usage_error "--ref: nome inválido" "--ref: no valid name"
  [[ -z $BOOT_DELAY || $BOOT_DELAY =~ ^[0-9]{1,5}$ ]] || usage_error "--boot-delay: segundos" "--boot-delay: seconds"
  [[ $SOURCE != -* ]] || usage_error "--source: endereço inválido" "--source: no valid address"
  if ((PURGE)) && [[ $ACTION != uninstall ]]; then
    usage_error "--purge só com --uninstall" "--purge only with --uninstall"
  fi
  if [[ -n $VKEY && -z $BUNDLE ]]; then
    usage_error "--vkey só com --offline" "--vkey only with --offline"
  fi
  if [[ -n $BUNDLE && ! -f $BUNDLE ]]; then
    die "$EX_NOINPUT" "o pacote não existe: $BUNDLE" "the bundle does not exist: $BUNDLE" \
      "Confira o caminho." "Check the path."
  fi
  [[ -z $BUNDLE ]] || BUNDLE=$(readlink -f "$BUNDLE")
  [[ -z $VKEY || ! -f $VKEY ]] || VKEY=$(head -n 1 "$VKEY")
}

usage_error() { die "$EX_USAGE" "$1" "$2" "Veja install.sh --help." "See install.sh --help."; }

# --- who, and on what --------------------------------------------------------------------------------------------

# Prints the folder of this script; nothing when it was piped into bash.
script_folder() {
  local file=${BASH_SOURCE[0]:-}
  if [[ -f $file ]]; then (cd "$(dirname "$file")" && pwd -P); fi
}

become_root() {
  ((EUID != 0 && !DRY_RUN)) || return 0
  command -v sudo >/dev/null || die "$EX_NOPERM" "é preciso ser root, e não há sudo" "root is needed, and there is no sudo" \
    "Rode como root." "Run it as root."
  # Through env: sudo itself does not pass variables on.
  local start=(sudo -- env "VV_LANGUAGE=${VV_LANGUAGE:-}" "DVR_IP=${DVR_IP:-}" bash) folder
  folder=$(script_folder)
  if [[ -n $folder ]]; then
    exec "${start[@]}" "$folder/${BASH_SOURCE[0]##*/}" "$@"
  fi
  # Piped into bash: it is in memory only.
  exec "${start[@]}" -c "$(declare -f)"$'\nmain "$@"' install.sh "$@"
}

check_system() {
  local id version
  id=$(os_field ID) version=$(os_field VERSION_ID)
  case $id in
    debian) is_at_least "$version" 12 || refuse_system "Debian $version" ;;
    ubuntu) is_at_least "$version" 22 || refuse_system "Ubuntu $version" ;;
    *) refuse_system "${id:-?} $version" ;;
  esac
}

os_field() { # one value of /etc/os-release, which is not run as a program
  [[ -r $OS_RELEASE ]] || return 0
  sed -n "s/^$1=//p" "$OS_RELEASE" | head -n 1 | tr -d "\"'"
}

# Debian's testing names no version: it is newer.
is_at_least() { [[ -z $1 ]] || ((10#${1%%.*} >= $2)); }

refuse_system() {
  die "$EX_CONFIG" "este sistema não serve: $1" "this system will not do: $1" \
    "Use Debian 12 ou mais novo, ou Ubuntu 22.04 ou mais novo." "Use Debian 12 or newer, or Ubuntu 22.04 or newer."
}

take_lock() {
  ((!DRY_RUN)) || return 0
  mkdir -p /run/lock
  exec 9>>/run/lock/vv-video-ai-install.lock
  flock --wait 30 9 || die "$EX_TEMPFAIL" "outra instalação está em andamento" "another installation is at work" \
    "Espere que termine e rode de novo." "Wait until it has ended and run it again."
}

# --- packages ----------------------------------------------------------------------------------------------------

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

install_packages() { # NAME…: from the network, or offline from the bundle
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  note "instalando: ${missing[*]}" "installing: ${missing[*]}"
  if [[ -n $BUNDLE ]]; then
    install_bundled_packages "${missing[@]}"
    return
  fi
  local apt=(apt-get -y -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  # An installation that was cut off leaves packages unpacked and not configured.
  [[ -z $(dpkg --audit) ]] || change quiet 1800 dpkg --configure -a
  change quiet 600 "${apt[@]}" update ||
    die "$EX_UNAVAILABLE" "apt-get update falhou" "apt-get update failed" \
      "Confira a rede e /etc/apt, e rode de novo." "Check the network and /etc/apt, and run it again."
  change quiet 3600 "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
    die "$EX_UNAVAILABLE" "pacotes não instalados: ${missing[*]}" "packages not installed: ${missing[*]}" \
      "Leia as mensagens acima e rode de novo." "Read the messages above and run it again."
}

install_bundled_packages() { # NAME…: what the bundle has of them, with what they need
  local files=("$WORK"/bundle/debs/*.deb)
  if [[ ! -e ${files[0]} ]]; then
    die "$EX_UNAVAILABLE" "faltam pacotes, e o arquivo não os traz: $*" "packages are missing, and the bundle has none: $*" \
      "Instale-os, ou faça o arquivo com --debs." "Install them, or make the bundle with --debs."
  fi
  change quiet 3600 apt-get -y -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/dev/null \
    install --no-install-recommends "${files[@]}" ||
    die "$EX_UNAVAILABLE" "os pacotes do arquivo não foram instalados" "the bundle's packages were not installed" \
      "Leia as mensagens acima." "Read the messages above."
}

base_packages() {
  local python
  python=$(python_package)
  printf '%s\n' ca-certificates curl git jq ffmpeg cron logrotate "$python" "$python-venv"
}

# Ubuntu 22.04's own python3 is 3.10, too old.
python_package() {
  if [[ $(os_field ID) == ubuntu && $(os_field VERSION_ID) == 22.* ]]; then echo python3.11; else echo python3; fi
}

# --- what this installation is: a few lines NAME=value beside the repository -------------------------------------

state_get() { # NAME
  local file
  for file in "$PREFIX/.git/vv-state" "$PREFIX/.vv-kept/state"; do
    if [[ -f $file ]]; then
      sed -n "s/^$1=//p" "$file"
      return
    fi
  done
}

state_set() { # NAME VALUE
  [[ $(state_get "$1") != "$2" ]] && ((!DRY_RUN)) || return 0
  local file=$PREFIX/.git/vv-state
  { [[ ! -f $file ]] || grep -v "^$1=" "$file" || true; printf '%s=%s\n' "$1" "$2"; } >"$file.new"
  sync "$file.new"
  mv "$file.new" "$file"
}

# --- the product's files -----------------------------------------------------------------------------------------

git_box() { timeout --kill-after=10 900 git -C "$PREFIX" "$@"; }

check_folder() {
  [[ -d $PREFIX && ! -d $PREFIX/.vv-kept && ! -d $WORK && -n $(ls -A "$PREFIX") ]] || return 0
  die "$EX_CONFIG" "a pasta não está vazia e não é deste produto: $PREFIX" \
    "the folder is not empty and not of this product: $PREFIX" \
    "Mude-a de lugar, ou escolha outra com --prefix." "Move it away, or choose another one with --prefix."
}

prepare_folder() {
  [[ ! -e $PREFIX/.git/vv-state ]] || return 0
  change mkdir -p "$WORK"
  change git init --quiet --initial-branch=installed "$PREFIX"
  if [[ -f $PREFIX/.vv-kept/state ]]; then
    # An uninstallation has left data here.
    change cp "$PREFIX/.vv-kept/state" "$PREFIX/.git/vv-state.new"
    change mv "$PREFIX/.git/vv-state.new" "$PREFIX/.git/vv-state"
    change rm -rf "$PREFIX/.vv-kept"
  fi
  state_set version 1
}

choose_source() {
  local folder
  folder=$(script_folder)
  if [[ -n $BUNDLE ]]; then
    SOURCE=$WORK/bundle/repository.bundle REF=HEAD
  elif [[ -z $SOURCE && -n $folder && $folder != "$PREFIX" && -e $folder/.git && -f $folder/bootstrap.py ]]; then
    SOURCE=$folder REF=${REF:-HEAD}
  elif [[ -z $SOURCE ]]; then
    SOURCE=$(state_get source)
    REF=${REF:-$(state_get ref)}
  fi
  SOURCE=${SOURCE:-$DEFAULT_SOURCE} REF=${REF:-main}
}

# Sets TARGET, the commit to install.
find_target() {
  local installed listed
  installed=$(state_get installed)
  # A checkout belongs to whoever made it; root was asked to install from it.
  if ! listed=$(git_safe ls-remote "$SOURCE" "$REF" "refs/tags/$REF^{}") || [[ -z $listed ]]; then
    if [[ -n $installed && $ACTION == install && -z $BUNDLE$(state_get updating_from) ]]; then
      warn "sem acesso a $SOURCE ($REF); fica a versão instalada" "no access to $SOURCE ($REF); the installed version stays"
      TARGET=$installed SOURCE=''
      return
    fi
    die "$EX_UNAVAILABLE" "sem acesso a $SOURCE ($REF)" "no access to $SOURCE ($REF)" \
      "Confira a rede, --source e --ref." "Check the network, --source and --ref."
  fi
  local name
  # A branch before a tag, of an annotated tag its commit; not what else ends in the same name (origin/HEAD).
  for name in "$REF" "refs/heads/$REF" "refs/tags/$REF^{}" "refs/tags/$REF"; do
    TARGET=$(awk -v name="$name" '$2 == name { print $1; exit }' <<<"$listed")
    [[ -z $TARGET ]] || return 0
  done
  die "$EX_UNAVAILABLE" "não há $REF em $SOURCE" "there is no $REF in $SOURCE" "Confira --ref." "Check --ref."
}

git_safe() {
  GIT_TERMINAL_PROMPT=0 timeout --kill-after=10 900 git -c safe.directory='*' "$@"
}

fetch_target() {
  local shallow=()
  # Out of reach, and not needed.
  [[ -n $SOURCE ]] || return 0
  # Left by a git that was killed; our own lock keeps others away.
  find "$PREFIX/.git" -path "$WORK" -prune -o -name '*.lock' -exec rm -f {} +
  if [[ $(git_safe -C "$PREFIX" rev-parse --quiet --verify refs/vv/target) != "$TARGET" ]]; then
    # A bundle is never shallow, and git says so.
    [[ -n $BUNDLE ]] || shallow=(--update-shallow)
    change git_safe -C "$PREFIX" fetch --quiet --force --no-tags "${shallow[@]}" "$SOURCE" "+$REF:refs/vv/target" ||
      die "$EX_UNAVAILABLE" "não foi possível baixar de $SOURCE" "cannot fetch from $SOURCE" \
        "Leia as mensagens acima e rode de novo." "Read the messages above and run it again."
    TARGET=$(git_safe -C "$PREFIX" rev-parse --verify --quiet 'refs/vv/target^{commit}')
  fi
  [[ -n $BUNDLE ]] || { state_set source "$SOURCE" && state_set ref "$REF"; }
}

# The rest of the program, of the version that is to be installed.
load_steps() { # FOLDER
  local file
  for file in "$1"/deploy/install/*.sh; do
    # shellcheck source=/dev/null
    source "$file"
  done
}

unpack_steps() {
  [[ $(cat "$WORK/steps/commit" 2>/dev/null) != "$TARGET" ]] || return 0
  rm -rf "$WORK/steps"
  mkdir -p "$WORK/steps"
  git_box archive "$TARGET" deploy/install | tar -x -C "$WORK/steps"
  printf '%s\n' "$TARGET" >"$WORK/steps/commit"
}

# --- offline -----------------------------------------------------------------------------------------------------

# Prints the program that checks a bundle. make bundle writes an install.sh in which it is contained.
bundle_opener() {
  local file
  file=$(script_folder)/vv-core/bundle/opening.py
  if [[ ! -f $file ]]; then
    die "$EX_CONFIG" "falta vv-core/bundle/opening.py ao lado de install.sh" "vv-core/bundle/opening.py is missing beside install.sh" \
      "Use o install.sh que make bundle escreve." "Use the install.sh that make bundle writes."
  fi
  cat "$file"
}

open_bundle() {
  [[ -n $BUNDLE ]] || return 0
  local python remembered=$TRUST_FOLDER/bundle.vkey trusted
  python=$(find_python) || die "$EX_UNAVAILABLE" "falta o Python 3.11 ou mais novo" "Python 3.11 or newer is missing" \
    "Instale python3: ele confere o arquivo antes de tudo." "Install python3: it checks the bundle before all else."
  step "conferindo o pacote" "checking the bundle"
  trusted=${VKEY:-$(cat "$remembered" 2>/dev/null || true)}
  local opener
  opener=$(bundle_opener)
  ((!DRY_RUN)) || { "$python" -c "$opener" "$BUNDLE" ${trusted:+--vkey "$trusted"} && return; }
  mkdir -p "$WORK"
  rm -rf "$WORK/bundle"
  "$python" -c "$opener" "$BUNDLE" "$WORK/bundle" ${trusted:+--vkey "$trusted"} --write-vkey "$WORK/bundle.vkey"
  if [[ -z $trusted ]]; then
    warn "primeira vez: esta chave passa a valer nesta máquina ($remembered). Compare a impressão com a do fornecedor." \
      "first time: this key counts on this machine from now on ($remembered). Compare its fingerprint with the supplier's."
  fi
  if ! cmp -s "$WORK/bundle.vkey" "$remembered"; then
    change install -D -m 644 "$WORK/bundle.vkey" "$remembered"
  fi
  export PIP_NO_INDEX=1 PIP_FIND_LINKS="$WORK/bundle/wheels"
}

find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

# --- the order of things -----------------------------------------------------------------------------------------

show_steps_only() {
  local folder
  folder=$(script_folder)
  if [[ -f $folder/deploy/install/steps.sh ]]; then
    load_steps "$folder"
  elif [[ -f $PREFIX/deploy/install/steps.sh ]]; then
    load_steps "$PREFIX"
  else
    note "depois: baixar $SOURCE ($REF) em $PREFIX, usuário $SERVICE_USER, bootstrap.py, imagens, systemd, cron, exame" \
      "then: fetch $SOURCE ($REF) into $PREFIX, user $SERVICE_USER, bootstrap.py, images, systemd, cron, health check"
    return
  fi
  install_box
}

install_or_update() {
  if [[ $ACTION == upgrade && -z $(state_get installed) ]]; then
    die "$EX_NOINPUT" "não há instalação completa em $PREFIX" "there is no complete installation in $PREFIX" \
      "Rode sem --upgrade." "Run it without --upgrade."
  fi
  check_folder
  open_bundle
  step "pacotes do sistema" "system packages"
  mapfile -t packages < <(base_packages)
  install_packages "${packages[@]}"
  step "arquivos do produto: $PREFIX" "the product's files: $PREFIX"
  choose_source
  find_target
  if ((DRY_RUN)); then
    show_steps_only
    return
  fi
  prepare_folder
  fetch_target
  unpack_steps
  load_steps "$WORK/steps"
  install_box
}

remove_box() {
  local folder
  for folder in "$WORK/steps" "$PREFIX/.vv-kept/steps" "$PREFIX" "$(script_folder)"; do
    if [[ -f $folder/deploy/install/remove.sh && -n $(state_get version) ]]; then
      load_steps "$folder"
      uninstall_box
      return
    fi
  done
  note "nada instalado em $PREFIX; nada a fazer" "nothing is installed in $PREFIX; nothing to do"
}

main() {
  set -euo pipefail
  umask 022
  set_defaults
  parse_arguments "$@"
  become_root "$@"
  # No program may read the rest of a script that is piped into bash.
  exec </dev/null
  WORK=$PREFIX/.git/vv-install
  check_system
  take_lock
  if [[ $ACTION == uninstall ]]; then remove_box; else install_or_update; fi
}

# In braces, so that bash runs it only once it is complete.
{
  (return 0 2>/dev/null) || main "$@"
}
