#!/usr/bin/env bash
# Makes this machine (Raspberry Pi OS with desktop, Debian, Ubuntu) show a TV of the box from now on. Run it as the user
# whose desktop comes up by itself; run it again to change something.
#   bash setup.sh http://192.168.1.20:8000 tv1 [pt-BR|en]
set -euo pipefail

readonly EX_USAGE=64 EX_UNAVAILABLE=69
die() { # CODE TEXT
  printf 'setup.sh: %s\n' "$2" >&2
  exit "$1"
}

((EUID != 0)) || die $EX_USAGE "rode sem sudo, com o usuário da tela / run it without sudo, as the user of the screen"
[[ ${1:-} =~ ^https?://[][A-Za-z0-9.:-]+/?$ ]] || die $EX_USAGE "endereço da caixa / the box's address: http://192.168.1.20:8000"
[[ ${2:-tv1} =~ ^[A-Za-z0-9_-]{1,64}$ ]] || die $EX_USAGE "nome da TV / name of the TV: tv1"
[[ ${3:-pt-BR} =~ ^(pt-BR|en)$ ]] || die $EX_USAGE "pt-BR | en"
command -v curl >/dev/null || die $EX_UNAVAILABLE "sudo apt install curl"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
  die $EX_UNAVAILABLE "sudo apt install chromium"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
config=$HOME/.config
mkdir -p "$HOME/.local/lib/vv-kiosk" "$config/systemd/user"
install -m 755 "$here/vv-kiosk.sh" "$HOME/.local/lib/vv-kiosk/"
install -m 644 "$here/waiting.html" "$HOME/.local/lib/vv-kiosk/"
install -m 644 "$here/vv-kiosk.service" "$config/systemd/user/"
printf 'VV_KIOSK_SERVER=%s\nVV_KIOSK_TV=%s\nVV_KIOSK_LANGUAGE=%s\n' "${1%/}" "${2:-tv1}" "${3:-pt-BR}" >"$config/vv-kiosk.env"
# Raspberry Pi OS has a switch of its own for a screen that goes dark.
if command -v raspi-config >/dev/null; then
  sudo --non-interactive raspi-config nonint do_blanking 1 ||
    echo "rode / run: sudo raspi-config nonint do_blanking 1"
fi
systemctl --user daemon-reload
systemctl --user enable --quiet vv-kiosk.service
systemctl --user restart vv-kiosk.service
echo "pronto / done: journalctl --user -u vv-kiosk -f"
