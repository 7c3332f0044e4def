#!/bin/sh
# Makes the virtual environment named by $1 if it is not there, and installs Pinproof into it; with a second argument `tests`, what
# the tests need as well. Needs Python 3.11 or newer; on Debian and Ubuntu the package that `python3 -m venv` wants is
# installed when it is missing.
set -eu
venv=$1
what=${2:-}

python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "environment: no Python 3.11 or newer found; install one and run make again" >&2
    exit 1
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

if [ -x "$venv/bin/python" ]; then
    :
elif ! "$python" -m venv "$venv" >/dev/null 2>&1; then
    rm -rf "$venv"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "environment: '$python -m venv' does not work; install your system's package for it" >&2
        exit 1
    fi
    echo "environment: installing python3-venv"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    "$python" -m venv "$venv"
fi

install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

if [ "$what" = tests ]; then
    echo "environment: installing what the tests need into $venv"
    install --editable '.[test]'
    # Training is left out where nobody asks for it: its library is a download of gigabytes on most machines.
    for extra in model video ${PINPROOF_EXTRAS:-}; do
        install --editable ".[$extra]" || echo "environment: NOT INSTALLED: the extra [$extra]" >&2
    done
else
    echo "environment: installing Pinproof into $venv"
    install --editable .
fi
