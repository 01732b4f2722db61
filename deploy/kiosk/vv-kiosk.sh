#!/usr/bin/env bash
# Shows a TV of the box in full screen and never ends: waits for the box, starts the browser again when it is gone, and
# when the box says that this screen is silent or that its picture stands still. vv-kiosk.service runs it.
set -euo pipefail

: "${VV_KIOSK_SERVER:?as http://192.168.1.20:8000}"
SERVER=${VV_KIOSK_SERVER%/}
TV=${VV_KIOSK_TV:-tv1}
LANGUAGE_WANTED=${VV_KIOSK_LANGUAGE:-pt-BR}
LOOK_S=${VV_KIOSK_LOOK_SECONDS:-10}
# A browser on a small machine needs this long until its page has spoken to the box.
GRACE_S=${VV_KIOSK_GRACE_SECONDS:-120}
STATE=${VV_KIOSK_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/vv-kiosk}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BROWSER_PID=

say() { printf 'vv-kiosk: %s\n' "$*"; }

main() {
  mkdir -p "$STATE"
  trap 'stop_browser; exit 0' TERM INT
  local browser screen
  browser=$(find_browser)
  screen=$(screen_name)
  find_display
  keep_screen_on
  if ! box_answers; then
    say "aguardando a caixa / waiting for the box: $SERVER"
    start_browser "$browser" "file://$HERE/waiting.html"
    until box_answers; do
      pause "$LOOK_S"
      is_running || start_browser "$browser" "file://$HERE/waiting.html"
    done
  fi
  while true; do
    start_browser "$browser" "$SERVER/tv.html?tv=$TV&lang=$LANGUAGE_WANTED&screen=$screen"
    watch_browser "$screen"
  done
}

find_browser() {
  local name
  for name in ${VV_KIOSK_BROWSER:-chromium chromium-browser google-chrome}; do
    if command -v "$name"; then return; fi
  done
  say "falta o Chromium / Chromium is missing: sudo apt install chromium" >&2
  exit 69
}

# The same for as long as this machine is a kiosk.
screen_name() {
  [[ -s $STATE/screen ]] || od -An -N8 -tx1 /dev/urandom | tr -d ' \n' >"$STATE/screen"
  cat "$STATE/screen"
}

# A user's service does not always know where the desktop is.
find_display() {
  local socket
  [[ -z ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]] || return 0
  for socket in "${XDG_RUNTIME_DIR:-/nowhere}"/wayland-[0-9]; do
    if [[ -S $socket ]]; then
      export WAYLAND_DISPLAY=${socket##*/}
      return
    fi
  done
  [[ ! -S /tmp/.X11-unix/X0 ]] || export DISPLAY=:0
}

keep_screen_on() {
  [[ -n ${DISPLAY:-} ]] && command -v xset >/dev/null || return 0
  # Where the desktop does not listen to xset, it has a switch of its own (docs/tv-setup.md).
  xset s off s noblank -dpms || say "xset: a tela pode apagar / the screen may go dark"
}

box_answers() { curl --silent --fail --max-time 5 --output /dev/null "$SERVER/healthz"; }

start_browser() { # BROWSER URL
  local extra=()
  stop_browser
  read -ra extra <<<"${VV_KIOSK_FLAGS:-}"
  "$1" --kiosk --autoplay-policy=no-user-gesture-required --disable-background-media-suspend \
    --disable-renderer-backgrounding --disable-background-timer-throttling --noerrdialogs \
    --no-first-run --no-default-browser-check --hide-crash-restore-bubble --disable-infobars \
    --disable-features=Translate --disable-component-update --password-store=basic --ozone-platform-hint=auto \
    --user-data-dir="$STATE/profile" "${extra[@]}" "$2" >/dev/null 2>&1 &
  BROWSER_PID=$!
  SECONDS=0
}

is_running() { [[ -n $BROWSER_PID ]] && kill -0 "$BROWSER_PID" 2>/dev/null; }

stop_browser() {
  local waited
  [[ -n $BROWSER_PID ]] || return 0
  kill "$BROWSER_PID" 2>/dev/null || true
  for ((waited = 0; waited < 50; waited++)); do
    is_running || break
    sleep 0.1
  done
  kill -KILL "$BROWSER_PID" 2>/dev/null || true
  wait "$BROWSER_PID" 2>/dev/null || true
  BROWSER_PID=
}

# Return when the browser has to be started again.
watch_browser() { # SCREEN
  local trouble
  while true; do
    pause "$LOOK_S"
    if ! is_running; then
      say "o navegador terminou / the browser has ended"
      return
    fi
    ((SECONDS >= GRACE_S)) || continue
    trouble=$(find_trouble "$1")
    if [[ -n $trouble ]]; then
      say "a caixa diz / the box says: $trouble"
      return
    fi
  done
}

# What the box says is wrong with this screen. A box that does not answer says nothing: the page goes on alone then.
find_trouble() { # SCREEN
  local told
  told=$(curl --silent --fail --max-time 5 "$SERVER/tvs?tv=$TV&screen=$1") || return 0
  case $told in
    *'"trouble":"silent"'*) echo silent ;;
    *'"trouble":"frozen"'*) echo frozen ;;
    *'"trouble":"hidden"'*) echo hidden ;;
    *'"tvs":[]'*) echo unknown ;;
  esac
}

# `sleep` alone would keep a signal waiting.
pause() { # SECONDS
  sleep "$1" &
  wait $! || true
}

main
