//! The attacks: what each shows the camera during the gesture, and what when a movement is asked.
//!
//! # Layout
//! - `panel`: prints, phones and monitors before the camera; `hand` moves them
//! - `cutout`: a print with the arms cut out and moved
//! - `exchange`: a recording makes the gesture, somebody else does what is asked
//! - `feed`: streams fed in as if they were a camera's

mod cutout;
mod exchange;
mod feed;
mod hand;
mod panel;

use pose_camera::Frame;
use pose_engine::challenge::Movement;

use crate::cast::{Cast, REPETITIONS, Target};
use crate::random::Random;

/// A kind of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "`name` tells")]
pub enum Species {
    PrintStill,
    PrintMoved,
    PrintBent,
    CutOut,
    CutOutPuppet,
    Phone,
    Monitor,
    Infrared,
    Injected,
    Reencoded,
    RightFirstHalf,
    ScreenExchanged,
    ScreenExchangedInPlace,
    FeedExchanged,
    FeedExchangedInPlace,
}

impl Species {
    /// All of them, photos first.
    pub const ALL: [Self; 15] = [
        Self::PrintStill,
        Self::PrintMoved,
        Self::PrintBent,
        Self::CutOut,
        Self::CutOutPuppet,
        Self::Phone,
        Self::Monitor,
        Self::Infrared,
        Self::Injected,
        Self::Reencoded,
        Self::RightFirstHalf,
        Self::ScreenExchanged,
        Self::ScreenExchangedInPlace,
        Self::FeedExchanged,
        Self::FeedExchangedInPlace,
    ];

    /// For people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PrintStill => "print, still",
            Self::PrintMoved => "print, moved",
            Self::PrintBent => "print, bent and moved",
            Self::CutOut => "print, cut-out arms do the gesture",
            Self::CutOutPuppet => "print, cut-out arms do as asked",
            Self::Phone => "phone in the hand",
            Self::Monitor => "monitor",
            Self::Infrared => "phone before an infrared camera",
            Self::Injected => "injected, bytes again",
            Self::Reencoded => "injected, noise added",
            Self::RightFirstHalf => "right first half, guessed movements",
            Self::ScreenExchanged => "screen, then somebody else",
            Self::ScreenExchangedInPlace => "screen, then somebody else in the same place",
            Self::FeedExchanged => "injected, then somebody else",
            Self::FeedExchangedInPlace => "injected, then somebody else in the same place",
        }
    }

    /// Whether it is a photo that cannot know what is asked: of these none may pass.
    #[must_use]
    pub fn is_photo(self) -> bool {
        matches!(self, Self::PrintStill | Self::PrintMoved | Self::PrintBent | Self::CutOut)
    }

    /// Whether what it shows depends on what is asked.
    #[must_use]
    pub fn answers_as_asked(self) -> bool {
        matches!(
            self,
            Self::CutOutPuppet
                | Self::ScreenExchanged
                | Self::ScreenExchangedInPlace
                | Self::FeedExchanged
                | Self::FeedExchangedInPlace
        )
    }
}

/// What a camera sees of one presentation.
pub trait Show {
    /// Picture `i` since the gesture was asked for.
    fn gesture(&mut self, i: usize) -> Frame;

    /// Picture `i` since the `n`th movement, that one, was asked for.
    fn answer(&mut self, n: usize, asked: Movement, i: usize) -> Frame;
}

/// One presentation that can be made.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What kind.
    pub species: Species,
    /// Index into [`Cast::targets`].
    pub target: usize,
    /// Which recording of it is shown.
    pub take: usize,
    /// Of everything random in it.
    pub seed: u64,
}

impl Plan {
    /// So many presentations of a species, over all targets and recordings in turn.
    #[must_use]
    pub fn of(species: Species, count: usize, targets: usize, seed: u64) -> Vec<Self> {
        let plan = |i: usize| Self {
            species,
            target: i % targets,
            take: i / targets % REPETITIONS,
            seed: Random::new(seed ^ ((species as u64) << 32) ^ i as u64).bits(),
        };
        (0..count).map(plan).collect()
    }

    /// The presentation.
    #[must_use]
    pub fn show<'a>(&self, cast: &'a Cast) -> Box<dyn Show + 'a> {
        let target = &cast.targets[self.target];
        match self.species {
            Species::PrintStill | Species::PrintMoved | Species::PrintBent => {
                Box::new(panel::Panel::print(cast, target, self))
            }
            Species::Phone | Species::Monitor | Species::Infrared => {
                Box::new(panel::Panel::screen(cast, target, self))
            }
            Species::CutOut | Species::CutOutPuppet => Box::new(cutout::CutOut::new(cast, target, self)),
            Species::Injected | Species::Reencoded | Species::RightFirstHalf => {
                Box::new(feed::Feed::new(cast, target, self))
            }
            Species::ScreenExchanged | Species::ScreenExchangedInPlace => {
                Box::new(exchange::Screen::new(cast, target, self))
            }
            Species::FeedExchanged | Species::FeedExchangedInPlace => {
                Box::new(exchange::Feed::new(cast, target, self))
            }
        }
    }

    /// The recording whose pictures are shown.
    fn take<'a>(&self, target: &'a Target) -> &'a crate::cast::Take {
        &target.takes[self.take]
    }
}

/// A live person: the recording as the camera delivered it, at rest before and after with a sensor's noise, and each
/// movement as it is asked.
#[must_use]
pub fn live<'a>(cast: &'a Cast, target: &'a Target, take: usize, grey: bool) -> Box<dyn Show + 'a> {
    Box::new(feed::Live::new(cast, target, take, grey))
}
