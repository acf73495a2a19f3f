//! Disabling an account and letting it expire: the directory's own locks, as a second line behind memberships.

use domain::Timestamp;

use super::{
    client::{Client, Edit, Search},
    directory::{Change, Person},
    encoding,
    error::{Error, Kind},
    settings::{Dialect, Disable},
};

/// `ADS_UF_ACCOUNTDISABLE` of `userAccountControl` (MS-ADTS, section 2.2.16).
const ACCOUNT_DISABLED: i32 = 2;
/// Locked until an administrator unlocks it (draft-behera-ldap-password-policy, section 5.3.3).
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// Whether an account can be signed in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// It cannot.
    Yes,
    /// It can.
    No,
}

impl Client {
    /// Whether the account is disabled.
    pub async fn locked(&self, person: &Person) -> Result<Locked, Error> {
        let (attribute, value) = self.lock_of(person).await?;
        let locked = match (&self.settings().disable, self.settings().dialect) {
            (Disable::Usual, Dialect::ActiveDirectory) => {
                control(&attribute, value.as_deref())? & ACCOUNT_DISABLED != 0
            }
            // A time in it is a pause after wrong passwords, which passes by itself and is none of ours.
            (Disable::Usual, Dialect::OpenLdap) => value.as_deref() == Some(LOCKED_FOR_GOOD),
            (Disable::Attribute(_, on), _) => {
                value.is_some_and(|value| value.eq_ignore_ascii_case(on))
            }
        };
        Ok(if locked { Locked::Yes } else { Locked::No })
    }

    /// Disables the account, or lets it be signed in with again.
    pub async fn lock(&self, person: &Person, wanted: Locked) -> Result<Change, Error> {
        if self.locked(person).await? == wanted {
            return Ok(Change::Already);
        }
        let (attribute, old) = self.lock_of(person).await?;
        let on = match (&self.settings().disable, self.settings().dialect) {
            (Disable::Usual, Dialect::ActiveDirectory) => {
                return self
                    .lock_by_flag(person, &attribute, old.as_deref(), wanted)
                    .await;
            }
            (Disable::Usual, Dialect::OpenLdap) => LOCKED_FOR_GOOD,
            (Disable::Attribute(_, on), _) => on,
        };
        let value = (wanted == Locked::Yes).then_some(on);
        self.modify(&person.dn, &[Edit::Replace(&attribute, value)])
            .await?;
        Ok(Change::Done)
    }

    /// The flags stand in one number with others: it is changed only from what was read, so that nobody's change in between is
    /// undone.
    async fn lock_by_flag(
        &self,
        person: &Person,
        attribute: &str,
        old: Option<&str>,
        wanted: Locked,
    ) -> Result<Change, Error> {
        let flags = control(attribute, old)?;
        let new = match wanted {
            Locked::Yes => flags | ACCOUNT_DISABLED,
            Locked::No => flags & !ACCOUNT_DISABLED,
        };
        let (old, new) = (flags.to_string(), new.to_string());
        let swap = [Edit::Delete(attribute, &old), Edit::Add(attribute, &new)];
        match self.modify(&person.dn, &swap).await {
            Err(error) if error.kind == Kind::NotThere => Err(Error::plain(
                Kind::Busy,
                format!("{attribute} was changed by somebody else meanwhile"),
            )),
            other => other.map(|()| Change::Done),
        }
    }

    async fn lock_of(&self, person: &Person) -> Result<(String, Option<String>), Error> {
        let settings = self.settings();
        let attribute = match (&settings.disable, settings.dialect) {
            (Disable::Attribute(attribute, _), _) => attribute.as_str(),
            (Disable::Usual, Dialect::ActiveDirectory) => "userAccountControl",
            (Disable::Usual, Dialect::OpenLdap) => "pwdAccountLockedTime",
        };
        let value = self.text_of(person, attribute).await?;
        Ok((attribute.to_owned(), value))
    }

    /// When the account expires by itself, as the directory keeps it: to 100 nanoseconds in Active Directory
    /// (`accountExpires`), to the day elsewhere (`shadowExpire`).
    pub async fn expires(&self, person: &Person) -> Result<Option<Timestamp>, Error> {
        let attribute = self.expiry_attribute();
        let Some(value) = self.text_of(person, attribute).await? else {
            return Ok(None);
        };
        let number: i64 = value
            .parse()
            .map_err(|_| Error::plain(Kind::Nonsense, format!("{attribute} is no number")))?;
        Ok(match self.settings().dialect {
            Dialect::ActiveDirectory => encoding::from_filetime(number),
            // -1 is "never" (shadow(5)).
            Dialect::OpenLdap if number < 0 => None,
            Dialect::OpenLdap => chrono::DateTime::from_timestamp(number.saturating_mul(86_400), 0),
        })
    }

    /// Lets the account expire at a time, or never. Where only days are kept it expires with the first day that begins then or
    /// later: never too early.
    pub async fn expire(&self, person: &Person, at: Option<Timestamp>) -> Result<(), Error> {
        let attribute = self.expiry_attribute();
        let value = match (self.settings().dialect, at) {
            (Dialect::ActiveDirectory, at) => {
                Some(at.map_or(encoding::NEVER, encoding::filetime).to_string())
            }
            (Dialect::OpenLdap, Some(at)) => Some(encoding::shadow_days(at).to_string()),
            (Dialect::OpenLdap, None) => None,
        };
        self.modify(&person.dn, &[Edit::Replace(attribute, value.as_deref())])
            .await
    }

    fn expiry_attribute(&self) -> &'static str {
        match self.settings().dialect {
            Dialect::ActiveDirectory => "accountExpires",
            Dialect::OpenLdap => "shadowExpire",
        }
    }

    async fn text_of(&self, person: &Person, attribute: &str) -> Result<Option<String>, Error> {
        let found = self
            .search(Search {
                base: &person.dn,
                whole: false,
                filter: "(objectClass=*)",
                attributes: &[attribute],
                most: 0,
            })
            .await?;
        match found.first() {
            Some(entry) => Ok(entry.text(attribute).map(str::to_owned)),
            None => Err(Error::plain(
                Kind::NoEntry,
                "the account cannot be read any more",
            )),
        }
    }
}

/// The flags of an account; without them nothing is known about it, and nothing is changed.
fn control(attribute: &str, value: Option<&str>) -> Result<i32, Error> {
    value.and_then(|value| value.parse().ok()).ok_or_else(|| {
        Error::plain(
            Kind::Denied,
            format!("{attribute} of the account cannot be read"),
        )
    })
}
