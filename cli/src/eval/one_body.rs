//! How well the body that answers is told from the one that made the gesture: every live recording against itself, and
//! against the bodies of other users at rest.

use pose_engine::landmarks::{LANDMARK_COUNT, Landmark, Observation, PictureStats, Pose};
use pose_engine::liveness::{Apart, Bodies, Build};

use super::presentations::Count;
use super::recordings::Recording;

/// A rest at the end of a recording is so long, microseconds.
const REST_US: u64 = 400_000;

/// The bodies of one recording with all landmarks.
#[derive(Debug)]
pub(crate) struct Figures {
    /// The whole, with its first and last moments for the rests.
    own: Apart,
    gesture: Build,
    rest: Build,
}

/// Figures of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OneBody {
    /// Recordings, and how many of them pass for one body.
    pub(crate) own: Count,
    /// Gestures of one user and rests of another, and how many of these pass for one body: where each sits.
    pub(crate) others: Count,
    /// The same where the other sits exactly in the user's place, as far away: the face alone tells.
    pub(crate) in_place: Count,
}

impl Figures {
    /// From a recording's landmarks; `None` where they are not all there.
    pub(crate) fn of(fps: f64, width: f32, height: f32, frames: &[Vec<[f32; 4]>]) -> Option<Self> {
        let observations: Vec<Observation> = (0u32..)
            .zip(frames)
            .map(|(i, rows)| Observation {
                t_us: (f64::from(i) * 1.0e6 / fps) as u64,
                sequence: i,
                width: width as u16,
                height: height as u16,
                pose: pose(rows),
                people: 1,
                stats: PictureStats::default(),
            })
            .collect();
        let (first, last) = (observations.first()?.t_us, observations.last()?.t_us);
        let mut bodies = Bodies::default();
        observations.iter().for_each(|observation| bodies.add(observation));
        bodies.gesture(first..last.saturating_sub(REST_US), last);
        bodies.set_out(first, first.saturating_add(REST_US));
        let opening = observations.partition_point(|o| o.t_us < first.saturating_add(REST_US));
        Some(Self {
            own: bodies.apart()?,
            gesture: Build::of(&observations)?,
            rest: Build::of(&observations[..opening])?,
        })
    }
}

fn pose(rows: &[[f32; 4]]) -> Option<Pose> {
    let mut landmarks = [Landmark::default(); LANDMARK_COUNT];
    if rows.len() != LANDMARK_COUNT {
        return None;
    }
    for (landmark, &[x, y, z, visibility]) in landmarks.iter_mut().zip(rows) {
        *landmark = Landmark { x, y, z, visibility, presence: 1.0 };
    }
    Some(Pose { landmarks, world: [[0.0; 3]; LANDMARK_COUNT], score: 1.0 })
}

/// Every recording with itself and with one of each other user in the same view; `None` without faces.
pub(crate) fn judge(recordings: &[Recording]) -> Option<OneBody> {
    let live: Vec<(&Recording, &Figures)> = recordings
        .iter()
        .filter(|recording| recording.kind.is_live())
        .filter_map(|recording| Some((recording, recording.figures.as_ref()?)))
        .collect();
    let mut users: Vec<(&str, &str)> = live.iter().map(|(r, _)| (r.user.as_str(), r.view.as_str())).collect();
    users.sort_unstable();
    users.dedup();
    let mut out = OneBody::default();
    for (i, (recording, figures)) in live.iter().enumerate() {
        out.own.add(figures.own.is_one());
        for (user, view) in
            users.iter().filter(|(user, view)| *user != recording.user && *view == recording.view)
        {
            let theirs: Vec<&Figures> =
                live.iter().filter(|(r, _)| r.user == *user && r.view == *view).map(|(_, f)| *f).collect();
            let other = theirs[i % theirs.len()].rest;
            out.others.add(other.apart(&figures.gesture).is_one());
            out.in_place.add(other.in_place_of(&figures.gesture).apart(&figures.gesture).is_one());
        }
    }
    (out.own.n > 0).then_some(out)
}
