//! A process in user and mount namespaces of its own: uid 0 there, with its own `/run`, `/etc` and bus, so that the
//! shipped programs meet their constant paths and nothing of the machine is touched.
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};

use crate::Result;

/// A command that runs this very program again inside new namespaces, and dies with this process.
pub fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new("unshare");
    if user_namespaces_work() {
        command.args(["--user", "--map-root-user"]);
    } else if !nix::unistd::Uid::effective().is_root() {
        return Err("users get no namespace of their own here; run this as root and outside a chroot, or allow them: sysctl \
                    kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0"
            .into());
    }
    command.args(["--mount", "--fork", "--kill-child"]);
    command.arg("--").arg(std::env::current_exe()?).args(arguments);
    // A bus or a configuration named in the environment must make no difference; whoever runs this may have set one.
    command.env_remove("DBUS_SYSTEM_BUS_ADDRESS").env_remove("DBUS_SESSION_BUS_ADDRESS");
    Ok(command)
}

/// The kernel gives no user namespace inside a chroot. Root does without one: its mounts are private all the same.
fn user_namespaces_work() -> bool {
    let quiet = std::process::Stdio::null;
    let tried = Command::new("unshare").args(["--user", "--map-root-user", "true"]).stderr(quiet()).status();
    tried.is_ok_and(|status| status.success())
}

/// Accounts that exist inside, with uids of their own.
pub const ACCOUNTS: [(&str, u32); 5] =
    [("ben", 1001), ("chidi", 1002), ("anna", 1003), ("dora", 1004), ("root", 0)];

/// Makes `/run` and `/etc` private and fills them: accounts, PAM, the bus' folder, the project's configuration.
/// To be called first thing in a process that [`command`] started.
pub fn furnish(room: &Path) -> Result<()> {
    let run = room.join("run");
    std::fs::create_dir_all(run.join("dbus"))?;
    bind(&run, Path::new("/run"))?;

    let etc = room.join("etc");
    // A copy, so that every file in it may be replaced; what this user may not read is not needed.
    let _ = Command::new("cp")
        .args(["-a", "/etc/."])
        .arg(mkdir(&etc)?)
        .stderr(std::process::Stdio::null())
        .status()?;
    write_accounts(&etc)?;
    mkdir(&etc.join("pam_pose"))?;
    bind(&etc, Path::new("/etc"))
}

fn mkdir(path: &Path) -> Result<&Path> {
    std::fs::create_dir_all(path)?;
    Ok(path)
}

fn bind(from: &Path, to: &Path) -> Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .map_err(|error| format!("cannot bind {} over {}: {error}", from.display(), to.display()).into())
}

/// `passwd`, `group` and `shadow` with the demo's people, none locked (`!`, `*`) or expired.
fn write_accounts(etc: &Path) -> Result<()> {
    let (mut passwd, mut group, mut shadow) = (String::new(), String::new(), String::new());
    for (name, uid) in ACCOUNTS {
        passwd += &format!("{name}:x:{uid}:{uid}:{name}:/nonexistent:/bin/sh\n");
        group += &format!("{name}:x:{uid}:\n");
        shadow += &format!("{name}:$6$none$none:19700:0:99999:7:::\n");
    }
    for (name, text, mode) in [("passwd", passwd, 0o644), ("group", group, 0o644), ("shadow", shadow, 0o640)]
    {
        let path = etc.join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
    }
    // Names come from these files alone.
    let switch = etc.join("nsswitch.conf");
    let _ = std::fs::remove_file(&switch);
    Ok(std::fs::write(switch, "passwd: files\ngroup: files\nshadow: files\n")?)
}
