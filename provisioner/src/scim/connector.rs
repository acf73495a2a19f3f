//! The hands at a SCIM server.
//!
//! Whose account it is goes by ids that never change: the server's own `id`, kept once it is known, and `externalId`, which is the
//! account's object id in the directory. By the name alone an account is taken only where the configuration says so, and never
//! one that carries somebody else's `externalId`.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::assignment::Observed;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::RwLock;
use uuid::Uuid;

use super::{
    answers::{
        Account, Stop, endpoint, evidence, failure, family, finding, given, mail, members,
        no_group, refusal, segment, settle,
    },
    client::{Answer, Client, Error, Kind},
};
use crate::connector::{Connector, Evidence, Failure, Finding, Listing, Outcome, Place, Reply};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// A change whose version is another by now is tried again so often.
const TRIES: usize = 3;
/// Resources on a page where a server cannot be asked for one.
const PAGE: &str = "100";
/// More pages than this are no list of accounts.
const MOST_PAGES: usize = 500;

/// What happens to the account of somebody whose account in the directory is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// It is switched off as well (`active`).
    Deactivate,
    /// It is deleted.
    Delete,
    /// It stays.
    Keep,
}

/// By what an account is found that we did not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchBy {
    /// By `externalId` alone.
    ExternalId,
    /// By `userName` as well, if it has no `externalId` yet.
    UserName,
}

/// How a server wants to be treated.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What happens to accounts of those who left.
    pub leaver: Leaver,
    /// By what accounts are found.
    pub match_by: MatchBy,
}

/// What the server says it can, and what it turned out to do.
#[derive(Clone, Debug)]
struct Profile {
    users: String,
    groups: String,
    patch: bool,
    filter: bool,
    /// Whether it pages by cursor (RFC 9865) and not by index.
    cursor: bool,
    /// Whether a filter over a group's members can be trusted; not known before it was tried.
    member_filter: Option<bool>,
}

/// Group membership at one SCIM server.
#[derive(Debug)]
pub struct Scim {
    client: Client,
    options: Options,
    profile: RwLock<Option<Profile>>,
}

impl Scim {
    /// Over a client.
    pub fn new(client: Client, options: Options) -> Self {
        Self {
            client,
            options,
            profile: RwLock::new(None),
        }
    }

    /// What the server can: asked once, and again until it has answered. A server without discovery is taken for one that does
    /// what the standard says.
    async fn profile(&self) -> Result<Profile, Error> {
        if let Some(known) = self.profile.read().await.as_ref() {
            return Ok(known.clone());
        }
        let config = match self.client.get("/ServiceProviderConfig", &[]).await {
            Ok(answer) => answer.body,
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::Unsupported) => Value::Null,
            Err(error) => return Err(error),
        };
        let types = match self.client.get("/ResourceTypes", &[]).await {
            Ok(answer) => answer.body,
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::Unsupported) => Value::Null,
            Err(error) => return Err(error),
        };
        let known = Profile {
            users: endpoint(&types, "User").unwrap_or_else(|| "/Users".to_owned()),
            groups: endpoint(&types, "Group").unwrap_or_else(|| "/Groups".to_owned()),
            patch: config["patch"]["supported"].as_bool().unwrap_or(true),
            filter: config["filter"]["supported"].as_bool().unwrap_or(true),
            cursor: config["pagination"]["cursor"].as_bool().unwrap_or(false)
                && !config["pagination"]["index"].as_bool().unwrap_or(true),
            member_filter: None,
        };
        *self.profile.write().await = Some(known.clone());
        Ok(known)
    }

    /// The account of a place, if the server has one.
    async fn account(&self, profile: &Profile, place: &Place) -> Result<Option<Account>, Stop> {
        if let Some(id) = &place.target_account {
            match self
                .client
                .get(&format!("{}/{}", profile.users, segment(id)), &[])
                .await
            {
                Ok(answer) => return Ok(Some(Account::of(answer.body, answer.version)?)),
                // Deleted there; there may be another by now.
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        let external = place.object_id.to_string();
        if let Some(found) = self.one(profile, "externalId", &external).await? {
            return Ok(Some(found));
        }
        if self.options.match_by == MatchBy::ExternalId || place.user_name.is_empty() {
            return Ok(None);
        }
        let Some(found) = self.one(profile, "userName", &place.user_name).await? else {
            return Ok(None);
        };
        match found.body["externalId"].as_str() {
            Some(other) if !other.is_empty() && other != external => Err(Stop::Person {
                why: format!("The account {} belongs to somebody else at the target: its externalId is another.", place.user_name),
                fix: "Clear up at the target whose account it is, and correct its externalId or its name.".into(),
            }),
            _ => Ok(Some(found)),
        }
    }

    /// The one account whose attribute has this value.
    async fn one(
        &self,
        profile: &Profile,
        attribute: &str,
        value: &str,
    ) -> Result<Option<Account>, Stop> {
        let same = |body: &Value| {
            body[attribute].as_str().is_some_and(|held| {
                // Names do not tell case apart, ids do (RFC 7643, section 4.1).
                if attribute == "userName" {
                    held.to_lowercase() == value.to_lowercase()
                } else {
                    held == value
                }
            })
        };
        let mut found = if profile.filter {
            let filter = format!("{attribute} eq {}", Value::from(value));
            match self.pages(profile, &profile.users, Some(&filter)).await {
                Ok(found) => found,
                Err(error) if error.kind == Kind::Refused => {
                    self.pages(profile, &profile.users, None).await?
                }
                Err(error) => return Err(error.into()),
            }
        } else {
            self.pages(profile, &profile.users, None).await?
        };
        // A server that does not know a filter may answer with everybody.
        found.retain(same);
        if found.len() > 1 {
            return Err(Stop::Person {
                why: format!(
                    "The target has {} accounts with this {attribute}.",
                    found.len()
                ),
                fix: "Leave one of them at the target.".into(),
            });
        }
        Ok(found
            .pop()
            .map(|body| Account::of(body, None))
            .transpose()?)
    }

    /// All resources of a listing, page after page: by cursor where the server says so, else by index. A page without anything
    /// new ends it, whatever the server counts.
    async fn pages(
        &self,
        profile: &Profile,
        path: &str,
        filter: Option<&str>,
    ) -> Result<Vec<Value>, Error> {
        let mut all: Vec<Value> = Vec::new();
        let (mut index, mut cursor) = (1_usize, String::new());
        for _ in 0..MOST_PAGES {
            let start = index.to_string();
            let mut query = vec![("count", PAGE)];
            if let Some(filter) = filter {
                query.push(("filter", filter));
            }
            if profile.cursor {
                query.push(("cursor", &cursor));
            } else {
                query.push(("startIndex", &start));
            }
            let answer = self.client.get(path, &query).await?;
            let empty = Vec::new();
            let page = match &answer.body["Resources"] {
                Value::Array(page) => page,
                Value::Null => &empty,
                _ => return Err(Error::plain(Kind::Nonsense, "a listing has no Resources")),
            };
            let repeated = page
                .first()
                .is_some_and(|first| all.first().is_some_and(|known| known["id"] == first["id"]));
            if page.is_empty() || repeated {
                return Ok(all);
            }
            index += page.len();
            all.extend(page.iter().cloned());
            if profile.cursor {
                match answer.body["nextCursor"].as_str() {
                    Some(next) if !next.is_empty() => next.clone_into(&mut cursor),
                    _ => return Ok(all),
                }
            } else if answer.body["totalResults"]
                .as_u64()
                .is_some_and(|total| index as u64 > total)
            {
                return Ok(all);
            }
        }
        Err(Error::plain(Kind::Nonsense, "a listing has no end"))
    }

    /// Makes the account. If somebody was quicker it is found instead.
    async fn create(&self, profile: &Profile, place: &Place) -> Result<Account, Stop> {
        let body = json!({
            "schemas": [USER],
            "externalId": place.object_id,
            "userName": place.user_name,
            "displayName": place.person_name,
            "name": {"formatted": place.person_name, "givenName": given(place), "familyName": family(place)},
            "emails": [{"value": mail(place), "type": "work", "primary": true}],
            "active": true,
        });
        let made = self
            .client
            .call(Method::POST, &profile.users, &[], Some(&body), None)
            .await;
        match made {
            Ok(answer) => Ok(Account::of(answer.body, answer.version)?),
            Err(error) if error.kind == Kind::Taken => match self.account(profile, place).await? {
                Some(found) => Ok(found),
                None => Err(Stop::Person {
                    why: format!(
                        "The target has an account of the name {} already, and nothing says whose it is.",
                        place.user_name
                    ),
                    fix: format!(
                        "Set its externalId to {} at the target, or let accounts be found by name (match_by = \"user_name\").",
                        place.object_id
                    ),
                }),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Brings an account up to date: switched on, named as in the directory, marked with our id.
    async fn update(
        &self,
        profile: &Profile,
        account: &Account,
        place: &Place,
    ) -> Result<(), Stop> {
        let external = place.object_id.to_string();
        let mut wanted = vec![("externalId", json!(external)), ("active", json!(true))];
        if !place.user_name.is_empty() {
            wanted.push(("userName", json!(place.user_name)));
        }
        wanted.push(("displayName", json!(place.person_name)));
        wanted.retain(|(name, value)| account.body[*name] != *value);
        // A server that leaves `active` out means that it is.
        if account.body["active"].is_null() {
            wanted.retain(|(name, _)| *name != "active");
        }
        if wanted.is_empty() {
            return Ok(());
        }
        self.change_user(profile, account, &wanted).await?;
        Ok(())
    }

    async fn change_user(
        &self,
        profile: &Profile,
        account: &Account,
        wanted: &[(&str, Value)],
    ) -> Result<(), Error> {
        let path = format!("{}/{}", profile.users, segment(&account.id));
        let operations: Vec<Value> = wanted
            .iter()
            .map(|(name, value)| json!({"op": "replace", "path": name, "value": value}))
            .collect();
        let patch = json!({"schemas": [PATCH], "Operations": operations});
        self.change(
            profile.patch,
            &path,
            &patch,
            account.version.clone(),
            |body| {
                for (name, value) in wanted {
                    body[*name] = value.clone();
                }
            },
        )
        .await
        .map(drop)
    }

    /// Changes a resource by PATCH, or where the server has none by reading, changing and putting it back whole. A version
    /// that is another by now is read again.
    async fn change(
        &self,
        patch: bool,
        path: &str,
        body: &Value,
        mut version: Option<String>,
        edit: impl Fn(&mut Value) + Send + Sync,
    ) -> Result<Answer, Error> {
        let mut patch = patch;
        let mut last = Error::plain(Kind::Version, "the version changes all the time");
        for _ in 0..TRIES {
            let done = if patch {
                self.client
                    .call(Method::PATCH, path, &[], Some(body), version.as_deref())
                    .await
            } else {
                let whole = self.client.get(path, &[]).await?;
                let mut wanted = whole.body;
                edit(&mut wanted);
                self.client
                    .call(
                        Method::PUT,
                        path,
                        &[],
                        Some(&wanted),
                        whole.version.as_deref(),
                    )
                    .await
            };
            match done {
                Err(error) if error.kind == Kind::Version => {
                    version = self.client.get(path, &[]).await?.version;
                    last = error;
                }
                Err(error) if error.kind == Kind::Unsupported && patch => {
                    patch = false;
                    last = error;
                }
                other => return other,
            }
        }
        Err(last)
    }

    /// Whether an account is a member of a group.
    async fn member(
        &self,
        profile: &Profile,
        group: &str,
        user: &str,
    ) -> Result<(bool, Answer), Error> {
        if profile.filter && self.members_can_be_filtered(profile, group).await? {
            let (answer, there) = self.filtered(profile, group, user).await?;
            return Ok((there, answer));
        }
        let answer = self
            .client
            .get(&format!("{}/{}", profile.groups, segment(group)), &[])
            .await?;
        let there = members(&answer.body).any(|member| member == user);
        Ok((there, answer))
    }

    async fn filtered(
        &self,
        profile: &Profile,
        group: &str,
        user: &str,
    ) -> Result<(Answer, bool), Error> {
        let filter = format!(
            "id eq {} and members.value eq {}",
            Value::from(group),
            Value::from(user)
        );
        let query = [
            ("filter", filter.as_str()),
            ("excludedAttributes", "members"),
            ("count", "2"),
        ];
        let answer = self.client.get(&profile.groups, &query).await?;
        let there = answer.body["Resources"]
            .as_array()
            .is_some_and(|found| found.iter().any(|one| one["id"] == group));
        Ok((answer, there))
    }

    /// Whether the server really looks at members when it is asked to: tried once with a member that nobody is. One that says
    /// yes to that, or does not understand it, is asked for whole groups.
    async fn members_can_be_filtered(&self, profile: &Profile, group: &str) -> Result<bool, Error> {
        if let Some(known) = profile.member_filter {
            return Ok(known);
        }
        let nobody = Uuid::from_u128(0x5f0c_2f0e_7b1d_4a6e_9c3b_1d2e_3f4a_5b6c).to_string();
        let trusted = match self.filtered(profile, group, &nobody).await {
            Ok((_, there)) => {
                // It must also find one who is there; a whole group tells who that is.
                let path = format!("{}/{}", profile.groups, segment(group));
                let whole = self.client.get(&path, &[]).await?;
                match members(&whole.body).next() {
                    _ if there => Some(false),
                    Some(somebody) => Some(self.filtered(profile, group, somebody).await?.1),
                    // Nobody to try it with yet.
                    None => None,
                }
            }
            Err(error)
                if matches!(
                    error.kind,
                    Kind::Refused | Kind::Unsupported | Kind::NotFound
                ) =>
            {
                Some(false)
            }
            Err(error) => return Err(error),
        };
        if let Some(known) = self.profile.write().await.as_mut() {
            known.member_filter = trusted;
        }
        Ok(trusted.unwrap_or(false))
    }

    async fn add(&self, place: &Place, started: Instant) -> Result<Reply, Stop> {
        let profile = self.profile().await?;
        if place.user_name.is_empty() && place.target_account.is_none() {
            return Err(Stop::Person {
                why: "The account has no name in the directory, and the target needs one.".into(),
                fix: "Give it a user principal name there.".into(),
            });
        }
        let account = match self.account(&profile, place).await? {
            Some(account) => account,
            None => self.create(&profile, place).await?,
        };
        self.update(&profile, &account, place).await?;
        let id = account.id.clone();
        let path = format!("{}/{}", profile.groups, segment(&place.external_id));
        let patch = json!({"schemas": [PATCH], "Operations": [
            {"op": "add", "path": "members", "value": [{"value": id}]},
        ]});
        let edit = |body: &mut Value| {
            if !members(body).any(|member| member == id) {
                match &mut body["members"] {
                    Value::Array(list) => list.push(json!({"value": id})),
                    other => *other = json!([{"value": id}]),
                }
            }
        };
        match self.change(profile.patch, &path, &patch, None, edit).await {
            Ok(answer) => Ok(Reply {
                outcome: Outcome::Done,
                evidence: evidence(&answer, started, "member added", Some(&account)),
            }),
            Err(error) if error.kind == Kind::NotFound => Err(no_group(place)),
            // Some answer so to what is there already; a read tells.
            Err(error) if error.kind == Kind::Taken => Ok(Reply {
                outcome: Outcome::Already,
                evidence: refusal(&error, started),
            }),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, place: &Place, started: Instant) -> Result<Reply, Stop> {
        let profile = self.profile().await?;
        let Some(account) = self.account(&profile, place).await? else {
            // Looked for: there is none, so it is in no group.
            return Ok(Reply::unasked(
                Outcome::Already,
                "the target has no such account",
            ));
        };
        let id = account.id.clone();
        let path = format!("{}/{}", profile.groups, segment(&place.external_id));
        let one = format!("members[value eq {}]", Value::from(id.as_str()));
        let patch = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": one}]});
        let edit = |body: &mut Value| {
            if let Value::Array(list) = &mut body["members"] {
                list.retain(|member| member["value"] != id.as_str());
            }
        };
        let mut done = self.change(profile.patch, &path, &patch, None, edit).await;
        if let Err(error) = &done
            && error.kind == Kind::Refused
        {
            // It says so of whoever is no member, or does not know such a path. Never a removal of `members` as a whole: a
            // server that reads it as the standard says would remove everybody.
            if !self.member(&profile, &place.external_id, &id).await?.0 {
                return self
                    .left(
                        &profile,
                        &account,
                        place,
                        refusal(error, started),
                        Outcome::Already,
                    )
                    .await;
            }
            done = self.change(false, &path, &patch, None, edit).await;
        }
        match done {
            Ok(answer) => {
                let kept = evidence(&answer, started, "member removed", Some(&account));
                self.left(&profile, &account, place, kept, Outcome::Done)
                    .await
            }
            Err(error) if error.kind == Kind::NotFound => {
                match self
                    .client
                    .get(&path, &[("excludedAttributes", "members")])
                    .await
                {
                    Ok(_) => {
                        let kept = refusal(&error, started);
                        self.left(&profile, &account, place, kept, Outcome::Already)
                            .await
                    }
                    Err(error) if error.kind == Kind::NotFound => Err(no_group(place)),
                    Err(error) => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What becomes of the account once a right is off it, if the account in the directory is switched off.
    async fn left(
        &self,
        profile: &Profile,
        account: &Account,
        place: &Place,
        evidence: Evidence,
        outcome: Outcome,
    ) -> Result<Reply, Stop> {
        if place.enabled {
            return Ok(Reply { outcome, evidence });
        }
        let on = account.body["active"].as_bool().unwrap_or(true);
        match self.options.leaver {
            Leaver::Keep => {}
            Leaver::Deactivate => {
                if on {
                    let off = [("active", json!(false))];
                    self.change_user(profile, account, &off).await?;
                }
            }
            Leaver::Delete => {
                let path = format!("{}/{}", profile.users, segment(&account.id));
                let gone = self
                    .client
                    .call(Method::DELETE, &path, &[], None, None)
                    .await;
                if let Err(error) = gone
                    && error.kind != Kind::NotFound
                {
                    return Err(error.into());
                }
            }
        }
        Ok(Reply { outcome, evidence })
    }

    async fn look(&self, place: &Place, started: Instant) -> Result<Reply, Stop> {
        let profile = self.profile().await?;
        let Some(account) = self.account(&profile, place).await? else {
            return Ok(Reply::unasked(
                Outcome::Seen(Observed::Absent),
                "the target has no such account",
            ));
        };
        match self.member(&profile, &place.external_id, &account.id).await {
            Ok((there, answer)) => {
                let seen = if there {
                    Observed::Present
                } else {
                    Observed::Absent
                };
                Ok(Reply::seen(
                    seen,
                    evidence(&answer, started, "membership read", Some(&account)),
                ))
            }
            Err(error) if error.kind == Kind::NotFound => Ok(Reply::seen(
                Observed::Absent,
                Evidence {
                    detail: format!("the target has no such group: {error}"),
                    ..refusal(&error, started)
                },
            )),
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Connector for Scim {
    async fn observe(&self, place: &Place) -> Reply {
        let started = Instant::now();
        settle(self.look(place, started).await, started)
    }

    async fn ensure_present(&self, place: &Place) -> Reply {
        let started = Instant::now();
        settle(self.add(place, started).await, started)
    }

    async fn ensure_absent(&self, place: &Place) -> Reply {
        let started = Instant::now();
        settle(self.remove(place, started).await, started)
    }

    async fn list(&self, _: &str, external_id: &str) -> Result<Listing, Failure> {
        let profile = self.profile().await.map_err(|error| failure(&error))?;
        let path = format!("{}/{}", profile.groups, segment(external_id));
        let answer = self.client.get(&path, &[]).await.map_err(|error| {
            if error.kind == Kind::NotFound {
                Failure::Never {
                    why: "The group is not at the target.".into(),
                    fix: "Correct its id in the catalogue.".into(),
                }
            } else {
                failure(&error)
            }
        })?;
        Ok(Listing {
            holders: members(&answer.body).map(str::to_owned).collect(),
            ..Listing::default()
        })
    }

    async fn diagnose(&self) -> Vec<Finding> {
        let fine = |what: String| Finding {
            fine: true,
            what,
            fix: String::new(),
        };
        let profile = match self.profile().await {
            Ok(profile) => profile,
            Err(error) => return vec![finding("The server says what it can", &error)],
        };
        let mut findings = vec![fine(format!(
            "The server says what it can: changes {}, {}, pages by {}.",
            if profile.patch {
                "by PATCH"
            } else {
                "of whole resources only"
            },
            if profile.filter {
                "filters"
            } else {
                "no filters, so all accounts are read to find one"
            },
            if profile.cursor { "cursor" } else { "index" },
        ))];
        for (what, path) in [
            ("Accounts can be read", &profile.users),
            ("Groups can be read", &profile.groups),
        ] {
            let query = [("count", "1"), ("startIndex", "1")];
            findings.push(match self.client.get(path, &query).await {
                Ok(_) => fine(format!("{what}.")),
                Err(error) => finding(what, &error),
            });
        }
        findings
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(45)
    }
}
