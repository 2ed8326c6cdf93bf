//! Frame to observation: detect once, then follow the person from frame to frame, as MediaPipe's
//! `pose_landmark_cpu.pbtxt` wires it.

use std::time::Duration;

use pose_camera::Frame;
use pose_engine::landmarks::{LANDMARK_COUNT, Observation, Pose};

use crate::detector::{self, ANCHOR_COUNT, BOX_VALUES, Person};
use crate::model::Model;
use crate::picture::Picture;
use crate::pose::{self, RawPose};
use crate::region::Region;
use crate::smoothing::{self, Smoother, VisibilityFilter};
use crate::warp::{self, Border, Range};
use crate::{Assets, Variant, VisionError, runtime, stats};

/// Which time the smoothing filters see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrameTime {
    /// The frames' own time stamps: a gesture is smoothed alike at 15 and at 30 frames a second. The default.
    #[default]
    Stamped,
    /// The same step for every frame, microseconds. MediaPipe for Python does this with 33,333 whatever the
    /// real rate; use it to compare with that.
    Every(u64),
}

/// How a [`Tracker`] works.
#[derive(Clone, Copy, Debug)]
pub struct TrackerOptions {
    /// Landmark model.
    pub variant: Variant,
    /// Whether landmarks are smoothed. The auxiliary ones, which steer the region, always are.
    pub smoothing: bool,
    /// Threads a model uses.
    pub threads: usize,
    /// Time that the filters see.
    pub time: FrameTime,
    /// While a person is followed, count people anew after this much frame time; `None` for never.
    pub count_people_every: Option<Duration>,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self {
            variant: Variant::Full,
            smoothing: true,
            threads: 1,
            time: FrameTime::Stamped,
            count_people_every: Some(Duration::from_secs(1)),
        }
    }
}

/// Follows one person through frames.
pub struct Tracker {
    options: TrackerOptions,
    detector: Model,
    landmarker: Model,
    anchors: Vec<[f32; 2]>,
    picture: Picture,
    filters: Filters,
    frames: u64,
    /// Where the person is expected in the next frame.
    region: Option<Region>,
    people: u8,
    counted_at_us: u64,
}

impl Tracker {
    /// Loads the runtime and the models.
    ///
    /// # Errors
    /// Missing, changed or unfitting models or library; see [`VisionError`].
    pub fn new(assets: &Assets, options: &TrackerOptions) -> Result<Self, VisionError> {
        let environment = runtime::environment(assets.trusted_runtime()?)?;
        let load = |file, side| Model::new(&environment, &assets.read_model(file)?, side, options.threads);
        // Side by side: this is most of what a user waits for after a cold start.
        let (detector, landmarker) = std::thread::scope(|scope| {
            let detector = scope.spawn(|| load(&crate::assets::DETECTOR, detector::INPUT_SIDE));
            let landmarker = load(options.variant.file(), pose::INPUT_SIDE);
            let panicked = |_| Err(VisionError::Inference("loading panicked".into()));
            (detector.join().unwrap_or_else(panicked), landmarker)
        });
        Ok(Self {
            options: *options,
            detector: detector?,
            landmarker: landmarker?,
            anchors: detector::anchors(),
            picture: Picture::default(),
            filters: Filters::new(),
            frames: 0,
            region: None,
            people: 0,
            counted_at_us: 0,
        })
    }

    /// Forgets the person and all smoothing, for a new recording or a new attempt.
    pub fn reset(&mut self) {
        self.filters = Filters::new();
        self.region = None;
        self.people = 0;
        self.frames = 0;
        self.counted_at_us = 0;
    }

    /// Where the person is expected in the next frame; `None` if the detector will search.
    pub fn expected_region(&self) -> Option<Region> {
        self.region
    }

    /// Says where the person is in the next frame, `None` to let the detector search. Comparisons with another
    /// tracker use this to start every frame from that tracker's state.
    pub fn expect(&mut self, region: Option<Region>) {
        self.region = region;
    }

    /// Finds the person in `frame`. A person lost in one frame is searched for again in the next.
    ///
    /// # Errors
    /// A frame that cannot be decoded (the next may be fine), or a failure of the runtime.
    pub fn observe(&mut self, frame: &Frame) -> Result<Observation, VisionError> {
        self.picture.decode(frame)?;
        self.frames += 1;
        let pose = self.follow(frame.t_us)?;
        Ok(Observation {
            t_us: frame.t_us,
            sequence: frame.sequence,
            width: frame.width as u16,
            height: frame.height as u16,
            pose,
            people: self.people,
            stats: stats::of(&self.picture, &frame.data),
        })
    }

    fn follow(&mut self, t_us: u64) -> Result<Option<Pose>, VisionError> {
        let region = match self.region.take() {
            Some(region) => {
                self.count_people_if_due(t_us)?;
                Some(region)
            }
            None => self.search(t_us)?,
        };
        let Some(region) = region else {
            self.filters.lose();
            return Ok(None);
        };
        let Some(raw) = self.landmarks_in(&region)? else {
            self.filters.lose();
            return Ok(None);
        };
        let filter_time = match self.options.time {
            FrameTime::Stamped => t_us,
            FrameTime::Every(step) => self.frames * step,
        };
        let size = self.picture_size();
        self.region = self.filters.next_region(filter_time, &raw);
        Ok(Some(if self.options.smoothing {
            self.filters.smooth(filter_time, &raw, size)
        } else {
            Pose { landmarks: raw.landmarks, world: raw.world, score: raw.score }
        }))
    }

    fn picture_size(&self) -> [f32; 2] {
        [self.picture.width() as f32, self.picture.height() as f32]
    }

    fn landmarks_in(&mut self, region: &Region) -> Result<Option<RawPose>, VisionError> {
        let side = self.landmarker.side();
        warp::crop(&self.picture, region, Border::Replicate, Range::UNIT, side, self.landmarker.input());
        let size = self.picture_size();
        pose::read(&self.landmarker.run()?, region, size)
    }

    /// Looks for people in the whole picture; the region of the most probable one.
    fn search(&mut self, t_us: u64) -> Result<Option<Region>, VisionError> {
        let whole = Region::around_picture(self.picture.width(), self.picture.height());
        let people = self.detect(&whole, t_us)?;
        Ok(people.first().and_then(|person| {
            Region::from_alignment(whole.to_picture(person.points[0]), whole.to_picture(person.points[1]))
        }))
    }

    fn count_people_if_due(&mut self, t_us: u64) -> Result<(), VisionError> {
        let due = self
            .options
            .count_people_every
            .is_some_and(|every| u128::from(t_us.saturating_sub(self.counted_at_us)) >= every.as_micros());
        if due {
            let whole = Region::around_picture(self.picture.width(), self.picture.height());
            self.detect(&whole, t_us)?;
        }
        Ok(())
    }

    fn detect(&mut self, whole: &Region, t_us: u64) -> Result<Vec<Person>, VisionError> {
        let side = self.detector.side();
        warp::crop(&self.picture, whole, Border::Black, Range::SIGNED, side, self.detector.input());
        let outputs = self.detector.run()?;
        let boxes = outputs.numbers("boxes", ANCHOR_COUNT * BOX_VALUES)?;
        let scores = outputs.numbers("scores", ANCHOR_COUNT)?;
        let people = detector::people(boxes, scores, &self.anchors);
        self.people = people.len().min(usize::from(u8::MAX)) as u8;
        self.counted_at_us = t_us;
        Ok(people)
    }
}

/// All filters of one person. As in MediaPipe, losing the person clears the filters of picture landmarks; those
/// of visibility and world landmarks go on.
struct Filters {
    body: Smoother<{ 3 * LANDMARK_COUNT }>,
    world: Smoother<{ 3 * LANDMARK_COUNT }>,
    visibility: VisibilityFilter<LANDMARK_COUNT>,
    auxiliary: Smoother<4>,
}

impl Filters {
    fn new() -> Self {
        Self {
            body: Smoother::new(smoothing::BODY),
            world: Smoother::new(smoothing::WORLD),
            visibility: VisibilityFilter::new(),
            auxiliary: Smoother::new(smoothing::AUXILIARY),
        }
    }

    fn lose(&mut self) {
        self.body.reset();
        self.auxiliary.reset();
    }

    /// The region in which the person is expected next.
    fn next_region(&mut self, t_us: u64, raw: &RawPose) -> Option<Region> {
        let [hips, scale_point] = raw.auxiliary;
        let scale = 1.0 / object_size(raw)?;
        let [hx, hy, sx, sy] =
            self.auxiliary.apply(t_us, scale, &[hips[0], hips[1], scale_point[0], scale_point[1]]);
        Region::from_alignment([hx, hy], [sx, sy])
    }

    fn smooth(&mut self, t_us: u64, raw: &RawPose, [width, height]: [f32; 2]) -> Pose {
        let mut landmarks = raw.landmarks;
        let visibility = self.visibility.apply(t_us, &landmarks.map(|l| l.visibility));
        for (landmark, visibility) in landmarks.iter_mut().zip(visibility) {
            landmark.visibility = visibility;
        }
        if let Some(size) = object_size(raw) {
            let to_pixels = [width, height, width];
            let pixels: [f32; 3 * LANDMARK_COUNT] = std::array::from_fn(|i| {
                let l = &landmarks[i / 3];
                [l.x, l.y, l.z][i % 3] * to_pixels[i % 3]
            });
            let smooth = self.body.apply(t_us, 1.0 / size, &pixels);
            for (landmark, xyz) in landmarks.iter_mut().zip(smooth.chunks_exact(3)) {
                (landmark.x, landmark.y, landmark.z) = (xyz[0] / width, xyz[1] / height, xyz[2] / width);
            }
        }
        let flat = std::array::from_fn(|i| raw.world[i / 3][i % 3]);
        let smooth = self.world.apply(t_us, 1.0, &flat);
        let world = std::array::from_fn(|i| [smooth[3 * i], smooth[3 * i + 1], smooth[3 * i + 2]]);
        Pose { landmarks, world, score: raw.score }
    }
}

/// Size of the person by the unsmoothed auxiliary landmarks, pixels.
fn object_size(raw: &RawPose) -> Option<f32> {
    Region::from_alignment(raw.auxiliary[0], raw.auxiliary[1]).map(|region| region.object_size())
}
