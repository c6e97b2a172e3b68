//! A candidate policy on trial beside the one in force: started, followed through every change of what it is compiled
//! with, and stopped. Ends with the process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dataplane::inbox::OwnedNotice;
use jiff::Timestamp;
use schema::services::{Problem, Services};
use tokio::sync::Mutex;
use wire::decision::{EventKind, Tier};

use super::App;
use crate::operator::Caller;

/// How often it is looked whether another policy is in force.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// The candidate, if there is one.
#[derive(Default)]
pub struct Candidate {
    running: Mutex<Option<Running>>,
}

/// A candidate on trial.
pub struct Running {
    services: Services,
    /// Where it was read from.
    pub tree: PathBuf,
    /// Since when.
    pub since: Timestamp,
    /// Who wanted it.
    pub user: String,
    /// What had been compared, differed and skipped before it began.
    before: [u64; 3],
    /// Follows the policy in force.
    following: tokio::task::JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// How a trial goes.
pub struct Standing {
    /// Where the candidate was read from.
    pub tree: PathBuf,
    /// Since when.
    pub since: Timestamp,
    /// Who wanted it.
    pub user: String,
    /// Calls that it has judged.
    pub compared: u64,
    /// Those of them that it would have decided otherwise.
    pub differed: u64,
    /// Calls that it could not judge.
    pub skipped: u64,
}

/// Why a trial did not begin.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The tree does not hold together.
    #[error("the candidate does not hold together")]
    Problems(Vec<Problem>),
    /// It could not be recorded.
    #[error("the trial could not be recorded, so it did not begin: {0}")]
    Record(&'static str),
}

impl Candidate {
    /// Puts another tree on trial, in place of the one before.
    ///
    /// # Errors
    /// [`TrialError`]; the candidate before stays on trial.
    pub async fn start(&self, app: &Arc<App>, tree: PathBuf, caller: &Caller) -> Result<Standing, TrialError> {
        let services = schema::services::load(&tree).map_err(TrialError::Problems)?;
        let mut running = self.running.lock().await;
        let policy = app.publishing.compile_candidate(&services).await.map_err(TrialError::Problems)?;
        record(app, caller, "trial_start", &tree).await?;
        let before = counted(app).await;
        app.plane.put_on_trial(Some(&Arc::new(policy))).await;
        let (since, user) = (Timestamp::now(), caller.claims.sub.clone());
        let following = tokio::spawn(follow(Arc::clone(app), app.publishing.publisher().await.generation()));
        let of = running.insert(Running { services, tree, since, user, before, following });
        Ok(standing(app, of).await)
    }

    /// Ends the trial; says how it went, or that there was none.
    ///
    /// # Errors
    /// [`TrialError::Record`]; it goes on.
    pub async fn stop(&self, app: &App, caller: &Caller) -> Result<Option<Standing>, TrialError> {
        let mut running = self.running.lock().await;
        let Some(of) = running.as_ref() else { return Ok(None) };
        record(app, caller, "trial_stop", &of.tree).await?;
        app.plane.put_on_trial(None).await;
        let ended = standing(app, of).await;
        *running = None;
        Ok(Some(ended))
    }

    /// How it goes.
    pub async fn standing(&self, app: &App) -> Option<Standing> {
        match self.running.lock().await.as_ref() {
            Some(of) => Some(standing(app, of).await),
            None => None,
        }
    }

    /// Compiles the candidate anew with the tools and facts of now; its limits begin anew too.
    async fn follow(&self, app: &App) {
        let running = self.running.lock().await;
        let Some(of) = running.as_ref() else { return };
        match app.publishing.compile_candidate(&of.services).await {
            Ok(policy) => app.plane.put_on_trial(Some(&Arc::new(policy))).await,
            Err(problems) => {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                tracing::error!(first, "the candidate no longer holds together; it stays on trial as it was");
            }
        }
    }
}

/// Another policy in force means other tools or facts, which the candidate is to be judged with as well.
async fn follow(app: Arc<App>, mut generation: u64) {
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let now = app.publishing.publisher().await.generation();
        if now != generation {
            generation = now;
            app.publishing.candidate.follow(&app).await;
        }
    }
}

async fn counted(app: &App) -> [u64; 3] {
    let shards = app.plane.counters().await;
    shards.iter().fold([0; 3], |[compared, differed, skipped], shard| {
        [compared + shard.shadow_compared, differed + shard.shadow_differed, skipped + shard.shadow_skipped]
    })
}

async fn standing(app: &App, of: &Running) -> Standing {
    let now = counted(app).await;
    let [compared, differed, skipped] = [0, 1, 2].map(|at: usize| now[at].saturating_sub(of.before[at]));
    Standing { tree: of.tree.clone(), since: of.since, user: of.user.clone(), compared, differed, skipped }
}

async fn record(app: &App, caller: &Caller, action: &str, tree: &std::path::Path) -> Result<(), TrialError> {
    let notice = OwnedNotice {
        kind: Some(EventKind::PolicyChange),
        at_us: u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0),
        trace: caller.trace.0,
        user: caller.claims.sub.clone(),
        tenant: caller.claims.tenant.clone(),
        tier: Tier::Admin.code(),
        action: action.to_owned(),
        subject: "candidate".to_owned(),
        generation: app.publishing.publisher().await.generation(),
        detail: serde_json::json!({ "tree": tree.display().to_string() }).to_string(),
        ..OwnedNotice::default()
    };
    app.plane.append(notice).await.map(drop).map_err(|reason| TrialError::Record(reason.explain()))
}
