#!/bin/sh
# Runs the module and its test host under AddressSanitizer with leak detection.
# Usage: tests/module/run-sanitised.sh [TEST…]
# The sanitiser's switch is not stable yet, so RUSTC_BOOTSTRAP opens it for this build, which has its own folder.
set -eu
cd "$(dirname "$0")/../.."
target=$(rustc -vV | sed -n 's/^host: //p')

# -rdynamic: the sanitiser's runtime lies in the host program, and the module finds it there.
RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address -Clink-arg=-rdynamic' ASAN_OPTIONS=detect_leaks=1 \
    cargo test --locked --target "$target" --target-dir "${CARGO_TARGET_DIR:-target}/sanitised" \
    -p pam-module --test module -- \
    --skip=valgrind --skip=the_file_ --skip=shipped --skip=environment --skip=logged "$@"
# Skipped: other tools, the file itself, and the two traps that have to be loaded before the runtime.
