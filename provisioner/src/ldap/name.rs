//! Distinguished names and filters: putting foreign text into them, and telling whether two names are the same.

use std::fmt::Write as _;

/// `(attribute=value)`, in which nothing of the value is read as a part of the filter (RFC 4515, section 3).
pub fn equals(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", ldap3::ldap_escape(value))
}

/// `(attribute=value)` for a value that is no text: every byte is escaped.
pub(super) fn equals_bytes(attribute: &str, value: &[u8]) -> String {
    let mut filter = format!("({attribute}=");
    for byte in value {
        // Writing to a text cannot fail.
        let _ = write!(filter, "\\{byte:02x}");
    }
    filter.push(')');
    filter
}

/// The name of the entry with this value right below another (RFC 4514, section 2.4).
pub fn below(attribute: &str, value: &str, parent: &str) -> String {
    format!("{attribute}={},{parent}", ldap3::dn_escape(value))
}

/// A distinguished name read into its parts (RFC 4514), so that two ways of writing one name are equal: case, blanks around
/// and within, the order inside of a part, and ways of escaping do not count. Aliases of attributes (`cn`, `commonName`) do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<Vec<(String, Vec<u8>)>>);

impl Name {
    /// Reads a name; none if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        if text.trim().is_empty() {
            return Some(Self(parts));
        }
        for part in split(text.as_bytes(), b",;") {
            let mut pairs = split(part, b"+")
                .into_iter()
                .map(pair)
                .collect::<Option<Vec<_>>>()?;
            pairs.sort();
            parts.push(pairs);
        }
        Some(Self(parts))
    }

    /// Whether it is the name of the root, which has no parts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Splits where one of these stands that is neither escaped nor between quotation marks.
fn split<'a>(text: &'a [u8], at: &[u8]) -> Vec<&'a [u8]> {
    let (mut parts, mut start, mut escaped, mut quoted) = (Vec::new(), 0, false, false);
    for (index, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if !quoted && at.contains(byte) => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// One `attribute=value`.
fn pair(text: &[u8]) -> Option<(String, Vec<u8>)> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    let attribute = std::str::from_utf8(&text[..at]).ok()?.trim();
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if attribute.is_empty() || !attribute.bytes().all(sound) {
        return None;
    }
    Some((
        attribute.to_ascii_lowercase(),
        folded(&value(&text[at + 1..])?),
    ))
}

/// A value without its escapes and quotation marks.
fn value(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii_start();
    if let Some(hex) = text.strip_prefix(b"#") {
        // The encoding itself; it equals only itself.
        let hex = hex.trim_ascii_end();
        let sound =
            !hex.is_empty() && hex.len().is_multiple_of(2) && hex.iter().all(u8::is_ascii_hexdigit);
        return sound.then(|| [b"#", hex].concat());
    }
    let (mut out, mut kept, mut quoted) = (Vec::with_capacity(text.len()), 0, false);
    let mut bytes = text.iter().copied().enumerate();
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                let (at, next) = bytes.next()?;
                let digits = text.get(at..at + 2);
                if let Some(escaped) = digits.and_then(hex_byte) {
                    bytes.next();
                    out.push(escaped);
                } else {
                    out.push(next);
                }
                kept = out.len();
            }
            b'"' => quoted = !quoted,
            b' ' if !quoted => out.push(byte),
            _ => {
                out.push(byte);
                kept = out.len();
            }
        }
    }
    // Blanks at the end count only where they are escaped or quoted.
    out.truncate(kept);
    (!quoted).then_some(out)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(text, 16).ok()
}

/// As `caseIgnoreMatch` compares, near enough: small letters, one blank for several, none around.
fn folded(value: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(value) {
        Ok(text) => text
            .to_lowercase()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .into_bytes(),
        Err(_) => value.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_value_is_read_as_a_part_of_the_filter() {
        assert_eq!(
            equals("uid", "*)(uid=*))(|(uid=*"),
            r"(uid=\2a\29\28uid=\2a\29\29\28|\28uid=\2a)"
        );
        assert_eq!(equals("uid", "a\\b\0"), r"(uid=a\5cb\00)");
        assert_eq!(
            equals_bytes("objectGUID", &[0, 0x2a, 0xff]),
            r"(objectGUID=\00\2a\ff)"
        );
    }

    /// The examples of RFC 4514, section 4.
    #[test]
    fn two_ways_of_writing_one_name_are_equal() {
        for (one, other) in [
            (
                r#"CN="James \"Jim\" Smith, III",DC=example"#,
                r#"cn=James \"Jim\" Smith\, III, dc=EXAMPLE"#,
            ),
            (
                r"CN=Before\0dAfter,DC=example",
                "CN=Before\\0DAfter,dc=example",
            ),
            (r"CN=Lu\C4\8Di\C4\87", "cn=Lučić"),
            (
                "OU=Sales+CN=J.  Smith,DC=example",
                "cn=j. smith + ou=sales;dc=example",
            ),
            (r"cn=\23one,dc=x", r"cn=\#one,dc=x"),
            (r"cn=\20a\20,dc=x", r"cn=\ a\ ,dc=x"),
            ("cn=a=b,dc=x", r"cn=a\3db,dc=x"),
        ] {
            let (one, other) = (Name::parse(one), Name::parse(other));
            assert!(one.is_some());
            assert_eq!(one, other);
        }
    }

    #[test]
    fn different_names_differ_and_nonsense_is_no_name() {
        assert_ne!(Name::parse("cn=a,dc=x"), Name::parse("cn=a\\,dc=x"));
        assert_ne!(Name::parse("cn=a+cn=b"), Name::parse("cn=a,cn=b"));
        for nonsense in [
            "alice",
            "=x",
            "cn=a,,dc=x",
            "cn=\"a",
            "cn=a\\",
            "cn=#4,dc=x",
            "c n=a",
        ] {
            assert_eq!(Name::parse(nonsense), None, "{nonsense}");
        }
        assert!(Name::parse(" ").is_some_and(|name| name.is_empty()));
    }

    #[test]
    fn what_is_put_into_a_name_comes_out_of_it() {
        for hostile in [
            "a,b", "#a", " a ", "a+b=c", "\"a\"", "a\\b", "<a>;", "Lučić", "a\0b",
        ] {
            let name = Name::parse(&below("cn", hostile, "dc=x")).expect("it is a name");
            assert_eq!(name.0.len(), 2, "{hostile}");
            assert_eq!(name.0[0], [("cn".to_owned(), folded(hostile.as_bytes()))]);
        }
    }
}
