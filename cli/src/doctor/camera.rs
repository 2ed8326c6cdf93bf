//! Cameras: there, allowed by the configuration, readable by the helper's group.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::Group;
use pose_camera::v4l2::{Device, Distrust, Request, choose, devices, trust};

use super::Finding;
use crate::camera_choice::wanted_now;

/// All checks of this file.
pub(super) fn check() -> Vec<Finding> {
    let found = devices();
    let mut findings: Vec<Finding> = found.iter().filter_map(looked_at).collect();
    let wishes = match wanted_now() {
        Ok(wishes) => wishes,
        Err(failure) => {
            findings.push(super::service::broken("camera", &failure));
            return findings;
        }
    };
    findings.push(match choose(&found, &wishes) {
        Ok(choice) => Finding::ok("camera", format!("{}: {}", choice.node.display(), choice.why)),
        Err(e) => Finding::problem("camera", e.to_string(), "run `posectl devices`"),
    });
    findings.extend(found.iter().filter_map(|device| distrusted(device, &found, &wishes)));
    findings.extend(found.iter().filter_map(|device| group(&device.node)));
    findings
}

/// Each camera that may not watch, with the reason. That the configuration names another one is what was wanted.
fn distrusted(device: &Device, all: &[Device], wishes: &Request) -> Option<Finding> {
    let why = trust(device, all, wishes).err().filter(|why| *why != Distrust::NotNamed)?;
    let text = why.to_string();
    let (what, fix) = text.split_once("; ").unwrap_or((&text, "run `posectl devices`"));
    Some(Finding::warning("camera", format!("{} is not used: {what}", device.node.display()), fix))
}

/// A device that this user could not look at says less about the helper than about this user.
fn looked_at(device: &Device) -> Option<Finding> {
    let problem = device.problem.as_ref()?;
    Some(Finding::warning(
        "camera",
        format!("{}: {problem}", device.node.display()),
        "run `posectl doctor` as root",
    ))
}

fn group(node: &Path) -> Option<Finding> {
    let meta = fs::metadata(node).ok()?;
    let video = Group::from_name("video").ok().flatten()?;
    let readable = meta.gid() == video.gid.as_raw() && meta.mode() & 0o060 == 0o060;
    (!readable).then(|| {
        Finding::problem(
            "camera",
            format!("{} may not be opened by group video, which the helper is in", node.display()),
            format!("chgrp video {0} && chmod g+rw {0}; a udev rule keeps it so", node.display()),
        )
    })
}
