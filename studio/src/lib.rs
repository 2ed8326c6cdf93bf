//! A web page on this machine alone, for practising a gesture before the camera and for enrolling it.
//!
//! Practice keeps everything in memory and forgets it: no template leaves this process. Enrolment is the caller's
//! (posectl drives the helper over the bus, with every check the helper makes); the page can only ask for it to
//! begin. Passwords are typed at the terminal, never into the page.
//!
//! # Layout
//! - [`server`]: connections, one thread each; `http`: reading a request and writing a response
//! - [`access`]: who may speak to the page: secret, host, origin, user of the other end
//! - [`stage`]: what the page shows, shared between the threads
//! - [`practice`]: camera, landmarks and sessions; `picture`: a frame as the browser takes it

pub mod access;
mod http;
mod picture;
pub mod practice;
pub mod server;
pub mod stage;
