//! What happened, as one hash and, where it is asked for, as text.

use std::fmt::Write as _;

/// A hash over everything that happened, in order.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    text: Option<String>,
}

impl Trace {
    /// Keeps the text too.
    pub(crate) fn keep_text(&mut self) {
        self.text.get_or_insert_default();
    }

    pub(crate) fn note(&mut self, at_ms: u64, node: usize, what: &str, detail: &[u8]) {
        self.hasher.update(&at_ms.to_le_bytes());
        self.hasher.update(&(node as u64).to_le_bytes());
        self.hasher.update(what.as_bytes());
        self.hasher.update(&(detail.len() as u64).to_le_bytes());
        self.hasher.update(detail);
        if let Some(text) = &mut self.text {
            let detail = String::from_utf8_lossy(detail);
            let detail = if detail.chars().any(char::is_control) {
                format!("({} bytes)", detail.len())
            } else {
                detail.into_owned()
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{at_ms:>8} {node} {what} {detail}");
        }
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}
