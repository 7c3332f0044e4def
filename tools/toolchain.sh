#!/bin/sh
# Installs what the tests of firmware need from Debian or Ubuntu: the Arm cross compiler, the emulator,
# two speech synthesisers, and the sample video.
# What cannot be installed is said loudly; the tests that need it then count themselves as skipped, and fail where CI is set.
set -eu

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing=
command -v arm-none-eabi-gcc >/dev/null 2>&1 || missing="$missing gcc-arm-none-eabi binutils-arm-none-eabi"
command -v qemu-system-arm >/dev/null 2>&1 || missing="$missing qemu-system-arm"
command -v llvm-mc >/dev/null 2>&1 || missing="$missing llvm"
command -v gcc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v espeak-ng >/dev/null 2>&1 || missing="$missing espeak-ng"
command -v flite >/dev/null 2>&1 || missing="$missing flite"
[ -e /usr/share/doc/opencv-doc/examples/data/vtest.avi ] || missing="$missing opencv-doc"

# An independent verifier of certificates.
if [ ! -d build/node/node_modules/@sigstore/verify ]; then
    if command -v npm >/dev/null 2>&1; then
        mkdir -p build/node
        npm install --silent --no-save --prefix build/node @sigstore/bundle@4 @sigstore/verify@3 @sigstore/protobuf-specs ||
            echo "toolchain: NOT INSTALLED: sigstore-js" >&2
    else
        echo "toolchain: NOT INSTALLED: sigstore-js (no npm here)" >&2
    fi
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "toolchain: NOT INSTALLED:$missing (no apt-get here; install them by hand)" >&2
    exit 0
fi
echo "toolchain: installing$missing"
as_root apt-get update -qq || true
for package in $missing; do
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
        echo "toolchain: NOT INSTALLED: $package" >&2
done
