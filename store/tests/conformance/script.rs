//! What is called and what was answered.

use std::fmt::Debug;

use store::{Engine, Error, Store};

/// A script being played on one engine.
pub struct Script {
    pub engine: Engine,
    pub store: Store,
    pub log: Vec<String>,
}

impl Script {
    pub fn new(engine: Engine, store: Store) -> Self {
        Self {
            engine,
            store,
            log: Vec::new(),
        }
    }

    /// Notes an answer. Errors are named by their kind: the texts are each engine's own.
    pub fn note<T: Debug>(&mut self, call: &str, answer: Result<T, Error>) {
        let line = match answer {
            Ok(answer) => format!("{call}: {answer:?}"),
            Err(Error::Conflict(_)) => format!("{call}: refused"),
            Err(Error::Busy(_)) => format!("{call}: busy"),
            Err(error) => format!("{call}: failed: {error}"),
        };
        self.log.push(line);
    }
}

/// Calls one method in a transaction that is kept, and notes the answer.
macro_rules! say {
    ($script:expr, $method:ident($($argument:expr),* $(,)?)) => {{
        let mut tx = $script.store.begin().await.unwrap();
        let answer = tx.$method($($argument),*).await;
        if answer.is_ok() {
            tx.commit().await.unwrap();
        }
        $script.note(stringify!($method), answer);
    }};
}

/// Calls one method in a transaction that only reads, notes the answer and gives it.
macro_rules! ask {
    ($script:expr, $method:ident($($argument:expr),* $(,)?)) => {{
        let mut tx = $script.store.read().await.unwrap();
        let answer = tx.$method($($argument),*).await;
        drop(tx);
        let given = answer.as_ref().ok().cloned();
        $script.note(stringify!($method), answer);
        given.expect("it answers")
    }};
}

pub(crate) use {ask, say};
