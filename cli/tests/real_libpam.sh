#!/bin/bash
# posectl pam and emergency-off on /, with the real libpam, pamtester and pam_pose.so, and no helper. Run in a mount
# namespace of its own, as its root: real_libpam.sh POSECTL pam_pose.so
set -euo pipefail
posectl=$1 module=$2

fail() { echo "FAILED: $*"; cat /run/said 2>/dev/null || true; exit 1; }
# What it says goes to /run/said; fails unless it ends with that code.
expect() {
  local code=$1 seen=0
  shift
  "$@" > /run/said 2>&1 < /dev/null || seen=$?
  [ "$seen" = "$code" ] || fail "$* ended with $seen, not $code"
}
says() { grep -qF -- "$1" /run/said || fail "nothing was said of: $1"; }
# Logs in as root with a password through a service.
login() { echo "$2" | timeout 60 pamtester "$1" root authenticate > /run/said 2>&1; }

mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/etc /run/security /run/new
security=$(dirname "$(find /lib /usr/lib -name pam_permit.so | head -1)")
cp -a "$security"/. /run/security
install -m 0644 "$module" /run/security/pam_pose.so
mount --bind /run/security "$security"
cp -a /etc/. /run/etc 2>/dev/null || true
rm -rf /run/etc/pam.d /run/etc/pam_pose
mkdir /run/etc/pam.d
rm -f /run/etc/shadow
# The password "secret".
echo 'root:$6$pose$YRRojd2bxEBzQ1EMABcSILlGrf4NV3eXZqwZ3viByPetfsvr0YJ0vaU05XYVzcoHVJD45f5qHlBv..J6fnOiR/:19700:0:99999:7:::' > /run/etc/shadow
chmod 600 /run/etc/shadow
mount --bind /run/etc /etc
cat > /etc/pam.d/common-auth <<'S'
auth	[success=1 default=ignore]	pam_unix.so nullok nodelay
auth	requisite			pam_deny.so
auth	required			pam_permit.so
S
for service in sudo login; do
  printf 'auth optional pam_env.so\n@include common-auth\naccount required pam_permit.so\n' > /etc/pam.d/$service
done
chmod 755 /etc/pam.d
chmod 644 /etc/pam.d/*
cp -a /etc/pam.d /run/before

login sudo secret || fail 'the password alone does not log in before anything was changed'
! login sudo wrong || fail 'a wrong password logs in'

# Every case of the analysis is also one of the real libpam, and the real module answers without a helper.
expect 0 "$posectl" pam apply sudo
for code in auth_err maxtries user_unknown authinfo_unavail conv_err system_err buf_err module_unknown; do
  says "right password, pose says $code: libpam says $code"
done
says 'right password, right pose: libpam says success'
says 'wrong password, right pose: libpam says auth_err'
says 'wrong password, never enrolled: libpam says auth_err'
says 'right password, never enrolled: libpam says success'
says 'the real pam_pose.so, no helper: libpam says authinfo_unavail'
[ -z "$(ls /run | grep posectl-dry-run || true)" ] || fail 'the dry run left something behind'
! login sudo secret || fail 'nobody asks for a pose'
says 'cannot retrieve authentication info'
login login secret || fail 'the second way for root is closed'
expect 0 "$posectl" pam verify sudo

# The switch needs no bus and no helper; then the password alone decides again, and a wrong one never does.
expect 0 "$posectl" emergency-off
login sudo secret || fail 'the emergency switch does not open sudo'
! login sudo wrong || fail 'after the emergency switch a wrong password logs in'
expect 0 "$posectl" emergency-off --undo
! login sudo secret || fail 'undo does not bring the pose back'
expect 0 "$posectl" pam rollback sudo
login sudo secret || fail 'rollback does not open sudo'
diff -r /run/before /etc/pam.d || fail 'rollback left a difference'

# A module that is not installed, and one whose line it refuses, are found by the dry run; nothing is changed.
rm "$security/pam_pose.so"
expect 1 "$posectl" pam apply sudo
says 'cannot load pam_pose.so'
diff -r /run/before /etc/pam.d || fail 'a refused apply changed something'
install -m 0644 "$module" "$security/pam_pose.so"

# Somebody who tries the new stack first, and is refused because no helper answers: it is not put in place.
echo secret | timeout 60 "$posectl" pam apply sudo --try root > /run/said 2>&1 && fail 'a refused try was put in place'
says 'root at this terminal, through the new stack'
says 'Nothing was changed'
diff -r /run/before /etc/pam.d || fail 'a refused try changed something'

# Another tool that writes the file in the moment after posectl has: what stands there is not what was checked, and the old
# text comes back.
cat > /run/new/meddle.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
int rename(const char *from, const char *to) {
  static int done;
  int result = ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
  if (result == 0 && !done && strcmp(to, "/etc/pam.d/sudo") == 0) {
    FILE *file = fopen(to, "w");
    fputs("auth sufficient pam_permit.so\n", file);
    fclose(file);
    done = 1;
  }
  return result;
}
C
cc -shared -fPIC -o /run/new/meddle.so /run/new/meddle.c -ldl
expect 70 env LD_PRELOAD=/run/new/meddle.so "$posectl" pam apply sudo
says 'the old text is back'
diff -r /run/before /etc/pam.d || fail 'the old text is not back'
expect 1 "$posectl" pam rollback sudo
says 'was taken back already'

# The shipped profile, as pam-auth-update writes it: root keeps the console, and the switch keeps its jump right.
cat >> /etc/pam.d/common-auth <<'S'
auth	[success=1 default=ignore]	pam_succeed_if.so quiet uid = 0 service = login
auth	required	pam_pose.so pose_only nouserok
S
! login sudo secret || fail 'the profile asks for no pose'
login login secret || fail 'the profile closes the console for root'
! login login wrong || fail 'the console takes a wrong password'
expect 0 "$posectl" pam verify sudo
says 'root'"'"'s password at the console'
expect 0 "$posectl" emergency-off
login sudo secret && login login secret || fail 'the switch does not undo the profile'
! login login wrong && ! login sudo wrong || fail 'a wrong password logs in after the switch'
