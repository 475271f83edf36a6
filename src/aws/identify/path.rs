//! A path as different servers read it.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// How paths of an emulator's own begin. moto takes all for its own that begin like this, also `/moto-api-x`.
const OWN_BEGINNINGS: &[&str] = &["/_", "/moto-api", "/minio/", "/latest/meta-data", "/latest/api/"];

/// Paths of its own, and those below them.
const OWN_PATHS: &[&str] = &["/health", "/favicon.ico"];

/// Whether a path is an emulator's own, and not AWS's.
pub(super) fn is_emulators_own(path: &str) -> bool {
    let is_below =
        |own: &&str| path.strip_prefix(*own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    OWN_BEGINNINGS.iter().any(|beginning| path.starts_with(beginning)) || OWN_PATHS.iter().any(is_below)
}

/// Whether an emulator may take the path for one of its own, in any of the ways in which servers read paths.
pub fn may_be_emulators_own(path: &str) -> bool {
    all_readings(path).iter().any(|path| is_emulators_own(&path.to_ascii_lowercase()))
}

/// Whether the path begins like this, in any of the ways in which servers read paths.
pub fn may_begin_with(path: &str, beginning: &str) -> bool {
    all_readings(path).iter().any(|path| path.starts_with(beginning))
}

fn all_readings(path: &str) -> [String; 4] {
    let once = decoded(path).into_owned();
    let twice = decoded(&once).into_owned();
    let resolved = resolved(&twice);
    [path.to_owned(), once, twice, resolved]
}

/// What a path is to servers that decode it before they look at its parts, and to those that leave out what stands for
/// nothing in it. Without those that are as it is written.
pub(super) fn other_readings(path: &str) -> Vec<String> {
    if !path.contains('%') && is_resolved(path) {
        return Vec::new();
    }
    let whole = decoded(path);
    let resolved = resolved(&whole);
    let mut readings = Vec::new();
    for reading in [whole.into_owned(), resolved] {
        // It is decoded once more, part by part.
        let written = reading.replace('%', "%25");
        if written != path && !readings.contains(&written) {
            readings.push(written);
        }
    }
    readings
}

fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

fn is_resolved(path: &str) -> bool {
    !["//", "/.", "\\"].iter().any(|odd| path.contains(odd))
}

/// Without empty parts, `.` and `..`, and with `\` as `/`.
fn resolved(path: &str) -> String {
    if is_resolved(path) {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_everybody_reads_alike_has_no_other_readings() {
        assert_eq!(other_readings("/b-1/a/b"), [""; 0]);
        assert_eq!(other_readings("/b-1/a%20b"), ["/b-1/a b"]);
        assert_eq!(other_readings("//b-1//k/./x/../y"), ["/b-1/k/y"]);
        assert_eq!(other_readings("/b-1%2Fk"), ["/b-1/k"]);
        assert_eq!(other_readings("/b-1/%2e%2e/b-2"), ["/b-1/../b-2", "/b-2"]);
        assert_eq!(other_readings("/b-1/100%25"), [""; 0]);
        assert_eq!(other_readings("/b-1/a%252Fb"), [""; 0]);
    }

    #[test]
    fn a_path_begins_with_what_some_server_takes_for_its_beginning() {
        for path in ["/v1/x", "/%761/x", "/%25761/x", "//v1/x", "/y/../v1/x", "/./v1/x"] {
            assert!(may_begin_with(path, "/v1/"), "{path}");
        }
        for path in ["/", "/v1", "/v11/x", "/x/v1/x", "/V1/x"] {
            assert!(!may_begin_with(path, "/v1/"), "{path}");
        }
    }

    #[test]
    fn a_path_that_is_none_of_awss_is_known_however_it_is_written() {
        for path in [
            "/moto-api/reset",
            "/_localstack/health",
            "//moto-api/reset",
            "/%6Doto-api/reset",
            "/%256Doto-api/reset",
            "/x/../moto-api/reset",
            "/./_ministack/reset",
            "/MOTO-API/reset",
            "/%5Flocalstack/state/reset",
            "/health",
            "/health/live",
        ] {
            assert!(may_be_emulators_own(path), "{path}");
        }
        for path in ["/", "/b-1/_k", "/b-1/moto-api/reset", "/2015-03-31/functions", "/healthcare/key"] {
            assert!(!may_be_emulators_own(path), "{path}");
        }
    }
}
