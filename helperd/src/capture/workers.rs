//! Worker processes: at most one warm, one at work; started by a thread that lives as long as the daemon.

use std::io;
use std::path::PathBuf;
use std::process::{self, Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use crate::worker::channel::Channel;
use crate::worker::wire::{Command, Start};
use crate::worker::{ARGUMENT, Setup};

/// How often ended workers are collected.
const COLLECT: Duration = Duration::from_secs(5);
/// Longest wait for a killed worker, so that the camera is free before the seat is.
const KILL_LIMIT: Duration = Duration::from_secs(1);
/// Longest wait for a worker that has to put its camera's controls back: one wait for a picture and a slow inference.
const PUT_BACK_LIMIT: Duration = Duration::from_millis(400);

/// A worker process.
pub struct Worker {
    process: Option<Child>,
    /// It changes its camera's controls, so that killing it would leave them changed.
    puts_back: bool,
    pub(super) channel: Channel,
    since: Instant,
    orders: SyncSender<Order>,
}

/// Starts workers and keeps one warm.
pub struct Workers {
    orders: SyncSender<Order>,
}

enum Order {
    /// End, the warm worker first.
    End,
    /// Have a warm worker.
    Warm,
    /// Have one with the camera open for the login of that number.
    Prepare(Start),
    /// Close the camera that the warm one has open.
    Rest,
    /// Hand over the warm one, or start one.
    Start(SyncSender<io::Result<Worker>>),
    /// Collect a killed one that did not end at once.
    Collect(Child),
}

impl Workers {
    /// Starts the thread that starts workers. `program` is the daemon's own binary. A worker's parent-death signal
    /// follows the thread that started it, so attempts' short-lived threads must not start any.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn new(program: PathBuf, setup: Setup, idle: Duration) -> io::Result<Self> {
        let (orders, inbox) = mpsc::sync_channel(16);
        let starter =
            Starter { program, setup, idle, orders: orders.clone(), warm: None, ending: Vec::new() };
        std::thread::Builder::new().name("workers".into()).spawn(move || starter.run(&inbox))?;
        Ok(Self { orders })
    }

    /// Sees to it that a worker is loading or loaded, without waiting.
    pub fn warm(&self) {
        // A full queue means that the thread has plenty to do; the worker then starts when it is taken.
        let _ = self.orders.try_send(Order::Warm);
    }

    /// The same, with the camera open for the login of that number.
    pub fn prepare(&self, start: Start) {
        let _ = self.orders.try_send(Order::Prepare(start));
    }

    /// Has a camera that was opened ahead closed again.
    pub fn rest(&self) {
        let _ = self.orders.try_send(Order::Rest);
    }

    /// The warm worker, or a fresh one that is still loading.
    ///
    /// # Errors
    /// No process could be started.
    pub fn take(&self) -> io::Result<Worker> {
        let (reply, answer) = mpsc::sync_channel(1);
        let gone = || io::Error::other("the thread that starts workers has ended");
        self.orders.send(Order::Start(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::End);
    }
}

impl Worker {
    /// How a worker that closed its socket ended. Signal 31 is its system-call filter.
    pub(super) fn end(&mut self) -> String {
        match self.process.as_mut().and_then(|process| ended_within(process, KILL_LIMIT)) {
            Some(status) => status.to_string(),
            None => "it still runs".into(),
        }
    }

    fn is_alive(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        if self.puts_back {
            self.channel.close();
            if ended_within(&mut process, PUT_BACK_LIMIT).is_some() {
                return;
            }
        }
        let _ = process.kill();
        if ended_within(&mut process, KILL_LIMIT).is_some() {
            return;
        }
        tracing::warn!("a worker hangs in the kernel; the camera's driver may be stuck");
        let _ = self.orders.try_send(Order::Collect(process));
    }
}

/// How it ended, if it does within the limit.
fn ended_within(process: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Ok(Some(status)) = process.try_wait() {
            return Some(status);
        }
        if start.elapsed() >= limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

struct Starter {
    program: PathBuf,
    setup: Setup,
    /// A warm worker that no attempt has taken ends after this long; its memory is the larger part of ours.
    idle: Duration,
    orders: SyncSender<Order>,
    warm: Option<Worker>,
    ending: Vec<Child>,
}

impl Starter {
    fn run(mut self, inbox: &mpsc::Receiver<Order>) {
        loop {
            match inbox.recv_timeout(COLLECT) {
                Ok(Order::Warm) => self.keep_warm(),
                Ok(Order::Prepare(start)) => {
                    self.keep_warm();
                    self.tell_warm(&Command::Prepare(start));
                }
                Ok(Order::Rest) => self.tell_warm(&Command::Rest),
                Ok(Order::Start(reply)) => {
                    let _ = reply.try_send(self.hand_over());
                }
                Ok(Order::Collect(process)) => self.ending.push(process),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => return,
            }
            self.collect();
        }
    }

    fn keep_warm(&mut self) {
        if let Some(worker) = self.warm.as_mut()
            && worker.is_alive()
        {
            worker.since = Instant::now();
            return;
        }
        match self.start() {
            Ok(worker) => self.warm = Some(worker),
            Err(error) => tracing::error!(%error, "no worker could be started"),
        }
    }

    fn tell_warm(&self, command: &Command) {
        if let Some(worker) = &self.warm {
            // A worker that has ended is replaced when it is taken.
            let _ = worker.channel.send(&command.encode(), true);
        }
    }

    /// The warm one, or a fresh one. Here and not in [`Workers::take`], so that an order to warm that is still in the
    /// queue does not end in a second worker.
    fn hand_over(&mut self) -> io::Result<Worker> {
        match self.warm.take().and_then(|mut worker| worker.is_alive().then_some(worker)) {
            Some(worker) => Ok(worker),
            None => self.start(),
        }
    }

    fn start(&self) -> io::Result<Worker> {
        let (ours, theirs) = Channel::pair()?;
        let parent = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        let setup = Setup { parent, ..self.setup.clone() };
        let process = process::Command::new(&self.program)
            .arg(ARGUMENT)
            .arg(toml::to_string(&setup).map_err(io::Error::other)?)
            .env_clear()
            // ONNX Runtime 1.31 otherwise keeps a database and a device id in the home folder and reports to its
            // maker; switching it off through its interface comes too late, after the environment is made.
            .env("ORT_DISABLE_TELEMETRY", "1")
            .current_dir("/")
            .stdin(Stdio::from(theirs.into_fd()))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        Ok(Worker {
            process: Some(process),
            puts_back: !setup.controls.is_empty(),
            channel: ours,
            since: Instant::now(),
            orders: self.orders.clone(),
        })
    }

    fn collect(&mut self) {
        self.ending.retain_mut(|process| matches!(process.try_wait(), Ok(None)));
        let spent = |worker: &mut Worker| !worker.is_alive() || worker.since.elapsed() > self.idle;
        if self.warm.as_mut().is_some_and(spent) {
            self.warm = None;
        }
    }
}
