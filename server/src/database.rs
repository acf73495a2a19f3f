//! Opening a database. Whose it is, and which version made it, is asked before anything in it is changed.

use std::path::Path;

use store::{Options, Schema, Store};
use workflow::installation::Mode;

/// Why a database is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none, or nothing is in it.
    #[error(
        "there is no database of Latchkey yet: `latchkey migrate` or `latchkey serve` makes it"
    )]
    Missing,
    /// It needs migrating, which only some commands do.
    #[error("the database was made by an earlier version: run `latchkey migrate`")]
    Older,
    /// It is a trial's, where a real one was meant.
    #[error("the database was made by latchkey trial and holds a sample company: name another one")]
    Trial,
    /// It is a real one, where a trial's was meant.
    #[error("it is the database of a real installation")]
    Real,
    /// It cannot be reached, or its schema does not fit.
    #[error(transparent)]
    Failed(#[from] store::Error),
}

/// Opens the database for an installation of this mode and brings it to this version. One of the other mode stays as it is.
pub async fn open(options: &Options, mode: Mode) -> Result<Store, OpenError> {
    let store = Store::open(options).await?;
    if let Some(found) = found(&store).await? {
        fits(&found, mode)?;
    }
    store.migrate().await?;
    Ok(store)
}

/// Opens the database of a real installation for whoever must not change its schema.
pub async fn open_as_it_is(options: &Options) -> Result<Store, OpenError> {
    if file(&options.url).is_some_and(|path| !path.exists()) {
        return Err(OpenError::Missing);
    }
    let store = Store::open(options).await?;
    match store.schema().await? {
        Schema::Missing => return Err(OpenError::Missing),
        Schema::Older => return Err(OpenError::Older),
        Schema::Current => {}
    }
    let found = read_mode(&store).await?.ok_or(OpenError::Missing)?;
    fits(&found, Mode::Production)?;
    Ok(store)
}

/// The mode that a database was made for, also where its schema does not fit this binary. Changes nothing.
pub async fn mode(options: &Options) -> Result<Option<String>, store::Error> {
    let store = Store::open(options).await?;
    let mode = read_mode(&store).await;
    store.close().await;
    mode
}

async fn read_mode(store: &Store) -> Result<Option<String>, store::Error> {
    let mut tx = store.read().await?;
    tx.installation_mode().await
}

fn fits(found: &str, mode: Mode) -> Result<(), OpenError> {
    if found == mode.as_str() {
        return Ok(());
    }
    Err(match mode {
        Mode::Trial => OpenError::Real,
        Mode::Production => OpenError::Trial,
    })
}

async fn found(store: &Store) -> Result<Option<String>, store::Error> {
    match store.schema().await? {
        Schema::Missing => Ok(None),
        Schema::Older | Schema::Current => read_mode(store).await,
    }
}

/// The file of an SQLite database.
pub fn file(url: &str) -> Option<&Path> {
    url.strip_prefix("sqlite:")
        .map(|path| Path::new(path.trim_start_matches("//")))
}

#[cfg(test)]
mod tests {
    use store::{Engine, testing};
    use workflow::{Clock, Ids, Settings, Workflow, installation::prepare};

    use super::*;

    async fn made(mode: Mode) -> Options {
        let options = Options::new(testing::url(Engine::Sqlite).await);
        let store = open(&options, mode).await.expect("it is new");
        let workflow = Workflow::new(store, Clock::system(), Ids::system(), Settings::default());
        prepare(&workflow, mode).await.expect("it is new");
        workflow.store().close().await;
        options
    }

    #[tokio::test]
    async fn looking_makes_nothing() {
        let options = Options::new(testing::url(Engine::Sqlite).await);
        let path = file(&options.url).expect("it is a file");
        let looked = open_as_it_is(&options).await;
        assert!(matches!(looked, Err(OpenError::Missing)));
        assert!(!path.exists());
        // A file without our tables stays without them.
        let empty = Store::open(&options).await.expect("it can be made");
        let looked = open_as_it_is(&options).await;
        assert!(matches!(looked, Err(OpenError::Missing)));
        assert_eq!(empty.schema().await.expect("it answers"), Schema::Missing);
    }

    #[tokio::test]
    async fn a_database_serves_the_mode_that_it_was_made_for() {
        let (trial, real) = (made(Mode::Trial).await, made(Mode::Production).await);
        assert!(open(&real, Mode::Production).await.is_ok());
        assert!(open_as_it_is(&real).await.is_ok());
        assert!(matches!(
            open(&real, Mode::Trial).await,
            Err(OpenError::Real)
        ));
        assert!(matches!(
            open(&trial, Mode::Production).await,
            Err(OpenError::Trial)
        ));
        assert!(matches!(open_as_it_is(&trial).await, Err(OpenError::Trial)));
        assert_eq!(
            mode(&trial).await.expect("it answers").as_deref(),
            Some("trial")
        );
    }
}
