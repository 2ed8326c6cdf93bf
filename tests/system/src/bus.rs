//! A private bus on the system bus' constant path, with the policy that the project ships.
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, place};

/// A running bus; ends with this value.
pub struct Bus(Child);

impl Bus {
    /// Starts the bus in a furnished sandbox and waits until its socket is there.
    pub fn start(room: &Path) -> Result<Self> {
        let configuration = room.join("bus.conf");
        std::fs::write(&configuration, configuration_text(&shipped_policy(room)?))?;
        let child = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", configuration.display()))
            .args(["--nofork", "--nopidfile", "--nosyslog"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // It complains that it may not raise its limit of open files; a real fault shows as a missing socket.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start dbus-daemon ({error}): install the package dbus"))?;
        let bus = Self(child);
        wait_for(Path::new(pose_contract::SYSTEM_BUS_SOCKET), Duration::from_secs(5))?;
        Ok(bus)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until somebody listens; the socket's file is there a moment earlier.
fn wait_for(socket: &Path, limit: Duration) -> Result<()> {
    let start = Instant::now();
    while UnixStream::connect(socket).is_err() {
        if start.elapsed() > limit {
            return Err(format!("nobody listens on {} after {limit:?}", socket.display()).into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The shipped policy, with the helper's user replaced by the only user that exists in the namespace.
fn shipped_policy(room: &Path) -> Result<PathBuf> {
    let shipped = place::source().join("config/org.pam_pose.Helper1.conf");
    let text =
        std::fs::read_to_string(&shipped).map_err(|error| format!("{}: {error}", shipped.display()))?;
    let named = format!("user=\"{}\"", pose_contract::HELPER_USER);
    if !text.contains(&named) {
        return Err(format!("{} gives no rights to {named}", shipped.display()).into());
    }
    let policy = room.join("policy.conf");
    std::fs::write(&policy, text.replace(&named, "user=\"root\""))?;
    Ok(policy)
}

/// The system bus' own defaults: nobody owns a name, nobody calls anything, until a policy file allows it.
fn configuration_text(policy: &Path) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
  <include>{policy}</include>
</busconfig>
"#,
        socket = pose_contract::SYSTEM_BUS_SOCKET,
        policy = policy.display()
    )
}
