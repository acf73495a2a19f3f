//! Entries as they come over the wire (RFC 4511, section 4.5.2), read without trusting that they are whole.

use std::collections::BTreeMap;

use ldap3::{
    ResultEntry,
    asn1::{PL, StructureTag},
};

/// One entry of a search. Values are bytes: only the attribute's syntax says whether they are text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its distinguished name.
    pub dn: String,
    /// By name in small letters.
    attributes: BTreeMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    /// Reads an entry; none if it is not one.
    pub fn read(entry: ResultEntry) -> Option<Self> {
        let mut parts = constructed(entry.0)?.into_iter();
        let mut read = Self {
            dn: text(parts.next()?)?,
            ..Self::default()
        };
        for attribute in constructed(parts.next()?)? {
            let mut parts = constructed(attribute)?.into_iter();
            let name = text(parts.next()?)?.to_ascii_lowercase();
            let values = constructed(parts.next()?)?
                .into_iter()
                .map(primitive)
                .collect::<Option<Vec<_>>>()?;
            read.attributes.entry(name).or_default().extend(values);
        }
        Some(read)
    }

    /// The values of an attribute.
    pub fn values(&self, attribute: &str) -> &[Vec<u8>] {
        self.attributes
            .get(&attribute.to_ascii_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    /// The first value.
    pub fn value(&self, attribute: &str) -> Option<&[u8]> {
        self.values(attribute).first().map(Vec::as_slice)
    }

    /// The first value, if it is text.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        std::str::from_utf8(self.value(attribute)?).ok()
    }

    /// All values that are text.
    pub fn texts(&self, attribute: &str) -> impl Iterator<Item = &str> {
        self.values(attribute)
            .iter()
            .filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The names of all attributes, in small letters, with their options.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }
}

fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(primitive(tag)?).ok()
}
