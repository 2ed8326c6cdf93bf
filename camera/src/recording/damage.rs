//! Damaged streams: what somebody who meddles with pictures on their way does to them, and what an overworked camera
//! does. Counts are pictures since the damage's cue, or since opening.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::frame::Frame;

/// `count` where a script gives none.
const DEFAULT_COUNT: u64 = 20;
/// A picture comes again after so many others.
const BACK: u64 = 5;
/// So many pictures are kept to be delivered again: the longest loop.
pub(crate) const KEPT: usize = 64;
/// Stamps run this many times too fast.
const HASTE: u64 = 20;
/// A stamp goes back by so much, microseconds.
const BACKWARDS_US: u64 = 300_000;

/// What happens to a stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Damage {
    /// What.
    pub kind: DamageKind,
    /// First picture that is damaged.
    #[serde(default)]
    pub from: u64,
    /// How many are, or how long a loop is.
    #[serde(default = "default_count")]
    pub count: u64,
    /// The instruction from which pictures are counted, as in [`super::script::Fault::cue`].
    pub cue: Option<String>,
}

fn default_count() -> u64 {
    DEFAULT_COUNT
}

/// The ways in which streams are damaged: manipulations first, then the hiccups of honest cameras.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DamageKind {
    /// `count` pictures do not come; time and counter go on.
    Drop,
    /// Every third picture is an earlier one again.
    Repeat,
    /// `count` pictures are played a second time in place of those that follow.
    Loop,
    /// `count` pictures are cut out and the ends joined: time and counter show nothing.
    Cut,
    /// One picture stands for `count`.
    Freeze,
    /// `count` pictures are stamped twenty times too fast.
    Fast,
    /// One picture is stamped earlier than those before it.
    Backwards,
    /// The counter leaps ahead by `count`, time does not.
    Counter,
    /// An overworked machine: three of ten pictures do not come.
    LoseSome,
    /// Low light: each picture is delivered twice.
    Double,
}

/// Applies a script's damage to pictures in their order.
#[derive(Debug)]
pub(crate) struct Damager {
    damage: Damage,
    /// Pictures since the cue; `None` before it.
    at: Option<u64>,
    /// The last pictures as they came from the clip, by number.
    kept: VecDeque<(u64, Frame)>,
    /// Stamp and counter of the first damaged picture.
    first: Option<(u64, u32)>,
    /// Time and pictures by which later ones are early.
    cut: (u64, u32),
}

impl Damager {
    pub(crate) fn new(damage: Damage) -> Self {
        let at = damage.cue.is_none().then_some(0);
        Self { damage, at, kept: VecDeque::new(), first: None, cut: (0, 0) }
    }

    /// Begins to count if this is the instruction.
    pub(crate) fn arm(&mut self, is_named: impl Fn(&str) -> bool) {
        if self.at.is_none() && self.damage.cue.as_deref().is_some_and(is_named) {
            self.at = Some(0);
        }
    }

    /// The picture as it arrives; `None` for one that does not.
    pub(crate) fn pass(&mut self, mut frame: Frame) -> Option<Frame> {
        let Some(at) = self.at else { return Some(frame) };
        self.at = Some(at + 1);
        self.keep(at, &frame);
        let Some(since) = at.checked_sub(self.damage.from) else { return Some(frame) };
        self.first.get_or_insert((frame.t_us, frame.sequence));
        if since < self.damage.count && self.withholds(since, &frame) {
            return None;
        }
        if let Some(content) = self.content(at, since) {
            frame = Frame { t_us: frame.t_us, sequence: frame.sequence, ..content };
        }
        self.restamp(since, &mut frame);
        Some(frame)
    }

    fn keep(&mut self, at: u64, frame: &Frame) {
        self.kept.push_back((at, frame.clone()));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    fn withholds(&mut self, since: u64, frame: &Frame) -> bool {
        match self.damage.kind {
            DamageKind::Drop => true,
            DamageKind::LoseSome => matches!(since % 10, 1 | 4 | 7),
            DamageKind::Cut => {
                let (t_us, sequence) = self.first.unwrap_or_default();
                let time = frame.t_us - t_us;
                // The next picture takes the place of the first that was cut out.
                self.cut =
                    (time + time.checked_div(since).unwrap_or(0), frame.sequence.wrapping_sub(sequence) + 1);
                true
            }
            _ => false,
        }
    }

    /// Which earlier picture is delivered in this one's place, if one is.
    fn content(&self, at: u64, since: u64) -> Option<Frame> {
        let Damage { kind, from, count, .. } = self.damage;
        let back = match kind {
            DamageKind::Freeze if since < count => at - from,
            DamageKind::Double if since < count => since % 2,
            DamageKind::Repeat if since < count && since % 3 == 2 => BACK,
            DamageKind::Loop if (count..2 * count).contains(&since) => count,
            _ => return None,
        };
        let wanted = at.checked_sub(back)?;
        self.kept.iter().find(|(number, _)| *number == wanted).map(|(_, frame)| frame.clone())
    }

    fn restamp(&mut self, since: u64, frame: &mut Frame) {
        match self.damage.kind {
            DamageKind::Cut | DamageKind::Fast => {
                if self.damage.kind == DamageKind::Fast && since < self.damage.count {
                    let time = frame.t_us - self.first.map_or(0, |(t_us, _)| t_us);
                    self.cut.0 = time - time / HASTE;
                }
                frame.t_us -= self.cut.0;
                frame.sequence = frame.sequence.wrapping_sub(self.cut.1);
            }
            DamageKind::Backwards if since == 0 => frame.t_us = frame.t_us.saturating_sub(BACKWARDS_US),
            DamageKind::Counter => frame.sequence = frame.sequence.wrapping_add(self.damage.count as u32),
            _ => {}
        }
    }
}
