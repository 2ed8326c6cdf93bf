"""The lines of /etc/pam.d that the cases try, and the files they go into."""

import pathlib

# The module's limit is wide: a busy machine plays the clips late.
OPTIONS = "timeout=60"
STACKS = {
    # The password by pam_unix, then the pose: the recommended use.
    "second factor": ["required pam_unix.so", f"required pam_pose.so pose_only {OPTIONS}"],
    "second factor, 5 s": ["required pam_unix.so", "required pam_pose.so pose_only timeout=5"],
    "second factor, nouserok": ["required pam_unix.so", f"required pam_pose.so pose_only nouserok {OPTIONS}"],
    # The module alone: it asks for the password and the helper checks it.
    "required": [f"required pam_pose.so {OPTIONS}"],
    # The helper checks the password that pam_unix asked for.
    "use_first_pass": ["required pam_unix.so", f"required pam_pose.so use_first_pass {OPTIONS}"],
    # The pose instead of the password, the password where the pose does not do.
    "sufficient": [f"sufficient pam_pose.so pose_only {OPTIONS}", "required pam_unix.so"],
}


def write(service, stack, before=(), session=("required pam_permit.so",)):
    """Makes the service use a stack; `before` are auth lines that the service needs in front of it."""
    lines = [f"auth {line}" for line in (*before, *STACKS[stack])]
    lines += ["account required pam_unix.so", "password required pam_deny.so"]
    lines += [f"session {line}" for line in session]
    pathlib.Path("/etc/pam.d", service).write_text("\n".join(lines) + "\n")
