#!/bin/sh
# Tests a built pam_pose.so: its file, its limits, and its manners as a guest of real and hostile peers.
# Usage: tests/module/run.sh [MODULE.so [TEST…]]     (default: the release build)
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here"
module=${1:-${CARGO_TARGET_DIR:-target}/release/libpam_pose.so}
[ $# -eq 0 ] || shift
[ -e "$module" ] || { echo "no $module: run 'cargo build -p pam-module --release' first" >&2; exit 1; }
module=$(realpath "$module")

for tool in dbus-daemon unshare valgrind nm objdump cc; do
    command -v "$tool" >/dev/null || { echo "install $tool (dbus, util-linux, valgrind, binutils, gcc)" >&2; exit 1; }
done

PAM_POSE_MODULE=$module exec cargo test --locked -p pam-module --test module -- "$@"
