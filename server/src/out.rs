//! What the command line prints. Programs read standard output, people read standard error.

use std::io::{self, Write};

/// Prints one line to standard output. Whoever closed the pipe wants no more: that is not a fault.
pub fn line(text: impl AsRef<str>) {
    drop(writeln!(io::stdout().lock(), "{}", text.as_ref()));
}

/// Prints text as it is to standard output; false when nobody reads any more.
pub fn text(text: &str) -> bool {
    io::stdout().lock().write_all(text.as_bytes()).is_ok()
}

/// Prints one line to standard error.
pub fn note(text: impl AsRef<str>) {
    drop(writeln!(io::stderr().lock(), "{}", text.as_ref()));
}
