//! `posectl devices`: cameras, what they deliver, what a login would use and why; a picture on request.

use std::path::Path;
use std::time::{Duration, Instant};

use pose_camera::camera::{Camera, CameraError};
use pose_camera::v4l2::trust::identity;
use pose_camera::v4l2::{
    Choice, Device, Distrust, LockedTimes, Mode, Request, Settled, Settling, V4l2Camera, choose, devices,
    mean_luma, trust,
};
use pose_vision::{Tracker, TrackerOptions};
use serde_json::{Value, json};

use crate::args::Devices;
use crate::bus::connect;
use crate::camera_choice::wanted_now;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::picture::Canvas;
use crate::recordings::assets;

/// Cameras need up to 5 s for their first picture; then exposure settles.
const PATIENCE: Duration = Duration::from_secs(8);

/// Runs the command.
pub(crate) fn run(args: &Devices, output: Output) -> Result<Exit, Failure> {
    if args.approve {
        connect::patiently(|| connect::helper()?.approve_cameras())?;
        output.say("The cameras that are connected now may have been plugged in at any time.")?;
    }
    let request = wanted_now()?;
    let found = devices();
    let choice = choose(&found, &request);
    let distrust = |device: &Device| trust(device, &found, &request).err();
    output.object(&json!({
        "devices": found.iter().map(|device| device_json(device, distrust(device).as_ref())).collect::<Vec<_>>(),
        "choice": choice.as_ref().ok().map(choice_json),
        "reason": choice.as_ref().map_or_else(ToString::to_string, |c| c.why.clone()),
    }))?;
    for device in &found {
        describe(device, distrust(device).as_ref(), output)?;
    }
    match &choice {
        Ok(choice) => output.say(&format!("A login would use {}: {}", choice_line(choice), choice.why))?,
        Err(e) => output.remark(&format!("A login could use none: {e}")),
    }
    if let Some(file) = &args.snapshot {
        snapshot(&found, &looked_at(args, request), file)?;
        output.say(&format!("Picture written to {}", file.display()))?;
    }
    Ok(if choice.is_ok() { Exit::Done } else { Exit::Camera })
}

/// A camera named on the command line is for a look, not for a login: any may be looked at.
fn looked_at(args: &Devices, request: Request) -> Request {
    match &args.device {
        None => request,
        Some(node) => Request {
            device: Some(node.to_string_lossy().into_owned()),
            identity: None,
            locked: LockedTimes::default(),
            virtual_devices: true,
            ..request
        },
    }
}

fn snapshot(found: &[Device], request: &Request, file: &Path) -> Result<(), Failure> {
    let failed = |e: CameraError| Failure::told(Exit::Camera, e);
    let choice = choose(found, request).map_err(failed)?;
    let device = found.iter().find(|d| d.node == choice.node);
    let device =
        device.ok_or_else(|| Failure::told(Exit::Internal, "the chosen camera is gone; try again"))?;
    let mut tracker =
        Tracker::new(&assets()?, &TrackerOptions::default()).map_err(|e| Failure::told(Exit::Assets, e))?;
    let mut camera = V4l2Camera::open_device(device, request).map_err(failed)?;
    let mut settling = Settling::default();
    let since = Instant::now();
    let frame = loop {
        match camera.next_frame(PATIENCE) {
            Ok(frame) => {
                let settled = mean_luma(&frame).map(|luma| settling.judge(frame.t_us, luma));
                if !matches!(settled, Some(Settled::NotYet)) || since.elapsed() > PATIENCE {
                    break frame;
                }
            }
            Err(CameraError::TimedOut) if since.elapsed() < PATIENCE => {}
            Err(e) => return Err(failed(e)),
        }
    };
    drop(camera);
    let unseen = |e| Failure::told(Exit::Camera, e);
    let observation = tracker.observe(&frame).map_err(unseen)?;
    let mut canvas = Canvas::of(&frame).map_err(unseen)?;
    match &observation.pose {
        Some(pose) => canvas.draw(pose),
        None => eprintln!("Nobody is in the picture, so no skeleton is drawn."),
    }
    canvas.write(file).map_err(|e| {
        Failure::new(Exit::Input, format_args!("{}: {e}", file.display()), "name a file that you may write")
    })
}

fn describe(device: &Device, distrust: Option<&Distrust>, output: Output) -> Result<(), Failure> {
    let mut remarks = vec![format!("{:?}", device.placement).to_lowercase()];
    remarks.extend(device.infrared.then(|| "infrared".to_owned()));
    remarks.extend(device.virtual_device.then(|| "virtual".to_owned()));
    output.say(&format!(
        "{}  {} ({}; {})",
        device.node.display(),
        device.name,
        remarks.join(", "),
        device.bus
    ))?;
    if let Some(usb) = &device.usb {
        output.say(&format!("    identity {} in USB port {}", identity(usb), usb.port))?;
    }
    for name in device.by_id.iter().chain(&device.by_path) {
        output.say(&format!("    also {}", name.display()))?;
    }
    for mode in &device.modes {
        output.say(&format!("    {}", mode_line(mode)))?;
    }
    if !device.other_formats.is_empty() {
        output.say(&format!("    not used here: {}", device.other_formats.join(", ")))?;
    }
    if let Some(problem) = &device.problem {
        output.say(&format!("    {problem}"))?;
    }
    match distrust {
        Some(why) => output.say(&format!("    may not watch logins: {why}")),
        None => output.say("    may watch logins"),
    }
}

fn mode_line(mode: &Mode) -> String {
    let rates: Vec<String> = rates(mode).iter().map(|fps| format!("{fps:.0}")).collect();
    let rates =
        if rates.is_empty() { "rate unknown".to_owned() } else { format!("{} fps", rates.join(", ")) };
    format!("{:?} {}×{}: {rates}", mode.format, mode.width, mode.height)
}

fn rates(mode: &Mode) -> Vec<f64> {
    let fps = |&(num, den): &(u32, u32)| if num == 0 { 0.0 } else { f64::from(den) / f64::from(num) };
    mode.intervals.iter().map(fps).collect()
}

fn choice_line(choice: &Choice) -> String {
    let fps = choice.fps().map(|fps| format!(" at {fps:.0} fps")).unwrap_or_default();
    format!("{} {:?} {}×{}{fps}", choice.node.display(), choice.format, choice.size.0, choice.size.1)
}

fn choice_json(choice: &Choice) -> Value {
    json!({
        "node": choice.node, "format": format!("{:?}", choice.format), "width": choice.size.0,
        "height": choice.size.1, "fps": choice.fps(),
    })
}

fn device_json(device: &Device, distrust: Option<&Distrust>) -> Value {
    json!({
        "node": device.node, "name": device.name, "driver": device.driver, "bus": device.bus,
        "by_id": device.by_id, "by_path": device.by_path, "virtual": device.virtual_device,
        "infrared": device.infrared, "placement": format!("{:?}", device.placement).to_lowercase(),
        "seat": device.seat, "identity": device.usb.as_ref().map(identity),
        "port": device.usb.as_ref().map(|usb| &usb.port),
        "trusted": distrust.is_none(), "distrust": distrust.map(ToString::to_string),
        "modes": device.modes.iter().map(|mode| json!({
            "format": format!("{:?}", mode.format), "width": mode.width, "height": mode.height, "fps": rates(mode),
        })).collect::<Vec<_>>(),
        "other_formats": device.other_formats, "problem": device.problem,
    })
}
