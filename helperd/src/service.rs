//! The bus interface, method by method as `contract/org.pam_pose.Helper1.xml` says.
//!
//! Every method first learns from the bus who calls and whether that caller may ask anything now; nothing here
//! blocks: what takes longer runs on the attempt's thread or on one for blocking work.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_lite::FutureExt;
use pose_contract::{NEXT_WAIT_MS, kind};
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedFd, OwnedVariant, interface};

use crate::allowance::Allowed;
use crate::arguments::{self, EnrolOptions, Origin};
use crate::attempt::{Attempt, BusEvent, Stop};
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::place::{self, Place, Told};
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::work::{Begun, Task};
use crate::{overview, polkit};

/// Longest wait for logind.
const PLACE_LIMIT: Duration = Duration::from_millis(1_000);

/// How often an attempt that waits for polkit is looked at.
const OVER_LOOK: Duration = Duration::from_millis(200);

/// The object at `/org/pam_pose/Helper1`.
pub struct Service {
    daemon: Arc<Daemon>,
}

type Values = HashMap<String, OwnedVariant>;

impl Service {
    /// Serves that daemon.
    #[must_use]
    pub fn new(daemon: Arc<Daemon>) -> Self {
        Self { daemon }
    }

    /// Who calls, and its place among the calls that are answered at once.
    async fn enter(
        &self,
        header: &Header<'_>,
        connection: &Connection,
    ) -> Result<(Caller, Allowed), Refusal> {
        let caller = self.daemon.callers.of(header, connection).await?;
        let allowed = self.daemon.allowances.enter(caller.uid)?;
        Ok((caller, allowed))
    }

    /// Registers an attempt for a caller that is still there, starts its thread and waits for its first word.
    async fn begin_task(
        &self,
        header: &Header<'_>,
        connection: &Connection,
        task: Task,
    ) -> Result<Arc<Attempt>, Refusal> {
        let caller = self.daemon.callers.of(header, connection).await?;
        let attempt = self.daemon.attempts.add(caller)?;
        if let Place::Here(Some(session)) = task.place() {
            attempt.sit_in(session);
            if let Some(uid) = self.owner_of(session, connection).await {
                attempt.belong_to(uid);
            }
        }
        if matches!(task.place(), Place::Here(_)) {
            if task.needs_camera() {
                self.daemon.warm_up();
            }
            attempt.lid_closed.store(self.lid_closed(connection).await, Ordering::Release);
        }
        let begun = self.start(header, connection, task, &attempt).await;
        if begun.is_err() {
            self.daemon.attempts.remove(&attempt.id);
        }
        begun.map(|()| attempt)
    }

    async fn start(
        &self,
        header: &Header<'_>,
        connection: &Connection,
        task: Task,
        attempt: &Arc<Attempt>,
    ) -> Result<(), Refusal> {
        // Asked after the attempt is registered: a caller that left before was missed by the watch on names, one
        // that leaves from now on is not.
        self.daemon.callers.still_there(header, connection).await?;
        let (begun, first_word): (Begun, _) = async_channel::bounded(1);
        self.daemon.start_thread(Arc::clone(attempt), task, begun)?;
        match first_word.recv().await {
            Ok(result) => result?,
            Err(_) => return Err(Refusal::internal("an attempt's thread ended before its first word")),
        }
        if attempt.wants_permission() {
            self.ask_polkit(connection, attempt)?;
        }
        Ok(())
    }

    /// polkit may show a dialogue, so the answer comes when it comes.
    fn ask_polkit(&self, connection: &Connection, attempt: &Arc<Attempt>) -> Result<(), Refusal> {
        let (asking, connection) = (Arc::clone(attempt), connection.clone());
        let daemon = Arc::clone(&self.daemon);
        self.daemon.spawn("polkit", async move {
            // The dialogue would outlive an attempt that was cancelled or has run out of time.
            let over = async {
                while asking.stopped().is_none() && !asking.is_finished() {
                    daemon.sleep(OVER_LOOK).await;
                }
            };
            let unique = &asking.caller.unique;
            let permitted =
                polkit::permits(&connection, unique, polkit::ENROL_ACTION, &asking.id, over).await;
            asking.permit(permitted);
        })
    }

    async fn place_of(&self, caller: &Caller, told: Told<'_>, connection: &Connection) -> Place {
        let required = self.daemon.config.daemon.require_logind;
        let asked = place::of(connection, &self.daemon.callers, caller, told, required);
        let late = async {
            self.daemon.sleep(PLACE_LIMIT).await;
            Place::Elsewhere("logind did not answer in time".into())
        };
        asked.or(late).await
    }

    /// Whose session it is, if anybody follows.
    async fn owner_of(&self, session: &str, connection: &Connection) -> Option<u32> {
        if self.daemon.onlookers.is_empty() {
            return None;
        }
        let late = async {
            self.daemon.sleep(PLACE_LIMIT).await;
            None
        };
        async { place::owner(connection, session).await.ok() }.or(late).await
    }

    async fn lid_closed(&self, connection: &Connection) -> bool {
        let late = async {
            self.daemon.sleep(PLACE_LIMIT).await;
            false
        };
        place::lid_closed(connection).or(late).await
    }
}

#[interface(name = "org.pam_pose.Helper1", introspection_docs = false)]
impl Service {
    #[zbus(out_args("attempt"))]
    async fn begin(
        &self,
        user: String,
        service: String,
        origin: Values,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<String, Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        arguments::user(&user)?;
        arguments::service(&service)?;
        let origin = Origin::read(origin)?;
        let place = self.place_of(&caller, origin.told(&service), connection).await;
        let task = Task::Login { user, service, origin, place, test: false };
        self.begin_task(&header, connection, task).await.map(|attempt| attempt.id.clone())
    }

    #[zbus(out_args("attempt"))]
    async fn enroll(
        &self,
        user: String,
        options: Values,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<String, Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        arguments::user(&user)?;
        let options = EnrolOptions::read(options)?;
        let place = self.place_of(&caller, Told::default(), connection).await;
        let task = Task::Enrol { user, options, place };
        self.begin_task(&header, connection, task).await.map(|attempt| attempt.id.clone())
    }

    #[zbus(out_args("attempt"))]
    async fn remove(
        &self,
        user: String,
        options: Values,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<String, Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        arguments::user(&user)?;
        arguments::nothing_else(&options)?;
        let place = self.place_of(&caller, Told::default(), connection).await;
        self.begin_task(&header, connection, Task::Remove { user, place })
            .await
            .map(|attempt| attempt.id.clone())
    }

    #[zbus(out_args("attempt"))]
    async fn set_password(
        &self,
        user: String,
        options: Values,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<String, Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        arguments::user(&user)?;
        arguments::nothing_else(&options)?;
        let place = self.place_of(&caller, Told::default(), connection).await;
        self.begin_task(&header, connection, Task::SetPassword { user, place })
            .await
            .map(|attempt| attempt.id.clone())
    }

    #[zbus(out_args("attempt"))]
    async fn test(
        &self,
        user: String,
        options: Values,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<String, Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        arguments::user(&user)?;
        let origin = Origin::read(options)?;
        let place = self.place_of(&caller, origin.told(""), connection).await;
        let task = Task::Login { user, service: "posectl-test".into(), origin, place, test: true };
        self.begin_task(&header, connection, task).await.map(|attempt| attempt.id.clone())
    }

    async fn answer(
        &self,
        attempt: String,
        secret: OwnedFd,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        let attempt = self.daemon.attempts.find(&attempt, &caller.unique)?;
        let secret =
            Secret::from_memfd(secret.into()).map_err(|error| Refusal::InvalidArgument(error.to_string()))?;
        if attempt.answer(secret) {
            Ok(())
        } else {
            Err(Refusal::WrongState("nothing was asked; wait for an \"ask\" event".into()))
        }
    }

    #[zbus(out_args("kind", "code", "text", "details"))]
    async fn next(
        &self,
        attempt: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(String, String, String, Values), Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        let attempt = self.daemon.attempts.find(&attempt, &caller.unique)?;
        if attempt.next_waiting.swap(true, Ordering::AcqRel) {
            return Err(Refusal::WrongState(
                "another Next of this attempt is waiting; wait for its reply".into(),
            ));
        }
        let wait = self.daemon.sleep(Duration::from_millis(NEXT_WAIT_MS));
        let event = async { attempt.events().recv().await.unwrap_or_else(|_| BusEvent::progress()) }
            .or(async {
                wait.await;
                BusEvent::progress()
            })
            .await;
        attempt.next_waiting.store(false, Ordering::Release);
        if event.kind == kind::VERDICT {
            self.daemon.attempts.remove(&attempt.id);
        }
        Ok((event.kind.to_owned(), event.code, event.text, event.details))
    }

    async fn cancel(
        &self,
        attempt: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        self.daemon.attempts.find(&attempt, &caller.unique)?.stop(Stop::Cancelled);
        Ok(())
    }

    async fn unlock(
        &self,
        user: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        arguments::user(&user)?;
        if caller.uid != 0 {
            return Err(Refusal::NotAuthorized(
                "only root ends a lock-out; run posectl unlock as root".into(),
            ));
        }
        let daemon = Arc::clone(&self.daemon);
        zruntime::unblock(move || overview::unlock(&daemon, &user, caller.uid)).await
    }

    async fn approve_cameras(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        if caller.uid != 0 {
            return Err(Refusal::NotAuthorized(
                "only root approves a camera; pull it out and plug it in again while you work".into(),
            ));
        }
        self.daemon.locking.approve();
        tracing::info!("cameras that were plugged in while the session was locked are approved");
        Ok(())
    }

    #[zbus(out_args("enrolments"))]
    async fn list(
        &self,
        user: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<Vec<Values>, Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        if !user.is_empty() {
            arguments::user(&user)?;
        }
        let daemon = Arc::clone(&self.daemon);
        zruntime::unblock(move || overview::list(&daemon, &user, &caller)).await
    }

    #[zbus(out_args("status"))]
    async fn status(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<Values, Refusal> {
        let (_caller, _allowed) = self.enter(&header, connection).await?;
        let daemon = Arc::clone(&self.daemon);
        zruntime::unblock(move || Ok(overview::status(&daemon))).await
    }

    async fn follow(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Refusal> {
        let (caller, _allowed) = self.enter(&header, connection).await?;
        let unique = caller.unique.clone();
        self.daemon.onlookers.add(caller)?;
        // Asked afterwards, as for attempts: one that left before was missed by the watch on names.
        let there = self.daemon.callers.still_there(&header, connection).await;
        there.map(drop).inspect_err(|_| self.daemon.onlookers.forget(&unique))
    }

    /// Declared for introspection; [`crate::onlookers`] sends it.
    #[zbus(signal)]
    async fn instructed(emitter: &SignalEmitter<'_>, code: &str, text: &str) -> zbus::Result<()>;

    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }
}
