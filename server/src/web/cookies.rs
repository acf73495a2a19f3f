//! Which cookies count. A browser keeps the `__Host-` prefix by comparing bytes, so whoever reads cookies must compare bytes
//! as well: a layer further in that decodes names or trims more than it should would take `__Host%2Dlatchkey`, which any host
//! of the domain may set, for the session's cookie.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::Portal;

/// Leaves our own two cookies in the request, each under exactly its name, and nothing else.
pub async fn keep_ours(State(portal): State<Portal>, mut request: Request, next: Next) -> Response {
    let sessions = portal.sessions();
    let kept = ours(
        request.headers(),
        &[sessions.cookie(), sessions.sign_in_cookie()],
    );
    request.headers_mut().remove(header::COOKIE);
    if let Some(kept) = kept {
        request.headers_mut().insert(header::COOKIE, kept);
    }
    next.run(request).await
}

/// The cookies with these names. None of a name that comes twice: no browser does that with the `__Host-` prefix, so
/// somebody planted one of them, and which one is meant is nobody's to guess.
fn ours(headers: &HeaderMap, names: &[&str]) -> Option<HeaderValue> {
    let mut kept = Vec::new();
    for name in names {
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
            .map(<[u8]>::trim_ascii)
            .filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        let (Some(value), None) = (values.next(), values.next()) else {
            continue;
        };
        if !plain(value) {
            continue;
        }
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(name.as_bytes());
        kept.push(b'=');
        kept.extend_from_slice(value);
    }
    if kept.is_empty() {
        return None;
    }
    HeaderValue::from_bytes(&kept).ok()
}

/// Whether a value may be one of ours, which are base64url: nobody has to decode it, and it is not worth hashing otherwise.
fn plain(value: &[u8]) -> bool {
    (1..=128).contains(&value.len())
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The value of a cookie that [`keep_ours`] left.
pub fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(header::COOKIE)?
        .to_str()
        .ok()?
        .split("; ")
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::COOKIE,
                HeaderValue::from_bytes(line).expect("it can be sent"),
            );
        }
        ours(&headers, &["__Host-l", "__Host-l-signin"]).map_or_else(String::new, |kept| {
            kept.to_str().expect("it is plain").to_owned()
        })
    }

    #[test]
    fn only_exact_names_count() {
        assert_eq!(kept(&[b"__Host-l=a-_9"]), "__Host-l=a-_9");
        assert_eq!(
            kept(&[b"x=1; __Host-l-signin=b ;__Host-l=a;y"]),
            "__Host-l=a; __Host-l-signin=b"
        );
        for foreign in [
            &b"__Host%2Dl=a"[..],
            b"__host-l=a",
            b"__Host-l =a",
            b"x__Host-l=a",
            b"__Host-lx=a",
            "\u{a0}__Host-l=a".as_bytes(),
            "\u{2003}__Host-l=a".as_bytes(),
            b"__Host-l=%61",
            b"__Host-l=\"a\"",
            b"__Host-l=",
            b"__Host-l",
        ] {
            assert_eq!(kept(&[foreign]), "", "{}", foreign.escape_ascii());
        }
        // Bytes that are no text elsewhere in the line take nothing from ours.
        assert_eq!(kept(&[b"x=\xff; __Host-l=a"]), "__Host-l=a");
    }

    #[test]
    fn of_two_none_counts() {
        assert_eq!(kept(&[b"__Host-l=a; __Host-l=b"]), "");
        assert_eq!(kept(&[b"__Host-l=a", b"__Host-l=a"]), "");
        assert_eq!(
            kept(&[b"__Host-l=a; __Host-l=%61; __Host-l-signin=c"]),
            "__Host-l-signin=c"
        );
        // A planted one under another spelling is not ours and takes nothing away.
        assert_eq!(kept(&[b"__Host-l=a; __Host%2Dl=b"]), "__Host-l=a");
    }

    #[test]
    fn what_was_kept_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("__Host-l-signin=b; __Host-l=a"),
        );
        assert_eq!(value(&headers, "__Host-l"), Some("a"));
        assert_eq!(value(&headers, "__Host-l-signin"), Some("b"));
        assert_eq!(value(&headers, "l"), None);
    }
}
