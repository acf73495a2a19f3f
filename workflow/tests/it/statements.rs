//! How many statements one ask and one decision send to the database: each is a round trip to PostgreSQL.
//!
//! The driver itself tells of each statement that it sends, as an event of `tracing` in the span of whoever sends it. What
//! begins and ends a transaction is not among them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, Once, PoisonError},
};

use domain::{LineId, approval::Verdict, policy::ApproverRule};
use store::Engine;
use tracing::{
    Event, Instrument, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
    subscriber::Interest,
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};
use workflow::{decide, requests};

use crate::support::{ASTRID, House, JOHAN, hours, houses, policy, stage};

/// The most that an ask and a decision may send to PostgreSQL.
const MOST: usize = 14;

/// SQLite has no round trips, so what PostgreSQL is sent as one statement with others in it is several there.
const MOST_ON_SQLITE: usize = 22;

/// What is sent inside a span of this name is counted.
const COUNTED: &str = "counted";

/// What was sent, by the span that it was sent in.
static SENT: Mutex<BTreeMap<u64, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Hears of every statement.
struct Counting;

fn counts(metadata: &Metadata<'_>) -> bool {
    metadata.name() == COUNTED || metadata.target() == "sqlx::query"
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Counting {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if counts(metadata) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        metadata.name() == COUNTED || (counts(metadata) && context.lookup_current().is_some())
    }

    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        sent().insert(id.into_u64(), Vec::new());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        // One engine's driver tells of it, the other's does not.
        if said.0 == "COMMIT" {
            return;
        }
        for span in context.event_scope(event).into_iter().flatten() {
            sent()
                .entry(span.id().into_u64())
                .or_default()
                .push(said.0.clone());
        }
    }
}

/// How a statement begins.
#[derive(Default)]
struct Said(String);

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

fn sent() -> std::sync::MutexGuard<'static, BTreeMap<u64, Vec<String>>> {
    SENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something, and gives how each statement begins that it sent.
async fn counted<T>(what: impl Future<Output = T>) -> (T, Vec<String>) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let all = tracing_subscriber::registry().with(Counting);
        tracing::subscriber::set_global_default(all).expect("nobody else listens");
    });
    let span = tracing::info_span!(COUNTED);
    let id = span.id().expect("the span is heard").into_u64();
    let given = what.instrument(span).await;
    let statements = sent().remove(&id).unwrap_or_default();
    (given, statements)
}

/// Shows what was sent, and holds it to the limit.
fn limited(house: &House, what: &str, statements: &[String]) {
    let shown = statements.join("\n  ");
    let most = match house.engine {
        Engine::Postgres => MOST,
        Engine::Sqlite => MOST_ON_SQLITE,
    };
    let found = format!(
        "{what} on {:?}: {} statements\n  {shown}",
        house.engine,
        statements.len()
    );
    // Nothing counted would be a counter that does not count.
    assert!((5..=most).contains(&statements.len()), "{found}");
    tell(&found);
}

#[expect(clippy::print_stderr, reason = "whoever counts wants to see")]
fn tell(found: &str) {
    eprintln!("{found}");
}

async fn asked(house: &House, key: &str) -> (store::requests::LineRow, Vec<String>) {
    let ask = requests::NewAsk {
        confirmed: false,
        package: house.package,
        window: hours(8),
        reason: "Incident 4312".into(),
        answers: BTreeMap::new(),
        key: key.into(),
    };
    let viewer = house.viewer(JOHAN).await;
    let (request, statements) =
        counted(Box::pin(requests::ask(&house.workflow, &viewer, ask))).await;
    (house.line(request.unwrap()).await, statements)
}

async fn decided(house: &House, line: LineId, verdict: Verdict) -> Vec<String> {
    let (stage, signed_hash) = house.open(line).await;
    let vote = decide::Vote {
        stage,
        verdict,
        note: "I looked at it".into(),
        cap_seconds: None,
        signed_hash,
    };
    let viewer = house.viewer(ASTRID).await;
    let (done, statements) =
        counted(Box::pin(decide::decide(&house.workflow, &viewer, vote))).await;
    done.unwrap();
    statements
}

#[tokio::test]
async fn an_ask_and_a_decision_send_few_statements() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let (line, statements) = asked(&house, "no").await;
        limited(&house, "an ask", &statements);
        let statements = decided(&house, line.id, Verdict::Deny).await;
        limited(&house, "a no", &statements);
        let (line, _) = asked(&house, "yes").await;
        let statements = decided(&house, line.id, Verdict::Approve).await;
        limited(&house, "a yes", &statements);
        assert!(house.grant_of(line.id).await.end_at.is_some());
    }
}
