//! Adaptation at login: what the stored templates are compared as, and which gesture is worth keeping beside them.

use pose_engine::adapt;
use pose_engine::normalise::Track;
use pose_engine::sequence::Sequence;
use pose_engine::template::{Template, TemplateError};
use zeroize::Zeroizing;

use crate::store::{Adapted, StoredTemplate};

/// A stored template.
pub(super) struct Candidate {
    enrolment: i64,
    /// As enrolled.
    enrolled: Template,
    /// What logins are compared with.
    pub(super) used: Template,
}

impl Candidate {
    /// Decodes; without `adapt` a later recording is left aside.
    ///
    /// # Errors
    /// The enrolled template's. A later recording that does not decode is left aside: what was enrolled still holds.
    pub(super) fn of(stored: &StoredTemplate, adapt: bool) -> Result<Self, TemplateError> {
        let enrolled = Template::decode(&stored.template)?;
        let later = stored.adapted.as_ref().filter(|_| adapt).and_then(|bytes| Template::decode(bytes).ok());
        let used = later.map_or_else(|| enrolled.clone(), |later| adapt::adapted(&enrolled, &later));
        Ok(Self { enrolment: stored.enrolment, enrolled, used })
    }
}

/// A gesture to be kept by the deciding transaction.
pub(super) struct Adaptation {
    enrolment: i64,
    recording: Zeroizing<Vec<u8>>,
}

impl Adaptation {
    pub(super) fn to_store(&self) -> Adapted<'_> {
        Adapted { enrolment: self.enrolment, recording: &self.recording }
    }
}

/// The gesture of a login that passed, if it is near enough to what was enrolled.
pub(super) fn proposed(candidates: &[Candidate], gesture: Option<&Sequence>) -> Option<Adaptation> {
    let track = Track::of(gesture?);
    let near = candidates.iter().find(|candidate| adapt::worth_keeping(&candidate.enrolled, &track))?;
    let recording = Zeroizing::new(Template::of_tracks([track]).encode());
    Some(Adaptation { enrolment: near.enrolment, recording })
}
