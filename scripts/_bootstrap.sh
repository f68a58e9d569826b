# shellcheck shell=bash
# Sourced by scripts/demo and scripts/test: `bootstrap core` or `bootstrap test` makes .venv ready.
# Needs Python 3.11 or newer and nothing else. FUTUREMAP_WHEELS=folder installs from that folder
# instead of the network (filled with: pip download -d folder -r requirements-test.lock -r scripts/build.lock).

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# An activated .venv must not be its own parent when it is made anew.
PATH=${PATH//"$PWD/.venv/bin:"/}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

say() { printf '%s\n%s\n' "$1" "$2" >&2; } # say JAPANESE ENGLISH

die() {
  say "$@"
  exit 1
}

as_root() { # as root, or with a sudo that asks nothing; otherwise fails at once
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@" 2>/dev/null
  fi
}

can_apt() { command -v apt-get >/dev/null && as_root true; }

apt_install() { # apt_install PACKAGES...; what apt says is shown only when it fails
  say "apt で入れます: $*" "Installing with apt: $*"
  local log
  log=$(mktemp)
  as_root apt-get update -qq -o Acquire::Retries=3 >"$log" 2>&1 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1
  local status=$?
  [ $status = 0 ] || tail -n 15 "$log" >&2
  rm -f "$log"
  return $status
}

find_python() { # the newest usable Python; each is really run, as a version manager's stub may stand for none
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

from_wheels() { # the pip options that keep an offline installation offline
  if [ -n "${FUTUREMAP_WHEELS:-}" ]; then
    [ -d "$FUTUREMAP_WHEELS" ] ||
      die "FUTUREMAP_WHEELS のフォルダーがありません: $FUTUREMAP_WHEELS" "FUTUREMAP_WHEELS is not a folder: $FUTUREMAP_WHEELS"
    pip_source=(--no-index --find-links "$FUTUREMAP_WHEELS")
  else
    pip_source=()
  fi
}

venv_has_pip() { .venv/bin/python -m pip --version >/dev/null 2>&1; }

# Four ways to a .venv with pip, tried in turn; Debian splits venv and pip off from Python.
venv_alone() { "$python" -m venv .venv; }
venv_with_system_pip() {
  "$python" -m pip --python "$python" --version && # pip >= 22.3 can install into another environment
    "$python" -m venv --without-pip .venv &&
    "$python" -m pip --python .venv/bin/python install "${pip_source[@]}" --require-hashes -r scripts/build.lock
}
venv_with_virtualenv() { virtualenv --python "$python" .venv; }
venv_with_uv() {
  uv venv --python "$python" .venv &&
    uv pip install --python .venv/bin/python "${pip_source[@]}" --require-hashes -r scripts/build.lock
}
venv_with_apt() {
  can_apt || return 1
  local version
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  # Which of the two fits depends on whether $python is the distribution's default one.
  apt_install "python$version-venv" || apt_install python3-venv || return 1
  "$python" -m venv .venv
}

make_venv() {
  python=$(find_python) || die \
    'Python 3.11 以上が必要です(Debian 12 なら: sudo apt-get install python3 python3-venv)。' \
    'Python 3.11 or newer is needed (on Debian 12: sudo apt-get install python3 python3-venv).'
  say "Python 環境 .venv を作ります($python)。" "Making the Python environment .venv with $python."
  local way
  for way in venv_alone venv_with_system_pip venv_with_virtualenv venv_with_uv venv_with_apt; do
    rm -rf .venv # what the way before left half made
    # Only apt, the last resort, may be heard: why another way failed is no news to the reader.
    if [ "$way" = venv_with_apt ]; then "$way" || :; else "$way" >/dev/null 2>&1 || :; fi
    ! venv_has_pip || return 0
  done
  rm -rf .venv
  die "$python には venv と pip がありません。sudo apt-get install python3-venv(Debian、Ubuntu)を実行するか、uv か virtualenv を入れてから、もう一度どうぞ。" \
    "$python has neither venv nor pip. Run: sudo apt-get install python3-venv (Debian, Ubuntu), or install uv or virtualenv; then try again."
}

fingerprint() { # of all that decides what .venv must hold; scripts in .venv name its place, so that too
  { cat pyproject.toml requirements.lock requirements-test.lock scripts/build.lock && pwd; } |
    .venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

install_locked() { # install_locked LOCKFILE
  # --no-deps: the lock is complete, and pip check below says so if it ever is not.
  local pip=(.venv/bin/python -m pip) install=(install -qq "${pip_source[@]}")
  "${pip[@]}" "${install[@]}" --require-hashes -r scripts/build.lock &&
    "${pip[@]}" "${install[@]}" --require-hashes --no-deps --no-build-isolation -r "$1" &&
    "${pip[@]}" "${install[@]}" --no-deps --no-build-isolation --editable . || die \
    '導入に失敗しました(上の表示を見てください)。ネットワークのない環境では FUTUREMAP_WHEELS=フォルダー を指定します。' \
    'The installation failed (see above). Without a network, set FUTUREMAP_WHEELS=folder.'
  local complaint
  complaint=$("${pip[@]}" check) || die \
    'ロックファイルが pyproject.toml と合っていません。scripts/lock を実行してください。' \
    "The lock files do not fit pyproject.toml. Run scripts/lock. pip check: $complaint"
}

bootstrap() { # bootstrap core|test
  local stamp=.venv/futuremap-installed wanted=$1 lock=requirements.lock installed=''
  [ "$wanted" = core ] || lock=requirements-test.lock
  if [ -e .venv ] && [ ! -e .venv/pyvenv.cfg ]; then
    die '.venv は Python 環境ではありません。名前を変えるか消してください。' \
      '.venv is not a Python environment. Rename or remove it.'
  fi
  from_wheels
  venv_has_pip || make_venv
  [ ! -e "$stamp" ] || installed=$(cat "$stamp")
  local now
  now=$(fingerprint)
  # The test environment holds the core one.
  if [ "$installed" = "$now $wanted" ] || [ "$installed" = "$now test" ]; then
    return
  fi
  say "必要なものを入れます($lock、1~3 分)。" "Installing what is needed ($lock, 1 to 3 minutes)."
  rm -f "$stamp"
  install_locked "$lock"
  echo "$now $wanted" >"$stamp"
}
