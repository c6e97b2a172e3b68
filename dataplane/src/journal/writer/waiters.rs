//! Who waits for which append. Appends are numbered by tickets, which unlike sequence numbers are never given twice, and
//! are answered in order.
//!
//! *Lives on* one shard. Costs no allocation once the queue has grown to the number of appends that wait at once.

use std::collections::VecDeque;
use std::task::Waker;

use crate::journal::JournalError;

/// The number of an append.
pub(super) type Ticket = u64;

#[derive(Default)]
pub(super) struct Waiters {
    /// Every ticket up to this is answered.
    answered: Ticket,
    /// Those after `answered`, in order.
    waiting: VecDeque<Waiting>,
    /// Answered with an error, until each of them has heard it. Almost always empty.
    failures: Vec<Failure>,
    /// To be woken as soon as nothing is borrowed any more.
    pub(super) wake: Vec<Waker>,
}

enum Waiting {
    /// Not asked yet.
    New,
    Asked(Waker),
    /// Nobody waits any more. The record is written all the same.
    Gone,
}

struct Failure {
    first: Ticket,
    last: Ticket,
    /// How many have not heard of it yet.
    left: u64,
    error: JournalError,
}

impl Waiters {
    /// A ticket for an append that has just got its place.
    pub(super) fn enter(&mut self) -> Ticket {
        self.waiting.push_back(Waiting::New);
        self.last()
    }

    /// The newest ticket.
    pub(super) fn last(&self) -> Ticket {
        self.answered + self.waiting.len() as u64
    }

    /// The answer, if there is one; else whoever asks is woken when there is.
    pub(super) fn ask(&mut self, ticket: Ticket, waker: &Waker) -> Option<Result<(), JournalError>> {
        if ticket > self.answered {
            let waiting = &mut self.waiting[(ticket - self.answered - 1) as usize];
            match waiting {
                Waiting::Asked(old) if old.will_wake(waker) => {}
                _ => *waiting = Waiting::Asked(waker.clone()),
            }
            return None;
        }
        Some(self.hear(ticket).map_or(Ok(()), Err))
    }

    /// Whoever held the ticket has gone away without hearing the answer.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        if ticket > self.answered {
            self.waiting[(ticket - self.answered - 1) as usize] = Waiting::Gone;
        } else {
            self.hear(ticket);
        }
    }

    /// Answers every ticket up to `through` with success.
    pub(super) fn succeed(&mut self, through: Ticket) {
        self.answer(through);
    }

    /// Answers every ticket up to `last` with `error`.
    pub(super) fn fail(&mut self, last: Ticket, error: &JournalError) {
        let first = self.answered + 1;
        let left = self.answer(last);
        if left > 0 {
            self.failures.push(Failure { first, last, left, error: error.clone() });
        }
    }

    fn answer(&mut self, through: Ticket) -> u64 {
        let mut listening = 0;
        while self.answered < through {
            let Some(waiting) = self.waiting.pop_front() else { break };
            self.answered += 1;
            match waiting {
                Waiting::New => listening += 1,
                Waiting::Asked(waker) => {
                    listening += 1;
                    self.wake.push(waker);
                }
                Waiting::Gone => {}
            }
        }
        listening
    }

    fn hear(&mut self, ticket: Ticket) -> Option<JournalError> {
        let at = self.failures.iter().position(|failure| (failure.first..=failure.last).contains(&ticket))?;
        let failure = &mut self.failures[at];
        failure.left -= 1;
        if failure.left > 0 {
            return Some(failure.error.clone());
        }
        Some(self.failures.swap_remove(at).error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_reach_those_who_still_listen_and_nothing_is_left_over() {
        let waker = Waker::noop();
        let mut waiters = Waiters::default();
        let tickets: Vec<_> = (0..6).map(|_| waiters.enter()).collect();
        assert!(waiters.ask(tickets[0], waker).is_none());
        assert!(waiters.ask(tickets[0], waker).is_none());
        waiters.leave(tickets[1]);
        waiters.succeed(tickets[2]);
        assert_eq!(waiters.wake.len(), 1);
        assert!(matches!(waiters.ask(tickets[0], waker), Some(Ok(()))));
        assert!(matches!(waiters.ask(tickets[2], waker), Some(Ok(()))));

        waiters.leave(tickets[4]);
        waiters.fail(waiters.last(), &JournalError::Degraded);
        assert!(matches!(waiters.ask(tickets[3], waker), Some(Err(JournalError::Degraded))));
        assert_eq!(waiters.failures.len(), 1);
        waiters.leave(tickets[5]);
        assert!(waiters.failures.is_empty() && waiters.waiting.is_empty());

        waiters.fail(waiters.last(), &JournalError::Degraded);
        assert!(waiters.failures.is_empty());
        let next = waiters.enter();
        assert_eq!(next, tickets[5] + 1);
    }
}
