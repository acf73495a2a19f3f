//! How a directory is reached and what it looks like, and everything that is wrong with such settings.

use std::{fmt, time::Duration};

use super::name::Name;

/// What speaks LDAP there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenLDAP, and what follows the same standards: `entryUUID` (RFC 4530), result codes of RFC 4511.
    OpenLdap,
    /// Microsoft Active Directory (and Samba): `objectGUID`, ranged retrieval, `userAccountControl`.
    ActiveDirectory,
}

impl Dialect {
    /// The word of the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "openldap" => Some(Self::OpenLdap),
            "active_directory" => Some(Self::ActiveDirectory),
            _ => None,
        }
    }

    /// The attribute that never changes.
    pub(super) const fn id_attribute(self) -> &'static str {
        match self {
            Self::OpenLdap => "entryUUID",
            Self::ActiveDirectory => "objectGUID",
        }
    }

    /// The attribute that names a person, where the configuration says nothing.
    pub const fn person_attribute(self) -> &'static str {
        match self {
            Self::OpenLdap => "uid",
            Self::ActiveDirectory => "userPrincipalName",
        }
    }

    /// What a person's entry looks like, where the configuration says nothing.
    pub const fn person_filter(self) -> &'static str {
        match self {
            Self::OpenLdap => "(objectClass=inetOrgPerson)",
            Self::ActiveDirectory => "(&(objectCategory=person)(objectClass=user))",
        }
    }
}

/// Which of the portal's facts about a person stands in [`Settings::person_attribute`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchBy {
    /// The sign-in name: `alice@contoso.example`.
    UserName,
    /// What stands before the at sign of the sign-in name: `alice`.
    Alias,
    /// The mail address.
    Mail,
    /// The number in the company.
    EmployeeId,
    /// The object id of the account in the tenant.
    ObjectId,
}

impl MatchBy {
    /// The word of the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "user_name" => Some(Self::UserName),
            "alias" => Some(Self::Alias),
            "mail" => Some(Self::Mail),
            "employee_id" => Some(Self::EmployeeId),
            "object_id" => Some(Self::ObjectId),
            _ => None,
        }
    }
}

/// How what is said is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// `ldaps://`: TLS from the first byte.
    Ldaps,
    /// `ldap://`: the StartTLS operation before anything else (RFC 4511, section 4.14).
    StartTls,
    /// Nothing; on loopback only.
    Clear,
}

/// How an account is disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disable {
    /// The second bit of `userAccountControl` in Active Directory; `pwdAccountLockedTime` elsewhere, which the overlay
    /// `ppolicy` of OpenLDAP honours where a policy with `pwdLockout: TRUE` is in force.
    Usual,
    /// An attribute with this value, such as `nsAccountLock` and `TRUE`; without it the account works.
    Attribute(String, String),
}

/// What happens to the account of somebody who may not work any more, when a right of theirs is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// Nothing: somebody else sees to accounts.
    Keep,
    /// It is disabled.
    Disable,
    /// It expires.
    Expire,
}

impl Leaver {
    /// The word of the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "keep" => Some(Self::Keep),
            "disable" => Some(Self::Disable),
            "expire" => Some(Self::Expire),
            _ => None,
        }
    }
}

/// A password that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Keeps it.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How one directory is reached and what it looks like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `ldaps://host[:port]`, or `ldap://host[:port]` with StartTLS.
    pub address: String,
    /// Whether nothing at all is encrypted, which only loopback may.
    pub clear_text: bool,
    /// Certificates (PEM) of those who may have signed the server's; the system's where there are none.
    pub ca: Option<String>,
    /// The account that the portal binds as.
    pub bind_dn: String,
    /// Its password.
    pub password: Password,
    /// What speaks there.
    pub dialect: Dialect,
    /// Below this lies everything, people and groups: an entry that moved is still found here.
    pub base: String,
    /// Below this lie the people.
    pub people: String,
    /// Below this lie the groups.
    pub groups: String,
    /// The attribute that names a person.
    pub person_attribute: String,
    /// What stands in it.
    pub match_by: MatchBy,
    /// What a person's entry looks like.
    pub person_filter: String,
    /// Where a group keeps its members: `member`, or `uniqueMember` of a groupOfUniqueNames.
    pub member_attribute: String,
    /// Who stays in a group that may not be empty (groupOfNames, RFC 4519 section 3.5) when the last member goes. Without one,
    /// the last member cannot be taken out.
    pub placeholder: Option<String>,
    /// How an account is disabled.
    pub disable: Disable,
    /// What happens to accounts of leavers.
    pub leaver: Leaver,
    /// How long connecting may take, TLS included.
    pub connect: Duration,
    /// How long one request may take.
    pub request: Duration,
}

/// A page of a listing (RFC 2696). Active Directory gives 1,000 at most.
pub(super) const PAGE: i32 = 500;

impl Settings {
    /// What is asked of every directory, with what is usual for everything else.
    pub fn new(address: &str, dialect: Dialect, base: &str) -> Self {
        Self {
            address: address.to_owned(),
            clear_text: false,
            ca: None,
            bind_dn: String::new(),
            password: Password::new(""),
            dialect,
            base: base.to_owned(),
            people: base.to_owned(),
            groups: base.to_owned(),
            person_attribute: dialect.person_attribute().to_owned(),
            match_by: match dialect {
                Dialect::OpenLdap => MatchBy::Alias,
                Dialect::ActiveDirectory => MatchBy::UserName,
            },
            person_filter: dialect.person_filter().to_owned(),
            member_attribute: "member".to_owned(),
            placeholder: None,
            disable: Disable::Usual,
            leaver: Leaver::Keep,
            connect: Duration::from_secs(5),
            request: Duration::from_secs(8),
        }
    }

    /// How what is said is kept from others.
    pub fn encryption(&self) -> Encryption {
        if self.address.starts_with("ldaps://") {
            Encryption::Ldaps
        } else if self.clear_text {
            Encryption::Clear
        } else {
            Encryption::StartTls
        }
    }

    /// Every fault: the setting, and what is wrong with it.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        self.address_faults(&mut faults);
        if self.bind_dn.is_empty() {
            faults.push((
                "bind_dn",
                "is empty: name the account that the portal binds as".to_owned(),
            ));
        }
        if self.password.reveal().is_empty() {
            // RFC 4513, section 5.1.2: a bind without a password succeeds as nobody.
            faults.push(("password_file", "holds no password".to_owned()));
        }
        let names = [
            ("base", Some(&self.base)),
            ("people", Some(&self.people)),
            ("groups", Some(&self.groups)),
            ("placeholder", self.placeholder.as_ref()),
        ];
        for (setting, text) in names {
            if let Some(text) = text
                && Name::parse(text).is_none_or(|name| name.is_empty())
            {
                faults.push((
                    setting,
                    format!(
                        "{text:?} is no distinguished name, such as ou=people,dc=example,dc=com"
                    ),
                ));
            }
        }
        let mut attributes = vec![
            ("person_attribute", &self.person_attribute),
            ("member_attribute", &self.member_attribute),
        ];
        if let Disable::Attribute(attribute, _) = &self.disable {
            attributes.push(("disable_attribute", attribute));
        }
        for (setting, text) in attributes {
            if !is_attribute(text) {
                faults.push((
                    setting,
                    format!("{text:?} is no name of an attribute: letters, digits and hyphens"),
                ));
            }
        }
        if !is_filter(&self.person_filter) {
            faults.push((
                "person_filter",
                format!(
                    "{:?} is no filter, such as (objectClass=person)",
                    self.person_filter
                ),
            ));
        }
        faults
    }

    fn address_faults(&self, faults: &mut Vec<(&'static str, String)>) {
        let host = match reqwest::Url::parse(&self.address) {
            Ok(url)
                if matches!(url.scheme(), "ldap" | "ldaps")
                    && url.username().is_empty()
                    && matches!(url.path(), "" | "/")
                    && url.query().is_none()
                    && url.host_str().is_some_and(|host| !host.is_empty()) =>
            {
                url.host_str().unwrap_or_default().to_owned()
            }
            _ => {
                faults.push((
                    "address",
                    "must be ldaps://host or ldap://host, with a port if need be".to_owned(),
                ));
                return;
            }
        };
        if host.starts_with('[') {
            faults.push((
                "address",
                "give the server's name: it is what its certificate is held against".to_owned(),
            ));
        }
        if self.clear_text && !matches!(host.as_str(), "localhost" | "127.0.0.1") {
            faults.push((
                "clear_text",
                "passwords in clear text only travel on loopback: leave it out, and StartTLS is used"
                    .to_owned(),
            ));
        }
    }
}

/// A name of an attribute (RFC 4512, section 1.4), so that nothing else gets into a filter or a request by it.
fn is_attribute(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_filter(text: &str) -> bool {
    text.starts_with('(') && ldap3::parse_filter(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Settings {
        Settings {
            bind_dn: "cn=portal,dc=contoso,dc=example".into(),
            password: Password::new("secret"),
            ..Settings::new(
                "ldaps://ldap.contoso.example",
                Dialect::OpenLdap,
                "dc=contoso,dc=example",
            )
        }
    }

    fn named(settings: &Settings) -> Vec<&'static str> {
        settings
            .faults()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn every_fault_is_named_at_once() {
        assert_eq!(named(&sound()), Vec::<&str>::new());
        let wrong = Settings {
            bind_dn: String::new(),
            password: Password::new(""),
            people: "people".into(),
            placeholder: Some("nobody".into()),
            person_attribute: "uid)(uid=*".into(),
            person_filter: "(objectClass=".into(),
            disable: Disable::Attribute("a b".into(), "TRUE".into()),
            ..Settings::new("http://ldap", Dialect::OpenLdap, "")
        };
        assert_eq!(
            named(&wrong),
            [
                "address",
                "bind_dn",
                "password_file",
                "base",
                "people",
                "groups",
                "placeholder",
                "person_attribute",
                "disable_attribute",
                "person_filter",
            ]
        );
    }

    #[test]
    fn clear_text_stays_on_loopback() {
        for (address, clear_text, fine) in [
            ("ldap://127.0.0.1:3890", true, true),
            ("ldap://localhost", true, true),
            ("ldap://ldap.contoso.example", true, false),
            ("ldap://127.0.0.1.contoso.example", true, false),
            ("ldap://ldap.contoso.example", false, true),
            ("ldaps://[::1]:636", false, false),
            ("ldap://user:pw@ldap.contoso.example", false, false),
            ("ldap://ldap.contoso.example/dc=x??sub", false, false),
        ] {
            let settings = Settings {
                address: address.into(),
                clear_text,
                ..sound()
            };
            assert_eq!(named(&settings).is_empty(), fine, "{address}");
        }
        assert_eq!(sound().encryption(), Encryption::Ldaps);
    }

    #[test]
    fn no_log_shows_the_password() {
        assert!(!format!("{:?}", sound()).contains("secret"));
    }
}
