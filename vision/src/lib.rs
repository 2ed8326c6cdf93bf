//! Frames to body landmarks: pixel formats, person detector, landmark model, tracking, smoothing.
