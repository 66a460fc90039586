//! The letters of the grammar: one pass over a text that checks it and, where its spelling is not
//! canonical, writes the canonical one.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::error::{ParsePathError, ParsePathErrorKind as Kind};
use crate::limits::{DEPTH_MAX, LABEL_BYTES_MAX, NAME_BYTES_MAX};

/// Checks that a text can be a label: 1 to [`LABEL_BYTES_MAX`] bytes without control characters.
/// The text is the label itself, without escapes.
///
/// # Errors
///
/// `EmptyStep`, `LabelTooLong`, or `ControlCharacter` with its place.
pub fn check_label(label: &str) -> Result<(), ParsePathError> {
    check_word(label, LABEL_BYTES_MAX, Kind::EmptyStep, Kind::LabelTooLong)
}

/// Checks that a text can be the name of an attribute: 1 to [`NAME_BYTES_MAX`] bytes without
/// control characters. The text is the name itself, without escapes.
///
/// # Errors
///
/// `EmptyName`, `NameTooLong`, or `ControlCharacter` with its place.
pub fn check_name(name: &str) -> Result<(), ParsePathError> {
    check_word(name, NAME_BYTES_MAX, Kind::EmptyName, Kind::NameTooLong)
}

fn check_word(word: &str, max: usize, empty: Kind, long: Kind) -> Result<(), ParsePathError> {
    if word.is_empty() {
        return Err(ParsePathError::new(empty, 0));
    }
    if word.len() > max {
        return Err(ParsePathError::new(long, 0));
    }
    // Most words are of ASCII, in which control characters are single bytes.
    if word.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    match word.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(ParsePathError::new(Kind::ControlCharacter, at)),
        None => Ok(()),
    }
}

/// What a byte means to the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    /// `. / # ? * ~`
    Syntax,
    /// `& =`: syntax in a query and in `#a=t`, escaped everywhere.
    Pair,
    Backslash,
    /// A control character of one byte.
    Control,
    /// The first byte of U+0080 to U+00BF, half of which are control characters.
    MaybeControl,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'.' | b'/' | b'#' | b'?' | b'*' | b'~' => Class::Syntax,
            b'&' | b'=' => Class::Pair,
            b'\\' => Class::Backslash,
            0..=0x1f | 0x7f => Class::Control,
            0xc2 => Class::MaybeControl,
            _ => Class::Plain,
        };
        byte += 1;
    }
    classes
};

const fn class(byte: u8) -> Class {
    CLASSES[byte as usize]
}

pub(crate) const fn is_plain(byte: u8) -> bool {
    matches!(class(byte), Class::Plain)
}

const fn is_escaped(byte: u8) -> bool {
    matches!(class(byte), Class::Syntax | Class::Pair | Class::Backslash)
}

/// Appends a label, name or text in its canonical spelling.
pub(crate) fn escape_into(out: &mut String, word: &str) {
    for c in word.chars() {
        if c.is_ascii() && is_escaped(c as u8) {
            out.push('\\');
        }
        out.push(c);
    }
}

/// The word that a canonical spelling stands for.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut word = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            c => word.push(c),
        }
    }
    Cow::Owned(word)
}

/// Whether a canonical step spells this label. A displaced step spells none.
pub(crate) fn spells(step: &str, label: &str) -> bool {
    let mut label = label.bytes();
    let mut step = step.bytes();
    while let Some(byte) = step.next() {
        let byte = match byte {
            b'\\' => step.next(),
            b'~' => return false,
            byte => Some(byte),
        };
        if byte != label.next() {
            return false;
        }
    }
    label.next().is_none()
}

/// Where the first unescaped `needle` of a canonical spelling stands.
pub(crate) fn find_unescaped(text: &str, needle: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        at += rest
            .iter()
            .position(|&byte| byte == needle || byte == b'\\')?;
        if bytes.get(at) == Some(&needle) {
            return Some(at);
        }
        at += 2;
    }
}

/// Where the last unescaped dot of a canonical spelling stands.
pub(crate) fn rfind_dot(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    while let Some(at) = bytes.get(..end)?.iter().rposition(|&byte| byte == b'.') {
        let backslashes = bytes
            .get(..at)?
            .iter()
            .rev()
            .take_while(|&&byte| byte == b'\\')
            .count();
        if backslashes % 2 == 0 {
            return Some(at);
        }
        end = at;
    }
    None
}

/// What kind of word is read; it decides which bytes end it and which are refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Label,
    Name,
    Text,
}

/// Reads a text from left to right.
///
/// Up to `copied` the canonical spelling is in `printed`; from there to `at` it is the text's own.
/// Without `printed` it is the text's own from the start.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    copied: usize,
    printed: Option<String>,
    bytes_max: usize,
    too_long: Kind,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        text: &'a str,
        bytes_max: usize,
        too_long: Kind,
    ) -> Result<Self, ParsePathError> {
        if text.len() > bytes_max {
            return Err(ParsePathError::new(too_long, bytes_max));
        }
        Ok(Self {
            text,
            at: 0,
            copied: 0,
            printed: None,
            bytes_max,
            too_long,
            depth: 0,
        })
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn peek_after(&self, bytes: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + bytes).copied()
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn fail<T>(&self, kind: Kind, at: usize) -> Result<T, ParsePathError> {
        Err(ParsePathError::new(kind, at))
    }

    pub(crate) fn count_step(&mut self) -> Result<(), ParsePathError> {
        if self.depth == DEPTH_MAX {
            return self.fail(Kind::TooDeep, self.at);
        }
        self.depth += 1;
        Ok(())
    }

    /// Passes over `bytes` of the text and prints `instead` for them.
    pub(crate) fn replace(&mut self, bytes: usize, instead: &str) -> Result<(), ParsePathError> {
        let start = self.at;
        self.flush()?.push_str(instead);
        self.at += bytes;
        self.copied = self.at;
        match self.printed_bytes() > self.bytes_max {
            true => self.fail(self.too_long, start),
            false => Ok(()),
        }
    }

    /// How long the canonical spelling is up to here.
    pub(crate) fn printed_bytes(&self) -> usize {
        self.printed.as_ref().map_or(0, String::len) + self.at - self.copied
    }

    fn flush(&mut self) -> Result<&mut String, ParsePathError> {
        let over = self.printed_bytes().saturating_sub(self.bytes_max);
        if over > 0 {
            return self.fail(self.too_long, self.at - over);
        }
        let run = self.text.get(self.copied..self.at).unwrap_or_default();
        self.copied = self.at;
        let printed = self
            .printed
            .get_or_insert_with(|| String::with_capacity(self.text.len() + 16));
        printed.push_str(run);
        Ok(printed)
    }

    pub(crate) fn finish(mut self) -> Result<Cow<'a, str>, ParsePathError> {
        if self.printed.is_none() {
            return Ok(Cow::Borrowed(self.text));
        }
        self.flush()?;
        Ok(Cow::Owned(self.printed.unwrap_or_default()))
    }

    /// Reads a label, name or text up to the syntax that ends it, and returns how many bytes of
    /// the text it takes.
    pub(crate) fn word(&mut self, word: Word) -> Result<usize, ParsePathError> {
        let start = self.at;
        let mut escapes = 0;
        loop {
            let rest = self.rest().as_bytes();
            let plain = rest.iter().position(|&byte| class(byte) != Class::Plain);
            self.at += plain.unwrap_or(rest.len());
            let Some(byte) = self.peek() else { break };
            match class(byte) {
                Class::Plain => {}
                Class::Syntax => break,
                Class::Pair if word == Word::Label => {
                    self.replace(1, if byte == b'&' { r"\&" } else { r"\=" })?;
                }
                Class::Pair => break,
                Class::Backslash => match self.peek_after(1) {
                    Some(escaped) if is_escaped(escaped) => {
                        escapes += 1;
                        self.at += 2;
                    }
                    _ => return self.fail(Kind::Escape, self.at),
                },
                Class::Control if word == Word::Text => self.at += 1,
                Class::Control => return self.fail(Kind::ControlCharacter, self.at),
                Class::MaybeControl => match self.peek_after(1) {
                    Some(0x80..=0x9f) if word != Word::Text => {
                        return self.fail(Kind::ControlCharacter, self.at);
                    }
                    _ => self.at += 2,
                },
            }
        }
        let taken = self.at - start;
        match word {
            Word::Label if taken - escapes > LABEL_BYTES_MAX => {
                self.fail(Kind::LabelTooLong, start)
            }
            Word::Name if taken - escapes > NAME_BYTES_MAX => self.fail(Kind::NameTooLong, start),
            _ => Ok(taken),
        }
    }

    /// Reads `label` or `label~HEX`, and returns whether it was displaced.
    pub(crate) fn label(&mut self) -> Result<bool, ParsePathError> {
        let start = self.at;
        if self.word(Word::Label)? == 0 {
            return match self.peek() {
                None | Some(b'.' | b'?') => self.fail(Kind::EmptyStep, start),
                Some(b'/') => self.fail(Kind::Slash, start),
                Some(_) => self.fail(Kind::Reserved, start),
            };
        }
        let displaced = self.peek() == Some(b'~');
        if displaced {
            let hex = self
                .rest()
                .bytes()
                .skip(1)
                .take_while(|b| is_lower_hex(*b))
                .count();
            if hex != DISPLACED_HEX_DIGITS {
                return self.fail(Kind::Displaced, self.at);
            }
            self.at += 1 + DISPLACED_HEX_DIGITS;
        }
        Ok(displaced)
    }

    /// Reads a query from its `?` to the end of the text.
    pub(crate) fn query(&mut self) -> Result<(), ParsePathError> {
        if !self.eat(b'?') {
            return match self.peek() {
                None => Ok(()),
                Some(b'/') => self.fail(Kind::Slash, self.at),
                Some(_) => self.fail(Kind::Reserved, self.at),
            };
        }
        if self.peek().is_none() {
            return Ok(());
        }
        loop {
            if self.word(Word::Name)? == 0 && matches!(self.peek(), None | Some(b'&')) {
                return self.fail(Kind::EmptyName, self.at);
            }
            match self.peek() {
                None => return Ok(()),
                Some(b'&') => self.at += 1,
                Some(_) => return self.fail(Kind::Reserved, self.at),
            }
        }
    }
}

/// A displaced step ends in the id of its node: 16 bytes.
const DISPLACED_HEX_DIGITS: usize = 32;

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}
