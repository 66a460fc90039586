//! Store names as file names, one to one, on any file system.

/// The longest store name.
pub const STORE_NAME_BYTES_MAX: usize = 255;

// File systems take 255; escaping makes up to three of one.
const PART_BYTES_MAX: usize = 200;
// Ends a part that goes on in the directory below it.
pub(crate) const GOES_ON: char = '+';
// Names that Windows keeps for devices.
const RESERVED: [&str; 6] = ["aux", "con", "nul", "prn", "com", "lpt"];

/// The names of the nested directories that stand for a store; one unless the name is long.
/// `None` if the name is empty or too long.
pub(crate) fn escape(name: &str) -> Option<Vec<String>> {
    if name.is_empty() || name.len() > STORE_NAME_BYTES_MAX {
        return None;
    }
    let reserved = RESERVED.iter().any(|reserved| name.starts_with(reserved)) && name.len() <= 4;
    let mut parts = Vec::new();
    let mut part = String::new();
    for (at, byte) in name.bytes().enumerate() {
        // Capitals too: some file systems hold `A` and `a` for one name.
        let plain = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if plain && !(reserved && at == 0) {
            part.push(char::from(byte));
        } else {
            part.push_str(&format!("%{byte:02x}"));
        }
        if part.len() >= PART_BYTES_MAX && at + 1 < name.len() {
            part.push(GOES_ON);
            parts.push(std::mem::take(&mut part));
        }
    }
    parts.push(part);
    Some(parts)
}

/// The name that `escape` made these parts of.
pub(crate) fn unescape(parts: &[String]) -> Option<String> {
    let mut bytes = Vec::new();
    for part in parts {
        let mut rest = part.strip_suffix(GOES_ON).unwrap_or(part).bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let (high, low) = (rest.next()?, rest.next()?);
                let digit = |byte: u8| char::from(byte).to_digit(16);
                bytes.push((digit(high)? * 16 + digit(low)?) as u8);
            } else {
                bytes.push(byte);
            }
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    // Only what `escape` writes: anything else in there is not ours.
    (escape(&name)? == parts).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn escapes(name: &str, to: &[&str]) {
        let parts = escape(name).unwrap();
        assert_eq!(parts, to, "{name}");
        assert_eq!(unescape(&parts).as_deref(), Some(name));
    }

    #[test]
    fn plain_names_stay_as_they_are_and_the_rest_is_escaped() {
        escapes("main", &["main"]);
        escapes("field-log_2", &["field-log_2"]);
        escapes("Main", &["%4dain"]);
        escapes("..", &["%2e%2e"]);
        escapes("a.b", &["a%2eb"]);
        escapes("con", &["%63on"]);
        escapes("com1", &["%63om1"]);
        escapes("console", &["console"]);
        escapes("%2e", &["%252e"]);
        escapes("a+", &["a%2b"]);
        escapes("größe", &["gr%c3%b6%c3%9fe"]);
    }

    #[test]
    fn long_names_nest_and_no_part_is_too_long_for_a_file_system() {
        for name in [
            "é".repeat(127),
            "x".repeat(255),
            "A".repeat(255),
            "y".repeat(201),
        ] {
            let parts = escape(&name).unwrap();
            assert!(parts.len() > 1);
            assert!(
                parts
                    .iter()
                    .all(|part| !part.is_empty() && part.len() <= 255),
                "{parts:?}"
            );
            assert_eq!(unescape(&parts).as_deref(), Some(name.as_str()));
        }
        escapes(&"y".repeat(200), &[&"y".repeat(200)]);
    }

    #[test]
    fn refuses_what_is_no_name_or_no_escape() {
        assert_eq!(escape(""), None);
        assert_eq!(escape(&"x".repeat(256)), None);
        for part in [
            "Main", "a%2E", "%", "%2", "%zz", "%61", "", "con", "a.b", "a+",
        ] {
            assert_eq!(unescape(&[part.to_owned()]), None, "{part}");
        }
    }
}
