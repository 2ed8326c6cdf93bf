//! What the vision side reports for one frame: landmarks and picture statistics of fixed size.

/// Body landmarks of one pose (BlazePose topology).
pub const LANDMARK_COUNT: usize = 33;

/// Indices into [`Pose::landmarks`] of the parts that a seated webcam user shows. Left and right are the
/// person's own.
pub mod part {
    #![allow(missing_docs, reason = "the names are the body's")]
    pub const NOSE: usize = 0;
    pub const LEFT_EYE: usize = 2;
    pub const RIGHT_EYE: usize = 5;
    pub const LEFT_EAR: usize = 7;
    pub const RIGHT_EAR: usize = 8;
    pub const MOUTH_LEFT: usize = 9;
    pub const MOUTH_RIGHT: usize = 10;
    pub const LEFT_SHOULDER: usize = 11;
    pub const RIGHT_SHOULDER: usize = 12;
    pub const LEFT_ELBOW: usize = 13;
    pub const RIGHT_ELBOW: usize = 14;
    pub const LEFT_WRIST: usize = 15;
    pub const RIGHT_WRIST: usize = 16;
    pub const LEFT_HIP: usize = 23;
    pub const RIGHT_HIP: usize = 24;
}

/// One landmark in the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Landmark {
    /// Horizontal position in picture widths, 0 at the left edge; may lie outside 0..1.
    pub x: f32,
    /// Vertical position in picture heights, 0 at the top edge; may lie outside 0..1.
    pub y: f32,
    /// Depth relative to the hips in picture widths, smaller is nearer; weak.
    pub z: f32,
    /// Probability that the landmark is in view and not hidden.
    pub visibility: f32,
    /// Probability that the landmark lies within the picture.
    pub presence: f32,
}

/// One person in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Pose {
    /// Landmarks in the picture, smoothed unless smoothing was turned off.
    pub landmarks: [Landmark; LANDMARK_COUNT],
    /// World landmarks, metres, origin between the hips, x right in the picture, y down, z away.
    pub world: [[f32; 3]; LANDMARK_COUNT],
    /// The landmark model's probability that a person is there.
    pub score: f32,
}

/// Statistics of one picture, from which darkness, blur and repeated frames are told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PictureStats {
    /// Mean luma, 0..1.
    pub luma_mean: f32,
    /// Share of pixels with luma above 0.98.
    pub clipped: f32,
    /// Mean absolute horizontal luma difference, 0..1.
    pub sharpness: f32,
    /// Digest of the raw picture bytes: equal bytes give equal digests.
    pub digest: u64,
}

/// Everything that the worker reports about one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Capture time by the driver, microseconds on the monotonic clock.
    pub t_us: u64,
    /// The driver's frame counter.
    pub sequence: u32,
    /// Picture width, pixels.
    pub width: u16,
    /// Picture height, pixels.
    pub height: u16,
    /// The tracked person, if any.
    pub pose: Option<Pose>,
    /// How many people the detector saw when it last ran.
    pub people: u8,
    /// The picture's statistics.
    pub stats: PictureStats,
}
