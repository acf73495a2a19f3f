//! The connection to a directory: made with verified TLS, bound, shared by all requests, and made anew when it is gone.

use std::{
    collections::HashSet,
    fmt,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Mod, Scope, SearchOptions,
    controls::{Control, ControlType, MakeCritical as _, PagedResults, RawControl},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::sync::Mutex;

use super::{
    error::{Error, Kind},
    settings::{Encryption, PAGE, Settings},
    wire::Entry,
};

/// A connection that was not used for so long may be gone without either side knowing: another one is made.
const IDLE: Duration = Duration::from_mins(1);
/// A listing with more pages than this goes in circles.
const MOST_PAGES: usize = 10_000;

/// Why no client can be made of settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// A directory that can be asked. Clones share one connection.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    /// Whom we trust; none where the system's certificates count.
    tls: Option<Arc<ClientConfig>>,
    link: Mutex<Link>,
}

/// The connection of the moment.
#[derive(Default)]
struct Link {
    ldap: Option<Ldap>,
    used: Option<Instant>,
    /// Counts connections, so that whoever finds one broken does not throw away the next.
    number: u64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub base: &'a str,
    /// The base itself, or everything below it.
    pub whole: bool,
    pub filter: &'a str,
    pub attributes: &'a [&'a str],
    /// No more than so many entries; 0 for as many as the server gives.
    pub most: i32,
}

/// A change to one attribute of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit<'a> {
    Add(&'a str, &'a str),
    Delete(&'a str, &'a str),
    /// No value: the attribute goes.
    Replace(&'a str, Option<&'a str>),
}

impl Client {
    /// A client for these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// With the faults of the settings, or if the certificates of `ca` cannot be read.
    pub fn new(settings: Settings) -> Result<Self, Unusable> {
        if let Some((setting, why)) = settings.faults().into_iter().next() {
            return Err(Unusable(format!("{setting} {why}")));
        }
        // Whoever was first has installed the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let tls = settings.ca.as_deref().map(trusting).transpose()?;
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                tls,
                link: Mutex::default(),
            }),
        })
    }

    /// What it was made of.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The connection, made and bound if there is none that works, and its number.
    async fn link(&self) -> Result<(Ldap, u64), Error> {
        let mut link = self.inner.link.lock().await;
        let idle = link.used.is_none_or(|used| used.elapsed() > IDLE);
        if !idle
            && let Some(ldap) = &mut link.ldap
            && !ldap.is_closed()
        {
            let ldap = ldap.clone();
            link.used = Some(Instant::now());
            return Ok((ldap, link.number));
        }
        link.ldap = None;
        let ldap = self.connect().await?;
        link.number += 1;
        link.ldap = Some(ldap.clone());
        link.used = Some(Instant::now());
        Ok((ldap, link.number))
    }

    /// Lets go of a connection that is no good any more.
    async fn drop_link(&self, number: u64) {
        let mut link = self.inner.link.lock().await;
        if link.number == number {
            link.ldap = None;
        }
    }

    async fn connect(&self) -> Result<Ldap, Error> {
        let settings = &self.inner.settings;
        let mut how = LdapConnSettings::new()
            .set_conn_timeout(settings.connect)
            .set_starttls(settings.encryption() == Encryption::StartTls);
        if let Some(tls) = &self.inner.tls {
            how = how.set_config(Arc::clone(tls));
        }
        let making = LdapConnAsync::with_settings(how, &settings.address);
        let (connection, mut ldap) = sound(making)
            .await?
            .map_err(|error| Error::library(error, true))?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(error = %error, "a connection to a directory ended");
            }
        });
        ldap.with_timeout(settings.request);
        let binding = ldap.simple_bind(&settings.bind_dn, settings.password.reveal());
        let result = sound(binding)
            .await?
            .map_err(|error| Error::library(error, true))?;
        match result.rc {
            0 => Ok(ldap),
            _ => Err(Error::result(&result, true)),
        }
    }

    /// Whether a connection can be made, and we are let in.
    pub(super) async fn reach(&self) -> Result<(), Error> {
        self.link().await.map(drop)
    }

    /// Keeps the connection only if it can be trusted to be in order.
    async fn settle<T>(&self, number: u64, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &done {
            // 1 is also what Active Directory says to whoever is not bound any more.
            let doubtful =
                matches!(error.kind, Kind::Lost | Kind::Nonsense) || error.code == Some(1);
            if doubtful {
                self.drop_link(number).await;
            }
        }
        done
    }

    /// Searches; a connection that turns out to be gone is made anew once, for reading again does no harm.
    pub(super) async fn search(&self, search: Search<'_>) -> Result<Vec<Entry>, Error> {
        match self.search_once(search, None).await {
            Err(error) if error.kind == Kind::Lost => self.search_once(search, None).await,
            other => other,
        }
        .map(|(entries, _)| entries)
    }

    /// Searches page by page (RFC 2696), and hands each entry on.
    pub(super) async fn search_paged(
        &self,
        search: Search<'_>,
        mut each: impl FnMut(Entry),
    ) -> Result<(), Error> {
        let mut cookie = Vec::new();
        for _ in 0..MOST_PAGES {
            let (entries, next) = self.search_once(search, Some(cookie)).await?;
            entries.into_iter().for_each(&mut each);
            cookie = next.ok_or_else(|| {
                Error::plain(
                    Kind::Nonsense,
                    "the server does not list by pages (RFC 2696)",
                )
            })?;
            if cookie.is_empty() {
                return Ok(());
            }
        }
        Err(Error::plain(Kind::Nonsense, "a listing goes in circles"))
    }

    async fn search_once(
        &self,
        search: Search<'_>,
        cookie: Option<Vec<u8>>,
    ) -> Result<(Vec<Entry>, Option<Vec<u8>>), Error> {
        let (ldap, number) = self.link().await?;
        let asking = ask(ldap, search, cookie, self.inner.settings.request);
        let found = sound(asking).await.and_then(|found| found);
        self.settle(number, found).await
    }

    /// Whether an attribute of an entry has this value, by the attribute's own rule of comparing.
    pub(super) async fn compare(
        &self,
        dn: &str,
        attribute: &str,
        value: &str,
    ) -> Result<bool, Error> {
        match self.compare_once(dn, attribute, value).await {
            Err(error) if error.kind == Kind::Lost => self.compare_once(dn, attribute, value).await,
            other => other,
        }
    }

    async fn compare_once(&self, dn: &str, attribute: &str, value: &str) -> Result<bool, Error> {
        let (mut ldap, number) = self.link().await?;
        ldap.with_timeout(self.inner.settings.request);
        let compared = sound(ldap.compare(dn, attribute, value))
            .await
            .and_then(|done| done.map_err(|error| Error::library(error, false)))
            .and_then(|compared| match compared.0.rc {
                5 => Ok(false),
                6 => Ok(true),
                _ => Err(Error::result(&compared.0, false)),
            });
        self.settle(number, compared).await
    }

    /// Changes an entry, all of it or nothing (RFC 4511, section 4.6). Never sent twice: whether a request whose answer is
    /// missing had its effect is found out by reading.
    pub(super) async fn modify(&self, dn: &str, edits: &[Edit<'_>]) -> Result<(), Error> {
        let (mut ldap, number) = self.link().await?;
        ldap.with_timeout(self.inner.settings.request);
        let changes = edits.iter().map(change).collect();
        let modified = sound(ldap.modify(dn, changes))
            .await
            .and_then(|done| done.map_err(|error| Error::library(error, false)))
            .and_then(|result| match result.rc {
                0 => Ok(()),
                _ => Err(Error::result(&result, false)),
            });
        self.settle(number, modified).await
    }
}

/// Waits for the library, which panics over some answers that make no sense: a strange server must not take others down.
async fn sound<T>(doing: impl Future<Output = T>) -> Result<T, Error> {
    AssertUnwindSafe(doing)
        .catch_unwind()
        .await
        .map_err(|_| Error::plain(Kind::Nonsense, "the server's answer cannot be read"))
}

async fn ask(
    mut ldap: Ldap,
    search: Search<'_>,
    cookie: Option<Vec<u8>>,
    within: Duration,
) -> Result<(Vec<Entry>, Option<Vec<u8>>), Error> {
    let failed = |error: LdapError| Error::library(error, false);
    let seconds = i32::try_from(within.as_secs().max(1)).unwrap_or(i32::MAX);
    ldap.with_timeout(within).with_search_options(
        SearchOptions::new()
            .sizelimit(search.most)
            .timelimit(seconds),
    );
    if let Some(cookie) = cookie {
        let page = PagedResults { size: PAGE, cookie };
        ldap.with_controls(RawControl::from(page.critical()));
    }
    let scope = if search.whole {
        Scope::Subtree
    } else {
        Scope::Base
    };
    let mut stream = ldap
        .streaming_search(search.base, scope, search.filter, search.attributes)
        .await
        .map_err(failed)?;
    let mut entries = Vec::new();
    while let Some(found) = stream.next().await.map_err(failed)? {
        // References to other servers are not followed: our password would travel there.
        if found.is_ref() || found.is_intermediate() {
            continue;
        }
        entries.push(
            Entry::read(found)
                .ok_or_else(|| Error::plain(Kind::Nonsense, "an entry cannot be read"))?,
        );
    }
    let result = stream.finish().await;
    // As many as were asked for, and there are more.
    let enough = result.rc == 4 && search.most > 0;
    if result.rc != 0 && !enough {
        return Err(Error::result(&result, false));
    }
    Ok((entries, next_page(&result)))
}

/// Where the next page begins: empty after the last, none if the server did not answer by pages.
fn next_page(result: &LdapResult) -> Option<Vec<u8>> {
    result.ctrls.iter().find_map(|control| match control {
        Control(Some(ControlType::PagedResults), raw) => Some(raw.parse::<PagedResults>().cookie),
        _ => None,
    })
}

fn change(edit: &Edit<'_>) -> Mod<Vec<u8>> {
    let set = |value: &str| HashSet::from([value.as_bytes().to_vec()]);
    let name = |attribute: &str| attribute.as_bytes().to_vec();
    match edit {
        Edit::Add(attribute, value) => Mod::Add(name(attribute), set(value)),
        Edit::Delete(attribute, value) => Mod::Delete(name(attribute), set(value)),
        Edit::Replace(attribute, value) => {
            Mod::Replace(name(attribute), value.map(set).unwrap_or_default())
        }
    }
}

/// TLS that trusts these certificates (PEM) and no others. The server's name is always held against its certificate.
fn trusting(pem: &str) -> Result<Arc<ClientConfig>, Unusable> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate
            .map_err(|error| Unusable(format!("ca_file holds what is no PEM: {error}")))?;
        roots
            .add(certificate)
            .map_err(|error| Unusable(format!("ca_file holds what is no certificate: {error}")))?;
    }
    if roots.is_empty() {
        return Err(Unusable("ca_file holds no certificate".into()));
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::{Dialect, Password};

    #[test]
    fn without_a_password_or_with_a_foreign_file_there_is_no_client() {
        let settings = Settings {
            bind_dn: "cn=portal,dc=x".into(),
            ..Settings::new("ldaps://localhost", Dialect::OpenLdap, "dc=x")
        };
        let empty = Client::new(settings.clone()).unwrap_err();
        assert!(empty.to_string().contains("password"), "{empty}");
        let foreign = Settings {
            password: Password::new("secret"),
            ca: Some("no certificate".into()),
            ..settings
        };
        let error = Client::new(foreign).unwrap_err();
        assert!(error.to_string().contains("no certificate"), "{error}");
    }
}
