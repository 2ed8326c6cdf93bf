//! The life of an account, through the real module and daemon: locked, expired, re-created, renamed, removed, a password
//! changed, a database lost or put back. Whatever happened, nobody is let in for it, and `nouserok` excuses none of it.
use std::path::Path;
use std::process::{Command, ExitCode};

use pose_system::bus::Bus;
use pose_system::film::Film;
use pose_system::helper::{Helper, Setup};
use pose_system::pam::{self, Request, Seen};
use pose_system::runner::{Case, Scene, said, test_main};
use pose_system::{Result, place};

/// What a test does in its sandbox.
type Story = fn(&Scene) -> Result<()>;

const STORIES: &[(&str, Story)] = &[
    ("a re-created account is refused and not excused", re_created),
    ("a second name of the same uid is refused and not excused", second_name),
    ("an enrolled name that is no account any more is refused and not excused", no_account),
    ("a removed enrolment is refused and not excused", removed),
    ("without its database nobody is excused", lost_database),
    ("a database from before a removal is not taken back", restored_database),
    ("a locked account is refused after a full pass", |scene| {
        closed(scene, "ben:!$6$none$none:19700:0:99999:7:::")
    }),
    ("an expired account is refused after a full pass", |scene| {
        closed(scene, "ben:$6$none$none:19700:0:99999:7::19701:")
    }),
    ("a password too old is refused after a full pass", |scene| {
        closed(scene, "ben:$6$none$none:10000:0:30:7:10::")
    }),
    ("a password changed through PAM is the one that counts", changed_password),
];

/// What an ignored module makes of this stack: SUCCESS.
const EXCUSING: &str = "auth required MODULE pose_only nouserok\nauth required pam_permit.so\n";

fn main() -> ExitCode {
    let case = |(name, story): &'static (&str, Story)| Case {
        name: (*name).to_owned(),
        run: Box::new(|scene| story(scene).map(|()| String::new())),
    };
    test_main(STORIES.iter().map(case).collect())
}

fn re_created(scene: &Scene) -> Result<()> {
    edit("/etc/passwd", |text| text.replace("ben:x:1001:", "ben:x:2001:"))?;
    refused(scene, "ben", "AUTH_ERR", "outcome=refused")
}

fn second_name(scene: &Scene) -> Result<()> {
    edit("/etc/passwd", |text| format!("{text}benny:x:1001:1001:benny:/nonexistent:/bin/sh\n"))?;
    refused(scene, "benny", "AUTH_ERR", "outcome=refused")
}

/// Deleted, or its directory is silent: the helper cannot tell, and the enrolment is still there.
fn no_account(scene: &Scene) -> Result<()> {
    edit("/etc/passwd", |text| {
        text.lines().filter(|line| !line.starts_with("ben:")).map(|line| format!("{line}\n")).collect()
    })?;
    refused(scene, "ben", "AUTH_ERR", "outcome=refused user=ben")
}

fn removed(scene: &Scene) -> Result<()> {
    let _bus = Bus::start(&scene.room)?;
    let helper = start(scene)?;
    remove_ben()?;
    expect(&excusing(scene, "ben")?, "USER_UNKNOWN", &helper.messages())
}

fn lost_database(scene: &Scene) -> Result<()> {
    let _bus = Bus::start(&scene.room)?;
    std::fs::remove_file(scene.state.join("store.db"))?;
    if start(scene).is_ok() {
        return Err("the daemon started without its database".into());
    }
    for user in ["ben", "dora"] {
        expect(&excusing(scene, user)?, "AUTHINFO_UNAVAIL", "no daemon")?;
    }
    Ok(())
}

fn restored_database(scene: &Scene) -> Result<()> {
    let _bus = Bus::start(&scene.room)?;
    let copy = scene.room.join("copy");
    let cp = |from: &Path, to: &Path| Command::new("cp").arg("-aT").args([from, to]).status();
    if !cp(&scene.state, &copy)?.success() {
        return Err("cannot copy the state".into());
    }
    let helper = start(scene)?;
    remove_ben()?;
    drop(helper);
    // The installed daemon keeps its generation in another folder, which whoever puts the state back does not have.
    let anchor = scene.state.join("generation");
    let generation = std::fs::read(&anchor)?;
    std::fs::remove_dir_all(&scene.state)?;
    if !cp(&copy, &scene.state)?.success() {
        return Err("cannot put the copy back".into());
    }
    std::fs::write(&anchor, generation)?;
    match start(scene) {
        Ok(_) => return Err("the daemon took an old copy".into()),
        Err(error) if error.to_string().contains("older copy") => {}
        Err(error) => return Err(format!("not for the reason of an old copy: {error}").into()),
    }
    expect(&excusing(scene, "ben")?, "AUTHINFO_UNAVAIL", "no daemon")
}

/// The right person with the right password and pose, whose account root has closed.
fn closed(scene: &Scene, entry: &str) -> Result<()> {
    edit("/etc/shadow", |text| {
        let others = text.lines().filter(|line| !line.starts_with("ben:")).map(str::to_owned);
        others.chain([entry.to_owned()]).map(|line| line + "\n").collect()
    })?;
    let _bus = Bus::start(&scene.room)?;
    let helper = start(scene)?;
    let seen = pam::ask(&scene.room, &Request::new("ben", "correct horse"), |_| {})?;
    let messages = helper.messages();
    expect(&seen, "AUTH_ERR", &messages)?;
    // The daemon cannot see the shadow file: its verdict was a pass, and the module, as root, refused it.
    says(&messages, "outcome=success")
}

fn changed_password(scene: &Scene) -> Result<()> {
    let _bus = Bus::start(&scene.room)?;
    let helper = start(scene)?;
    let mut change = Request::new("ben", "a new secret\na new secret");
    (change.stack, change.action) = ("password required MODULE\n", "chauthtok");
    expect(&pam::ask(&scene.room, &change, |_| {})?, "SUCCESS", &helper.messages())?;
    let old = pam::ask(&scene.room, &Request::new("ben", "correct horse"), |_| {})?;
    expect(&old, "AUTH_ERR", &helper.messages())?;
    says(&helper.messages(), "outcome=wrong_password")?;
    let new = pam::ask(&scene.room, &Request::new("ben", "a new secret"), |_| {})?;
    expect(&new, "SUCCESS", &helper.messages())?;
    // Whoever is not enrolled changes the system's password undisturbed.
    let mut other = Request::new("dora", "x\nx");
    (other.stack, other.action) =
        ("password required MODULE\npassword required pam_permit.so\n", "chauthtok");
    expect(&pam::ask(&scene.room, &other, |_| {})?, "SUCCESS", &helper.messages())
}

fn start(scene: &Scene) -> Result<Helper> {
    let film = Film::login("ben_circle_touch_3").answered_by("ben");
    Helper::start(&Setup::new(&scene.room, &scene.state, &film)?)
}

fn refused(scene: &Scene, user: &str, code: &str, words: &str) -> Result<()> {
    let _bus = Bus::start(&scene.room)?;
    let helper = start(scene)?;
    expect(&excusing(scene, user)?, code, &helper.messages())?;
    says(&helper.messages(), words)
}

/// A login that an ignored module would let through.
fn excusing(scene: &Scene, user: &str) -> Result<Seen> {
    let mut request = Request::new(user, "");
    request.stack = EXCUSING;
    pam::ask(&scene.room, &request, |_| {})
}

fn remove_ben() -> Result<()> {
    let output = Command::new(place::built("posectl")?).args(["remove", "ben", "--yes"]).output()?;
    if output.status.success() { Ok(()) } else { Err(said(&output).into()) }
}

fn expect(seen: &Seen, code: &str, messages: &str) -> Result<()> {
    if seen.code == code {
        return Ok(());
    }
    Err(format!("expected {code}, seen {seen:#?}\nthe daemon said:\n{messages}").into())
}

fn says(text: &str, words: &str) -> Result<()> {
    let plain = text.replace('"', "");
    if plain.contains(words) { Ok(()) } else { Err(format!("nothing was said of {words}:\n{text}").into()) }
}

fn edit(path: &str, change: impl Fn(&str) -> String) -> Result<()> {
    Ok(std::fs::write(path, change(&std::fs::read_to_string(path)?))?)
}
