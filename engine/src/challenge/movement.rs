//! The movements that a challenge can ask for: names, words, and sets of them.

/// A movement that a seated person can do. Sides are the person's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the movements")]
pub enum Movement {
    RaiseLeft,
    RaiseRight,
    BothUp,
    OutLeft,
    OutRight,
    TPose,
    HeadLeft,
    HeadRight,
    HeadBoth,
    TouchLeft,
    TouchRight,
    ArmsCrossed,
    LeanLeft,
    LeanRight,
    UpLeftOutRight,
    OutLeftUpRight,
}

impl Movement {
    /// Every movement, in a fixed order: [`MovementSet`] stores places in it, so new ones go to the end.
    pub const ALL: [Self; 16] = [
        Self::RaiseLeft,
        Self::RaiseRight,
        Self::BothUp,
        Self::OutLeft,
        Self::OutRight,
        Self::TPose,
        Self::HeadLeft,
        Self::HeadRight,
        Self::HeadBoth,
        Self::TouchLeft,
        Self::TouchRight,
        Self::ArmsCrossed,
        Self::LeanLeft,
        Self::LeanRight,
        Self::UpLeftOutRight,
        Self::OutLeftUpRight,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RaiseLeft => "raise_left",
            Self::RaiseRight => "raise_right",
            Self::BothUp => "both_up",
            Self::OutLeft => "out_left",
            Self::OutRight => "out_right",
            Self::TPose => "t_pose",
            Self::HeadLeft => "head_left",
            Self::HeadRight => "head_right",
            Self::HeadBoth => "head_both",
            Self::TouchLeft => "touch_left",
            Self::TouchRight => "touch_right",
            Self::ArmsCrossed => "arms_crossed",
            Self::LeanLeft => "lean_left",
            Self::LeanRight => "lean_right",
            Self::UpLeftOutRight => "up_left_out_right",
            Self::OutLeftUpRight => "out_left_up_right",
        }
    }

    /// The movement of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// The movement that an instruction's code asks for, if it asks for one.
    #[must_use]
    pub fn of_instruction(code: &str) -> Option<Self> {
        code.strip_prefix(pose_contract::instruction::CHALLENGE_PREFIX).and_then(Self::parse)
    }

    /// What to show the person.
    #[must_use]
    pub fn instruction(self) -> &'static str {
        match self {
            Self::RaiseLeft => "Raise your left hand above your head",
            Self::RaiseRight => "Raise your right hand above your head",
            Self::BothUp => "Raise both hands above your head",
            Self::OutLeft => "Stretch your left arm out to the side",
            Self::OutRight => "Stretch your right arm out to the side",
            Self::TPose => "Stretch both arms out to the sides",
            Self::HeadLeft => "Put your left hand on your head",
            Self::HeadRight => "Put your right hand on your head",
            Self::HeadBoth => "Put both hands on your head",
            Self::TouchLeft => "Touch your left shoulder with your right hand",
            Self::TouchRight => "Touch your right shoulder with your left hand",
            Self::ArmsCrossed => "Cross your arms in front of your chest",
            Self::LeanLeft => "Lean to your left",
            Self::LeanRight => "Lean to your right",
            Self::UpLeftOutRight => "Left hand up, right arm out to the side",
            Self::OutLeftUpRight => "Right hand up, left arm out to the side",
        }
    }

    /// The same movement by the other side of the body.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::RaiseLeft => Self::RaiseRight,
            Self::RaiseRight => Self::RaiseLeft,
            Self::OutLeft => Self::OutRight,
            Self::OutRight => Self::OutLeft,
            Self::HeadLeft => Self::HeadRight,
            Self::HeadRight => Self::HeadLeft,
            Self::TouchLeft => Self::TouchRight,
            Self::TouchRight => Self::TouchLeft,
            Self::LeanLeft => Self::LeanRight,
            Self::LeanRight => Self::LeanLeft,
            Self::UpLeftOutRight => Self::OutLeftUpRight,
            Self::OutLeftUpRight => Self::UpLeftOutRight,
            Self::BothUp | Self::TPose | Self::HeadBoth | Self::ArmsCrossed => self,
        }
    }

    /// Whether a hand goes up to the shoulders or above.
    #[must_use]
    pub fn lifts_a_hand(self) -> bool {
        !matches!(self, Self::ArmsCrossed | Self::LeanLeft | Self::LeanRight)
    }

    /// Whether a hand goes to the other shoulder.
    #[must_use]
    pub fn touches(self) -> bool {
        matches!(self, Self::TouchLeft | Self::TouchRight)
    }

    /// Whether the trunk moves with it.
    #[must_use]
    pub fn leans(self) -> bool {
        matches!(self, Self::LeanLeft | Self::LeanRight)
    }

    /// Whether one arm shows this on the way to another movement of both arms.
    #[must_use]
    pub fn is_part(self) -> bool {
        match self {
            Self::RaiseLeft
            | Self::RaiseRight
            | Self::OutLeft
            | Self::OutRight
            | Self::HeadLeft
            | Self::HeadRight
            | Self::TouchLeft
            | Self::TouchRight => true,
            Self::BothUp
            | Self::TPose
            | Self::HeadBoth
            | Self::ArmsCrossed
            | Self::LeanLeft
            | Self::LeanRight
            | Self::UpLeftOutRight
            | Self::OutLeftUpRight => false,
        }
    }
}

/// A set of movements; its bits are places in [`Movement::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MovementSet(u32);

impl MovementSet {
    /// The set with these bits; `None` if one stands for no movement.
    #[must_use]
    pub fn of_bits(bits: u32) -> Option<Self> {
        (bits >> Movement::ALL.len() == 0).then_some(Self(bits))
    }

    /// Bit n stands for the n-th movement of [`Movement::ALL`].
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Adds one.
    pub fn insert(&mut self, movement: Movement) {
        self.0 |= bit(movement);
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(self, movement: Movement) -> bool {
        self.0 & bit(movement) != 0
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its movements, in the order of [`Movement::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Movement> {
        Movement::ALL.into_iter().filter(move |m| self.contains(*m))
    }
}

impl FromIterator<Movement> for MovementSet {
    fn from_iter<I: IntoIterator<Item = Movement>>(movements: I) -> Self {
        movements.into_iter().fold(Self::default(), |mut set, m| {
            set.insert(m);
            set
        })
    }
}

fn bit(movement: Movement) -> u32 {
    1 << (movement as u32)
}
