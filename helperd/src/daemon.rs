//! The daemon as a whole: what all attempts share, its place on the bus, its beginning and its end.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use futures_lite::{FutureExt, StreamExt};
use pose_camera::v4l2::LockedTimes;
use pose_contract::{BUS_NAME, OBJECT_PATH, SYSTEM_BUS_SOCKET};
use zbus::fdo::DBusProxy;
use zbus::{Connection, connection};
use zruntime::SharedRuntime;

use crate::allowance::Allowances;
use crate::attempt::registry::Registry;
use crate::attempt::seat::Seat;
use crate::attempt::{Attempt, Stop};
use crate::audit::Audit;
use crate::caller::Callers;
use crate::capture::workers::Workers;
use crate::config::{Config, WarmUp};
use crate::interruption;
use crate::locking::{self, Locking};
use crate::lockout::{Limits, Moment};
use crate::onlookers::Onlookers;
use crate::password::Passwords;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::{Store, TryId};
use crate::work::{self, Begun, Task};
use crate::worker::Setup;
use crate::worker::wire::Start;

/// Stack of an attempt's thread: matching is the deepest thing that runs there.
const STACK: usize = 2 << 20;
/// Longest wait for attempts to end when the daemon does.
const END_LIMIT: Duration = Duration::from_secs(2);
/// Tries remembered that could not be ended; the next start ends all others.
const MOST_STRANDED: usize = 64;
/// Longest message queue before the daemon stops reading from the bus.
const QUEUE: std::num::NonZeroUsize = match std::num::NonZeroUsize::new(32) {
    Some(queue) => queue,
    None => std::num::NonZeroUsize::MIN,
};

/// What a daemon is made of.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The store, opened.
    pub store: Store,
    /// Where audit lines go.
    pub audit: Audit,
    /// The binary that workers run, normally `/proc/self/exe`.
    pub program: PathBuf,
    /// What workers are told.
    pub setup: Setup,
}

/// What all attempts share.
pub struct Daemon {
    pub(crate) config: Config,
    store: Mutex<Store>,
    pub(crate) audit: Audit,
    pub(crate) passwords: Passwords,
    pub(crate) workers: Workers,
    pub(crate) attempts: Registry,
    pub(crate) seat: Seat,
    pub(crate) callers: Callers,
    pub(crate) allowances: Allowances,
    pub(crate) onlookers: Onlookers,
    pub(crate) locking: Locking,
    camera: Mutex<CameraStatus>,
    turns: AtomicU32,
    /// Tries whose attempts could not end them.
    stranded: Mutex<Vec<TryId>>,
    runtime: OnceLock<SharedRuntime>,
}

/// What the last attempt found of the camera.
#[derive(Clone, Debug, Default)]
pub(crate) struct CameraStatus {
    pub(crate) name: String,
    pub(crate) state: String,
}

/// Where the daemon's bus is.
#[derive(Clone, Debug)]
pub enum Bus {
    /// The system bus, by its constant path.
    System,
    /// Another bus, for tests of this crate.
    Address(String),
}

impl Daemon {
    /// Puts the parts together.
    ///
    /// # Errors
    /// The thread that starts workers could not be started, the configured password cost is out of bounds, or tries
    /// that a killed daemon left open could not be ended.
    pub fn new(parts: Parts) -> io::Result<Arc<Self>> {
        let passwords = Passwords::new(parts.config.password.clone()).map_err(io::Error::other)?;
        let mut store = parts.store;
        end_open_tries(&mut store, &parts.config.lockout)?;
        let idle = Duration::from_secs(u64::from(parts.config.worker.idle_exit_seconds));
        Ok(Arc::new(Self {
            passwords,
            workers: Workers::new(parts.program, parts.setup, idle)?,
            attempts: Registry::new(&parts.config.limits),
            allowances: Allowances::default(),
            onlookers: Onlookers::default(),
            locking: Locking::default(),
            camera: Mutex::default(),
            turns: AtomicU32::new(0),
            stranded: Mutex::default(),
            store: Mutex::new(store),
            audit: parts.audit,
            config: parts.config,
            seat: Seat::default(),
            callers: Callers::default(),
            runtime: OnceLock::new(),
        }))
    }

    /// Serves on the bus until `end` is done or the bus goes away. Call it inside `zbus::block_on`.
    ///
    /// # Errors
    /// The bus is not there, somebody else owns the name, or the bus policy forbids it.
    pub async fn serve(
        self: &Arc<Self>,
        bus: &Bus,
        ready: impl FnOnce(),
        end: impl Future<Output = ()>,
    ) -> Result<(), zbus::Error> {
        let runtime = SharedRuntime::current()?;
        let _ = self.runtime.set(runtime);
        let connection = self.connect(bus).await?;
        let watch = self.watch_names(&connection).await?;
        let interruptions = interruption::watch(Arc::clone(self), connection.clone());
        let interruptions = self.runtime()?.spawn("logind", interruptions);
        // Before the first caller: it may be a locker.
        if self.config.camera.may_be_plugged_in() && !self.config.camera.allow_replugged {
            locking::first_look(self, &connection).await;
        }
        let locking = locking::watch(Arc::clone(self), connection.clone());
        let locking = self.runtime()?.spawn("locking", locking);
        let (daemon, to) = (Arc::clone(self), connection.clone());
        let onlookers = self.runtime()?.spawn("onlookers", async move { daemon.onlookers.send(&to).await });
        connection.request_name_with_flags(BUS_NAME, zbus::fdo::RequestNameFlags::DO_NOT_QUEUE).await?;
        ready();
        let bus_gone = async {
            connection.closed().await;
            tracing::error!("the bus went away");
        };
        end.or(bus_gone).or(self.idle()).await;
        drop((watch, interruptions, locking, onlookers));
        let _ = connection.release_name(BUS_NAME).await;
        self.end().await;
        Ok(())
    }

    async fn connect(self: &Arc<Self>, bus: &Bus) -> Result<Connection, zbus::Error> {
        let address = match bus {
            Bus::System => format!("unix:path={SYSTEM_BUS_SOCKET}"),
            Bus::Address(address) => address.clone(),
        };
        connection::Builder::address(address.as_str())
            .max_queued(QUEUE)
            .serve_at(OBJECT_PATH, Service::new(Arc::clone(self)))
            .build()
            .await
    }

    /// Peers that come are noted; those that leave the bus have their attempts ended at once.
    async fn watch_names(
        self: &Arc<Self>,
        connection: &Connection,
    ) -> Result<zruntime::Task<(), zruntime::Shared>, zbus::Error> {
        let bus = DBusProxy::new(connection).await?;
        let mut changes = bus.receive_name_owner_changed().await?;
        let daemon = Arc::clone(self);
        let watch = async move {
            while let Some(signal) = changes.next().await {
                let Ok(args) = signal.args() else { continue };
                match args.new_owner().as_ref() {
                    None => {
                        daemon.callers.forget(args.name());
                        daemon.attempts.vanished(args.name());
                        daemon.onlookers.forget(args.name());
                    }
                    Some(owner) if owner.as_str() == args.name().as_str() => daemon.callers.came(owner),
                    Some(_) => {}
                }
            }
        };
        Ok(self.runtime()?.spawn("names", watch))
    }

    /// Done once nobody has called for the configured time and no attempt lives.
    async fn idle(&self) {
        let limit = Duration::from_secs(u64::from(self.config.daemon.idle_exit_seconds));
        if limit.is_zero() {
            futures_lite::future::pending::<()>().await;
        }
        while self.attempts.running() > 0 || self.allowances.idle_for() < limit {
            self.sleep(Duration::from_secs(1)).await;
        }
        tracing::info!("ending: nobody has called for {} s", limit.as_secs());
    }

    /// Ends all attempts and waits a moment for their threads, so that cameras are released and lines written.
    async fn end(&self) {
        self.attempts.stop_all(Stop::Shutdown);
        let start = std::time::Instant::now();
        while self.attempts.running() > 0 && start.elapsed() < END_LIMIT {
            self.sleep(Duration::from_millis(10)).await;
        }
    }

    /// The store, for one short transaction.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Notes a try that its attempt could not end: the store failed, or the attempt panicked.
    pub(crate) fn strand(&self, id: TryId) {
        let mut stranded = lock(&self.stranded);
        if stranded.len() < MOST_STRANDED {
            stranded.push(id);
        }
    }

    /// The store, for reserving a try, once stranded ones have ended as walking away from them would have. One that
    /// cannot be ended yet is one person's matter and keeps nobody else from beginning.
    pub(crate) fn store_without_stranded(&self, now: &Moment) -> MutexGuard<'_, Store> {
        let mut store = self.store();
        lock(&self.stranded).retain(|id| store.abandon(*id, &self.config.lockout, now).is_err());
        store
    }

    pub(crate) fn camera_status(&self) -> CameraStatus {
        lock(&self.camera).clone()
    }

    /// Numbers logins from 0.
    pub(crate) fn next_turn(&self) -> u32 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn note_camera(&self, name: &str, state: &str) {
        *lock(&self.camera) = CameraStatus { name: name.to_owned(), state: state.to_owned() };
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        match self.runtime.get() {
            Some(runtime) => runtime.sleep(duration).await,
            // Only before `serve`, where nobody sleeps.
            None => futures_lite::future::pending().await,
        }
    }

    pub(crate) fn spawn(
        &self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Refusal> {
        self.runtime().map_err(Refusal::internal)?.spawn(name, work).detach();
        Ok(())
    }

    fn runtime(&self) -> io::Result<&SharedRuntime> {
        self.runtime.get().ok_or_else(|| io::Error::other("the daemon does not serve yet"))
    }

    /// Has a worker load its models while the person types.
    pub(crate) fn warm_up(&self) {
        if self.config.worker.warm_up != WarmUp::Off {
            self.workers.warm();
        }
    }

    /// Has the camera opened while the person types, where configured and nobody else has it.
    pub(crate) fn open_ahead(&self, lid_closed: bool) {
        if self.config.worker.warm_up == WarmUp::Camera && !self.seat.is_taken() {
            self.workers.prepare(self.start_of(self.turns.load(Ordering::Relaxed), lid_closed));
        }
    }

    /// How the camera is to be opened for the login of that number.
    pub(crate) fn start_of(&self, turn: u32, lid_closed: bool) -> Start {
        Start { turn, lid_closed, locked: self.distrusted_times() }
    }

    /// The times in which a plugged-in camera must not have come, as configured.
    pub(crate) fn distrusted_times(&self) -> LockedTimes {
        if self.config.camera.allow_replugged { LockedTimes::default() } else { self.locking.times() }
    }

    /// Has it closed again after a login that did not come to use it.
    pub(crate) fn close_ahead(&self) {
        if self.config.worker.warm_up == WarmUp::Camera {
            self.workers.rest();
        }
    }

    pub(crate) fn start_thread(
        self: &Arc<Self>,
        attempt: Arc<Attempt>,
        task: Task,
        begun: Begun,
    ) -> Result<(), Refusal> {
        let daemon = Arc::clone(self);
        std::thread::Builder::new()
            .name("attempt".into())
            .stack_size(STACK)
            .spawn(move || work::run(&daemon, &attempt, task, &begun))
            .map(drop)
            .map_err(Refusal::internal)
    }
}

/// Tries that an earlier process left open cost what walking away costs. Left there they would count as under way, and
/// once they could lock, nobody else could begin one.
fn end_open_tries(store: &mut Store, limits: &Limits) -> io::Result<()> {
    let ended = store.abandon_all(limits, &Moment::now()?);
    let count = ended.map_err(|error| io::Error::other(error.to_string()))?;
    if count > 0 {
        tracing::info!("{count} tries that an earlier run left open have ended as abandoned");
    }
    Ok(())
}

/// A thread that panicked inside a transaction has rolled it back; the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}
