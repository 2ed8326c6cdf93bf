//! Programs that show elsewhere what an attempt asks for, for instance above a screen locker that shows no text: who
//! asked to be told, and the telling. They learn instructions, which are the same whether or not anything matched, and
//! when none holds any more; never a result.

use std::sync::{Mutex, MutexGuard};

use pose_contract::{INTERFACE, OBJECT_PATH, signal};
use zbus::Connection;

use crate::caller::Caller;
use crate::refusal::Refusal;

/// Onlookers of one uid, and of all.
const PER_USER: usize = 4;
const IN_ALL: usize = 64;
/// Words that wait to be sent before further ones are dropped: nobody waits for an onlooker.
const WAITING: usize = 64;

/// Everybody who asked to be told.
pub(crate) struct Onlookers {
    all: Mutex<Vec<Caller>>,
    words: (async_channel::Sender<Word>, async_channel::Receiver<Word>),
}

/// An instruction for one of them; an empty code takes the last one back.
struct Word {
    to: String,
    code: String,
    text: String,
}

impl Default for Onlookers {
    fn default() -> Self {
        Self { all: Mutex::default(), words: async_channel::bounded(WAITING) }
    }
}

impl Onlookers {
    /// Tells this caller from now on.
    ///
    /// # Errors
    /// [`Refusal::Busy`] beyond the limits.
    pub(crate) fn add(&self, caller: Caller) -> Result<(), Refusal> {
        let mut all = self.all();
        if all.contains(&caller) {
            return Ok(());
        }
        let own = all.iter().filter(|other| other.uid == caller.uid).count();
        if own >= PER_USER || all.len() >= IN_ALL {
            return Err(Refusal::Busy("too many programs follow already; end one of them".into()));
        }
        all.push(caller);
        Ok(())
    }

    /// The peer has left the bus.
    pub(crate) fn forget(&self, unique: &str) {
        self.all().retain(|caller| caller.unique != unique);
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// Tells the onlookers of the user to whom the session belongs.
    pub(crate) fn tell(&self, owner: u32, code: &str, text: &str) {
        for caller in self.all().iter().filter(|caller| caller.uid == owner) {
            let word = Word { to: caller.unique.clone(), code: code.to_owned(), text: text.to_owned() };
            let _ = self.words.0.try_send(word);
        }
    }

    /// Sends what there is to tell, in order, for as long as it is polled.
    pub(crate) async fn send(&self, connection: &Connection) {
        while let Ok(Word { to, code, text }) = self.words.1.recv().await {
            let body = (code, text);
            // One that has left meanwhile is told nothing.
            let _ = connection
                .emit_signal(Some(to.as_str()), OBJECT_PATH, INTERFACE, signal::INSTRUCTED, &body)
                .await;
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Caller>> {
        match self.all.lock() {
            Ok(all) => all,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(number: usize, uid: u32) -> Caller {
        Caller { unique: format!(":1.{number}"), uid }
    }

    #[test]
    fn only_the_owners_own_are_told_and_each_user_has_few() {
        let onlookers = Onlookers::default();
        for number in 0..PER_USER {
            assert!(onlookers.add(caller(number, 1000)).is_ok());
        }
        assert!(onlookers.add(caller(0, 1000)).is_ok(), "it follows already");
        assert!(onlookers.add(caller(PER_USER, 1000)).is_err());
        assert!(onlookers.add(caller(90, 1001)).is_ok());
        onlookers.forget(":1.0");
        onlookers.tell(1000, "gesture", "Do your gesture");
        let told: Vec<String> =
            std::iter::from_fn(|| onlookers.words.1.try_recv().ok()).map(|w| w.to).collect();
        assert_eq!(told, [":1.1", ":1.2", ":1.3"]);
        onlookers.tell(0, "gesture", "Do your gesture");
        assert!(onlookers.words.1.try_recv().is_err(), "nobody else's");
    }

    #[test]
    fn everybody_together_is_bounded_and_a_full_queue_drops() {
        let onlookers = Onlookers::default();
        let uids = (0..u32::MAX).flat_map(|uid| [uid; PER_USER]);
        let taken = uids.enumerate().take_while(|(n, uid)| onlookers.add(caller(*n, *uid)).is_ok()).count();
        assert_eq!(taken, IN_ALL);
        for _ in 0..WAITING {
            onlookers.tell(3, "gesture", "");
        }
        assert_eq!(onlookers.words.1.len(), WAITING);
    }
}
