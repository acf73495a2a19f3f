//! What is done with people and groups of a directory.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    client::{Client, Edit, Search},
    encoding::{self, Stretch},
    error::{Error, Kind},
    name::{self, Name},
    settings::Dialect,
    wire::Entry,
};

/// Kinds of groups whose members are names of entries.
const GROUPS: [&str; 3] = ["groupofnames", "groupofuniquenames", "group"];
/// A member listing in more stretches than this goes in circles.
const MOST_STRETCHES: usize = 10_000;

/// Somebody's account there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Its id, which never changes.
    pub id: Uuid,
    /// Where it lies now.
    pub dn: String,
    /// What it is called: the value of the attribute that names people.
    pub called: String,
}

/// A group there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id, which never changes.
    pub id: Uuid,
    /// Where it lies now.
    pub dn: String,
    /// What it is (`objectClass`), in small letters.
    pub classes: Vec<String>,
}

impl Group {
    /// Whether its members are names of entries, which is what can be changed here.
    pub fn supported(&self) -> bool {
        self.classes
            .iter()
            .any(|class| GROUPS.contains(&class.as_str()))
    }
}

/// What a change came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Done,
    /// The server says that it is so already.
    Already,
}

/// Who is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// Exactly one.
    One(T),
    /// Nobody.
    Nobody,
    /// Several: which is meant cannot be told.
    Several,
}

impl Client {
    /// Finds the person whose naming attribute has this value.
    pub async fn person_called(&self, value: &str) -> Result<Found<Person>, Error> {
        let settings = self.settings();
        let filter = format!(
            "(&{}{})",
            settings.person_filter,
            name::equals(&settings.person_attribute, value)
        );
        self.person(&settings.people, &filter).await
    }

    /// Finds a person by id, wherever they lie now.
    pub async fn person_with_id(&self, id: Uuid) -> Result<Option<Person>, Error> {
        let filter = self.has_id(id);
        match self.person(&self.settings().base, &filter).await? {
            Found::One(person) => Ok(Some(person)),
            Found::Nobody => Ok(None),
            Found::Several => Err(Error::plain(Kind::Nonsense, "two entries have one id")),
        }
    }

    async fn person(&self, base: &str, filter: &str) -> Result<Found<Person>, Error> {
        let settings = self.settings();
        let attributes = [
            settings.dialect.id_attribute(),
            settings.person_attribute.as_str(),
        ];
        let found = self
            .search(Search {
                base,
                whole: true,
                filter,
                attributes: &attributes,
                most: 2,
            })
            .await?;
        match found.as_slice() {
            [] => Ok(Found::Nobody),
            [entry] => Ok(Found::One(Person {
                id: self.id_of(entry)?,
                dn: entry.dn.clone(),
                called: entry
                    .text(&settings.person_attribute)
                    .unwrap_or_default()
                    .to_owned(),
            })),
            _ => Ok(Found::Several),
        }
    }

    /// Whether any person at all can be seen: if not, that one is missing proves nothing.
    pub async fn sees_people(&self) -> Result<bool, Error> {
        let settings = self.settings();
        let found = self
            .search(Search {
                base: &settings.people,
                whole: true,
                filter: &settings.person_filter,
                attributes: &["1.1"],
                most: 1,
            })
            .await?;
        Ok(!found.is_empty())
    }

    /// Finds a group by its id or its DN. None if there is no such entry, or none that we may see.
    pub async fn group(&self, named: &str) -> Result<Option<Group>, Error> {
        let settings = self.settings();
        let attributes = [settings.dialect.id_attribute(), "objectClass"];
        let (base, whole, filter) = match Uuid::try_parse(named) {
            Ok(id) => (settings.base.as_str(), true, self.has_id(id)),
            Err(_) => (named, false, "(objectClass=*)".to_owned()),
        };
        let found = self
            .search(Search {
                base,
                whole,
                filter: &filter,
                attributes: &attributes,
                most: 2,
            })
            .await;
        match found {
            Ok(found) => found
                .first()
                .map(|entry| self.read_group(entry))
                .transpose(),
            Err(error) if error.kind == Kind::NoEntry => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Any group below the groups' base.
    pub(super) async fn some_group(&self) -> Result<Option<Group>, Error> {
        let settings = self.settings();
        let filter = format!("({}=*)", settings.member_attribute);
        let found = self
            .search(Search {
                base: &settings.groups,
                whole: true,
                filter: &filter,
                attributes: &[settings.dialect.id_attribute(), "objectClass"],
                most: 1,
            })
            .await?;
        found
            .first()
            .map(|entry| self.read_group(entry))
            .transpose()
    }

    fn read_group(&self, entry: &Entry) -> Result<Group, Error> {
        Ok(Group {
            id: self.id_of(entry)?,
            dn: entry.dn.clone(),
            classes: entry
                .texts("objectClass")
                .map(str::to_ascii_lowercase)
                .collect(),
        })
    }

    /// Whether this name stands among the group's members itself. Asked by a comparison, which a server refuses openly where we
    /// may not look, while a search would just find nothing.
    pub async fn is_member(&self, group: &Group, dn: &str) -> Result<bool, Error> {
        let compared = self
            .compare(&group.dn, &self.settings().member_attribute, dn)
            .await;
        match compared {
            // There is no member at all.
            Err(error) if error.kind == Kind::NotThere => Ok(false),
            other => other,
        }
    }

    /// Makes an entry a member.
    pub async fn add_member(&self, group: &Group, dn: &str) -> Result<Change, Error> {
        let attribute = self.settings().member_attribute.as_str();
        already(
            self.modify(&group.dn, &[Edit::Add(attribute, dn)]).await,
            Kind::Already,
        )
    }

    /// Ends a membership. Where the group may not be empty and the last member goes, the placeholder takes its place in the same
    /// change; without one the server's refusal ([`Kind::Schema`]) comes back.
    pub async fn remove_member(&self, group: &Group, dn: &str) -> Result<Change, Error> {
        let settings = self.settings();
        let attribute = settings.member_attribute.as_str();
        let plain = [Edit::Delete(attribute, dn)];
        let mut done = self.modify(&group.dn, &plain).await;
        if let (Err(error), Some(placeholder)) = (&done, &settings.placeholder)
            && error.kind == Kind::Schema
        {
            let swap = [
                Edit::Add(attribute, placeholder),
                Edit::Delete(attribute, dn),
            ];
            done = self.modify(&group.dn, &swap).await;
            // Somebody put it there meanwhile, so that the group does not become empty any more.
            if matches!(&done, Err(error) if error.kind == Kind::Already) {
                done = self.modify(&group.dn, &plain).await;
            }
        }
        let refused = matches!(&done, Err(error) if error.kind == Kind::Unwilling);
        if refused
            && settings.dialect == Dialect::ActiveDirectory
            && !self.is_member(group, dn).await?
        {
            // 53 is what Active Directory says where others say 16.
            return Ok(Change::Already);
        }
        already(done, Kind::NotThere)
    }

    /// The names of all members of a group, as the directory writes them; a long list comes in stretches.
    pub async fn members(&self, group: &Group) -> Result<Vec<String>, Error> {
        let attribute = self.settings().member_attribute.as_str();
        let mut members = Vec::new();
        let mut asked = attribute.to_owned();
        for _ in 0..MOST_STRETCHES {
            let found = self
                .search(Search {
                    base: &group.dn,
                    whole: false,
                    filter: "(objectClass=*)",
                    attributes: &[asked.as_str()],
                    most: 0,
                })
                .await?;
            let Some(entry) = found.first() else {
                return Err(Error::plain(
                    Kind::NoEntry,
                    "the group cannot be read any more",
                ));
            };
            members.extend(entry.texts(attribute).map(str::to_owned));
            let stretch = entry
                .names()
                .find_map(|name| Some((name, encoding::stretch(name, attribute)?)));
            let Some((name, stretch)) = stretch else {
                return Ok(members);
            };
            members.extend(entry.texts(name).map(str::to_owned));
            match stretch {
                Stretch::Last => return Ok(members),
                Stretch::Until(next) => asked = format!("{attribute};range={next}-*"),
            }
        }
        Err(Error::plain(
            Kind::Nonsense,
            "a list of members goes in circles",
        ))
    }

    /// The ids of the people who are members themselves. Members that are no people below the people's base, such as groups and
    /// the placeholder, are left out.
    pub async fn people_in(&self, group: &Group) -> Result<BTreeSet<Uuid>, Error> {
        let members: BTreeSet<Name> = self
            .members(group)
            .await?
            .iter()
            .filter_map(|dn| Name::parse(dn))
            .collect();
        let mut holders = BTreeSet::new();
        if members.is_empty() {
            return Ok(holders);
        }
        for (name, id) in self.people().await? {
            if members.contains(&name) {
                holders.insert(id);
            }
        }
        Ok(holders)
    }

    /// Everybody below the people's base, page by page.
    pub async fn people(&self) -> Result<BTreeMap<Name, Uuid>, Error> {
        let settings = self.settings();
        let (mut people, mut odd) = (BTreeMap::new(), None);
        let search = Search {
            base: &settings.people,
            whole: true,
            filter: &settings.person_filter,
            attributes: &[settings.dialect.id_attribute()],
            most: 0,
        };
        self.search_paged(search, |entry| match self.id_of(&entry) {
            Ok(id) => {
                if let Some(name) = Name::parse(&entry.dn) {
                    people.insert(name, id);
                }
            }
            Err(error) => odd = Some(error),
        })
        .await?;
        odd.map_or(Ok(people), Err)
    }

    fn has_id(&self, id: Uuid) -> String {
        let dialect = self.settings().dialect;
        match dialect {
            Dialect::OpenLdap => name::equals(dialect.id_attribute(), &id.to_string()),
            Dialect::ActiveDirectory => {
                name::equals_bytes(dialect.id_attribute(), &id.to_bytes_le())
            }
        }
    }

    fn id_of(&self, entry: &Entry) -> Result<Uuid, Error> {
        let dialect = self.settings().dialect;
        let attribute = dialect.id_attribute();
        let id = match dialect {
            Dialect::OpenLdap => entry
                .text(attribute)
                .and_then(|text| Uuid::try_parse(text).ok()),
            Dialect::ActiveDirectory => entry.value(attribute).and_then(encoding::guid),
        };
        id.ok_or_else(|| {
            Error::plain(
                Kind::Refused,
                format!("{} has no {attribute} that we may read", entry.dn),
            )
        })
    }
}

fn already(done: Result<(), Error>, means: Kind) -> Result<Change, Error> {
    match done {
        Ok(()) => Ok(Change::Done),
        Err(error) if error.kind == means => Ok(Change::Already),
        Err(error) => Err(error),
    }
}
