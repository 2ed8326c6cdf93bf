//! The demo: enrols rendered people, then tries to log in through the real `pam_pose.so`, rightly and wrongly, and
//! prints what each attempt led to. Exits with 1 if anything differs from what must come.
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use pose_system::login::{Login, TABLE};
use pose_system::runner::{self, Case, Scene};

fn main() -> ExitCode {
    let cases: Vec<Case> = TABLE.iter().map(as_case).collect();
    if let Some(code) = runner::inside(&cases) {
        return code;
    }
    let start = Instant::now();
    let differs = AtomicBool::new(false);
    println!(
        "Enrolling two rendered people from three recordings each, then ten attempts to log in as one of them.\n"
    );
    println!("   {:<40} {:<17} {:<17} {:>6}  reason", "attempt", "expected", "seen", "time");
    let chosen: Vec<&Case> = cases.iter().collect();
    let result = runner::run(&chosen, |case, output| {
        if output.status.success() {
            print!("{}", String::from_utf8_lossy(&output.stdout));
        } else {
            println!("!! {}\n{}", case.name, runner::said(output));
        }
        if !output.stdout.starts_with(b"ok") {
            differs.store(true, Ordering::Relaxed);
        }
    });
    if let Err(error) = result {
        eprintln!("pose-demo: {error}");
        return ExitCode::FAILURE;
    }
    println!("\n{} s in all.", start.elapsed().as_secs());
    if differs.load(Ordering::Relaxed) {
        println!("Some attempts did not end as they must (marked !!).");
        return ExitCode::FAILURE;
    }
    println!("Every attempt ended as it must.");
    ExitCode::SUCCESS
}

/// The attempt as a case that prints its row.
fn as_case(login: &'static Login) -> Case {
    Case { name: login.name.to_owned(), run: Box::new(|scene| row(login, scene)) }
}

fn row(login: &Login, scene: &Scene) -> pose_system::Result<String> {
    let row = login.attempt(scene)?;
    let mark = if login.accepts(&row) { "ok" } else { "!!" };
    let reason = row.outcome.as_deref().unwrap_or("no verdict");
    // After a success the last line shown is still an instruction.
    let shown = row.seen.shown.last().filter(|_| row.seen.code != "SUCCESS").map_or("", String::as_str);
    let seconds = row.seen.took.as_secs_f64();
    Ok(format!(
        "{mark} {:<40} {:<17} {:<17} {seconds:>5.1}s  {reason}  {shown}\n",
        login.name, login.code, row.seen.code
    ))
}
