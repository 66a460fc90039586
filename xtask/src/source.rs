//! Rust text with its comments and literals taken out, so that rules see code only.

/// One file's code: same lines, comments and the insides of literals replaced by spaces.
#[derive(Debug)]
pub struct Code {
    text: String,
}

/// An attribute `#[…]` or `#![…]`.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// What stands between the brackets, literals blanked.
    pub text: &'a str,
    /// Line of its `#`, counted from 1.
    pub line: usize,
}

impl Code {
    /// Blanks the comments and literals of `source`.
    #[must_use]
    pub fn of(source: &str) -> Self {
        Self {
            text: blank(source),
        }
    }

    /// The blanked text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many lines hold code.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .count()
    }

    /// The attributes in order.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute<'_>> {
        self.attribute_spans()
            .into_iter()
            .map(|(_, attribute)| attribute)
            .collect()
    }

    /// The text without attributes.
    #[must_use]
    pub fn without_attributes(&self) -> String {
        let mut rest = self.text.clone();
        for ((start, end), _) in self.attribute_spans().into_iter().rev() {
            rest.replace_range(start..end, "");
        }
        rest
    }

    fn attribute_spans(&self) -> Vec<((usize, usize), Attribute<'_>)> {
        let mut spans = Vec::new();
        let mut from = 0;
        while let Some(found) = self.text[from..].find('#') {
            let start = from + found;
            from = start + 1;
            let after = self.text[from..].trim_start_matches('!').trim_start();
            if !after.starts_with('[') {
                continue;
            }
            let open = self.text.len() - after.len();
            let Some(length) = bracket(after) else {
                continue;
            };
            from = open + length;
            spans.push((
                (start, from),
                Attribute {
                    text: &self.text[open + 1..from - 1],
                    line: 1 + self.text[..start].matches('\n').count(),
                },
            ));
        }
        spans
    }
}

// Length of the bracketed text that `text` starts with, both brackets included.
fn bracket(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.checked_sub(1)?,
            _ => continue,
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

fn blank(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let after_word = out
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (keep, length) = if rest.starts_with("//") {
            (0, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (0, block_comment(rest))
        } else if let Some(length) = raw_string(rest).filter(|_| !after_word) {
            (1, length)
        } else if next == '"' {
            (1, quoted(rest, '"'))
        } else if next == '\'' && is_char(rest) {
            (1, quoted(rest, '\''))
        } else {
            (next.len_utf8(), next.len_utf8())
        };
        let (taken, left) = rest.split_at(length.min(rest.len()));
        out.push_str(&taken[..keep]);
        out.extend(
            taken[keep..]
                .chars()
                .map(|c| if c == '\n' { '\n' } else { ' ' }),
        );
        rest = left;
    }
    out
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

// `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let body = after.trim_start_matches('#');
    let hashes = after.len() - body.len();
    let body = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let head = text.len() - body.len();
    Some(
        body.find(&end)
            .map_or(text.len(), |at| head + at + end.len()),
    )
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn is_char(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}
