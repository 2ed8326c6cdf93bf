//! A recording in a file, AVI or Y4M: its structure, and its first pictures decoded.
#![no_main]

use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use pose_camera::recording::Clip;
use pose_vision::picture::Picture;

/// Pictures looked at in one input: what is wrong with one is wrong with the first.
const PICTURES: usize = 3;
/// Larger pictures cost time and teach nothing.
const SMALL: u32 = 512;

pose_fuzz::target!(|data| {
    let file = memory_file(data);
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let Ok(clip) = Clip::open(&path) else { return };
    let _ = (clip.fps(), clip.duration_us());
    let mut picture = Picture::default();
    for frame in clip.frames().take(PICTURES).flatten() {
        if frame.width <= SMALL && frame.height <= SMALL {
            let _ = picture.decode(&frame);
        }
    }
});

fn memory_file(data: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile_in("/dev/shm").expect("a file in memory");
    file.write_all(data).expect("written");
    file
}
