//! JSON (RFC 8259) as a stream of tokens: nothing recurses, and what is kept is bounded.

use std::io::Read;

use super::super::{FormatError, FormatErrorKind as Kind};
use crate::Text;

/// How deep objects and lists may nest. A tree of depth 64 takes three levels for each of its own
/// in the typed form.
pub const JSON_DEPTH_MAX: usize = 256;

/// The most bytes of one string, escapes undone. A value of 256 KiB fits in base64 too, and as text
/// whose every byte TYTX has escaped once more.
pub const JSON_STRING_BYTES_MAX: usize = 2 * 1024 * 1024;

const NUMBER_BYTES_MAX: usize = 1024;
const BLOCK_BYTES_MIN: usize = 1024;
const BLOCK_BYTES_MAX: usize = 64 * 1024;
const CHARACTER_BYTES_MAX: usize = 4;

/// One token. Commas and colons are checked and left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonToken {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ListStart,
    /// `]`
    ListEnd,
    /// The name before a `:`.
    Key(Text),
    /// A string.
    Text(Text),
    /// A number as it is spelled.
    Number(Text),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// A token whose text is still with the reader: that is [`JsonTokens::word`] until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    ObjectStart,
    ObjectEnd,
    ListStart,
    ListEnd,
    Key,
    Text,
    Number,
    Bool(bool),
    Null,
}

/// Reads one JSON document.
///
/// Takes it in blocks of 64 KiB, and keeps one token and the place of each open object and list.
#[derive(Debug)]
pub struct JsonTokens<R> {
    input: R,
    // A block of the input as far as it is UTF-8, and how much of it is read.
    text: String,
    at: usize,
    // The bytes before the block.
    before: u64,
    // What the input is read into. It begins with so many bytes that come behind the text: of a character that is not
    // whole yet, or the first that are not UTF-8.
    block: Vec<u8>,
    cut: usize,
    bytes_max: u64,
    line: u64,
    has_constants: bool,
    open: Vec<Open>,
    expect: Expect,
    // The keys that lead to the last token, one behind the other.
    keys: String,
    // The text of the last token: so much of the block, or else, where that had no whole copy of it, `whole`.
    word: Option<(usize, usize)>,
    whole: String,
}

// An open object or list, with the place in it that the next or last token has.
#[derive(Debug)]
enum Open {
    // Where its key stands in the keys, once it has one.
    Object { start: usize, end: Option<usize> },
    List { index: Option<u64> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    KeyOrEnd,
    Key,
    CommaOrEnd,
    End,
}

impl<R: Read> JsonTokens<R> {
    /// Reads from `input`, in blocks. A byte order mark at its start is skipped.
    pub fn new(input: R) -> Self {
        Self::with_limit(input, u64::MAX)
    }

    /// Reads from `input`, at most `bytes_max` bytes of it.
    pub fn with_limit(input: R, bytes_max: u64) -> Self {
        Self {
            input,
            text: String::new(),
            at: 0,
            before: 0,
            block: Vec::new(),
            cut: 0,
            bytes_max,
            line: 1,
            has_constants: false,
            open: Vec::new(),
            expect: Expect::Value,
            keys: String::new(),
            word: None,
            whole: String::new(),
        }
    }

    // Takes `NaN`, `Infinity` and `-Infinity` as numbers, which JSON does not have and Python writes.
    #[cfg(feature = "tytx")]
    pub(crate) fn with_constants(mut self) -> Self {
        self.has_constants = true;
        self
    }

    /// The next token; `None` when the document has ended, and nothing but white space follows it.
    ///
    /// # Errors
    /// When the input fails, or is no JSON, or passes a limit.
    pub fn next_token(&mut self) -> Result<Option<JsonToken>, FormatError> {
        let kind = self.next_kind()?;
        Ok(kind.map(|kind| match kind {
            TokenKind::ObjectStart => JsonToken::ObjectStart,
            TokenKind::ObjectEnd => JsonToken::ObjectEnd,
            TokenKind::ListStart => JsonToken::ListStart,
            TokenKind::ListEnd => JsonToken::ListEnd,
            TokenKind::Key => JsonToken::Key(self.key().into()),
            TokenKind::Text => JsonToken::Text(self.word().into()),
            TokenKind::Number => JsonToken::Number(self.word().into()),
            TokenKind::Bool(value) => JsonToken::Bool(value),
            TokenKind::Null => JsonToken::Null,
        }))
    }

    /// The text of the last token, which is a string or a number.
    #[inline]
    pub(crate) fn word(&self) -> &str {
        word(self.word, &self.text, &self.whole)
    }

    /// The last key of the innermost object.
    #[inline]
    pub(crate) fn key(&self) -> &str {
        match self.open.last() {
            Some(Open::Object { start, .. }) => self.keys.get(*start..).unwrap_or_default(),
            _ => "",
        }
    }

    /// The next token, without a copy of its text.
    pub(crate) fn next_kind(&mut self) -> Result<Option<TokenKind>, FormatError> {
        let Some(byte) = self.skip_space()? else {
            return match self.expect {
                Expect::End => Ok(None),
                _ => Err(self.not_json("it ends in the middle")),
            };
        };
        if self.expect == Expect::CommaOrEnd && byte == b',' {
            self.at += 1;
            self.expect = match self.open.last() {
                Some(Open::Object { .. }) => Expect::Key,
                _ => Expect::Value,
            };
            return match self.skip_space()? {
                Some(byte) => self.token(byte).map(Some),
                None => Err(self.not_json("it ends in the middle")),
            };
        }
        self.token(byte).map(Some)
    }

    /// The JSON pointer of the value that the last token belongs to.
    pub fn pointer(&self) -> String {
        self.open
            .iter()
            .fold(String::new(), |text, open| match open {
                Open::Object {
                    start,
                    end: Some(end),
                } => {
                    let key = self.keys.get(*start..*end).unwrap_or_default();
                    text + "/" + &key.replace('~', "~0").replace('/', "~1")
                }
                Open::List { index: Some(index) } => text + "/" + &index.to_string(),
                Open::Object { end: None, .. } | Open::List { index: None } => text,
            })
    }

    /// An error at the place of the last token.
    pub(crate) fn error(
        &self,
        kind: Kind,
        detail: impl Into<std::borrow::Cow<'static, str>>,
    ) -> FormatError {
        self.place(FormatError::new(kind, detail))
    }

    /// The error, at the place of the last token.
    pub(crate) fn place(&self, error: FormatError) -> FormatError {
        error
            .on_line(self.line)
            .at_byte(self.before + self.at as u64)
            .at_pointer(&self.pointer())
    }

    #[inline]
    fn token(&mut self, byte: u8) -> Result<TokenKind, FormatError> {
        use Expect::{CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};

        match (self.expect, byte) {
            (ValueOrEnd | CommaOrEnd, b']')
                if matches!(self.open.last(), Some(Open::List { .. })) =>
            {
                Ok(self.close(TokenKind::ListEnd))
            }
            (KeyOrEnd | CommaOrEnd, b'}')
                if matches!(self.open.last(), Some(Open::Object { .. })) =>
            {
                Ok(self.close(TokenKind::ObjectEnd))
            }
            (Key | KeyOrEnd, b'"') => {
                self.string()?;
                if let Some(Open::Object { start, end }) = self.open.last_mut() {
                    self.keys.truncate(*start);
                    self.keys.push_str(word(self.word, &self.text, &self.whole));
                    *end = Some(self.keys.len());
                }
                if self.skip_space()? != Some(b':') {
                    return Err(self.not_json("a colon is missing after a key"));
                }
                self.at += 1;
                self.expect = Value;
                Ok(TokenKind::Key)
            }
            (Value | ValueOrEnd, _) => {
                if let Some(Open::List { index }) = self.open.last_mut() {
                    *index = Some(index.map_or(0, |index| index + 1));
                }
                self.value(byte)
            }
            (Expect::End, _) => Err(self.not_json("something follows the document")),
            (Key | KeyOrEnd, _) => Err(self.not_json("a key in double quotes is missing")),
            (CommaOrEnd, _) => Err(self.not_json("a comma or a closing bracket is missing")),
        }
    }

    fn value(&mut self, byte: u8) -> Result<TokenKind, FormatError> {
        self.expect = if self.open.is_empty() {
            Expect::End
        } else {
            Expect::CommaOrEnd
        };
        match byte {
            b'{' => {
                self.open(Open::Object {
                    start: self.keys.len(),
                    end: None,
                })?;
                self.expect = Expect::KeyOrEnd;
                Ok(TokenKind::ObjectStart)
            }
            b'[' => {
                self.open(Open::List { index: None })?;
                self.expect = Expect::ValueOrEnd;
                Ok(TokenKind::ListStart)
            }
            b'"' => self.string().map(|()| TokenKind::Text),
            b'N' if self.has_constants => self.constant("NaN"),
            b'I' if self.has_constants => self.constant("Infinity"),
            b'-' if self.has_constants && self.rest().as_bytes().get(1) == Some(&b'I') => {
                self.constant("-Infinity")
            }
            b'-' | b'0'..=b'9' => self.number().map(|()| TokenKind::Number),
            b't' => self.literal("true", TokenKind::Bool(true)),
            b'f' => self.literal("false", TokenKind::Bool(false)),
            b'n' => self.literal("null", TokenKind::Null),
            _ => Err(self.not_json("a value is missing, or not spelled as JSON has it")),
        }
    }

    fn open(&mut self, open: Open) -> Result<(), FormatError> {
        if self.open.len() == JSON_DEPTH_MAX {
            return Err(self.error(
                Kind::TooDeep,
                format!("nested deeper than {JSON_DEPTH_MAX} objects and lists"),
            ));
        }
        self.at += 1;
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, token: TokenKind) -> TokenKind {
        self.at += 1;
        if let Some(Open::Object { start, .. }) = self.open.pop() {
            self.keys.truncate(start);
        }
        self.expect = if self.open.is_empty() {
            Expect::End
        } else {
            Expect::CommaOrEnd
        };
        token
    }

    fn constant(&mut self, name: &str) -> Result<TokenKind, FormatError> {
        self.literal(name, TokenKind::Number)?;
        self.word = None;
        self.whole.clear();
        self.whole.push_str(name);
        Ok(TokenKind::Number)
    }

    fn literal(&mut self, word: &str, token: TokenKind) -> Result<TokenKind, FormatError> {
        for wanted in word.bytes() {
            if self.peek()? != Some(wanted) {
                return Err(self.not_json("a value is missing, or not spelled as JSON has it"));
            }
            self.at += 1;
        }
        Ok(token)
    }

    fn number(&mut self) -> Result<(), FormatError> {
        let is_part = |byte: u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
        self.whole.clear();
        loop {
            let rest = self.rest();
            let len = rest.bytes().position(|byte| !is_part(byte));
            let part = rest.get(..len.unwrap_or(rest.len())).unwrap_or_default();
            if self.whole.len() + part.len() > NUMBER_BYTES_MAX {
                return Err(self.error(
                    Kind::TooLarge,
                    format!("a number of more than {NUMBER_BYTES_MAX} digits"),
                ));
            }
            if len.is_some() && self.whole.is_empty() {
                // The usual case: all of it is in the block.
                if !is_number(part.as_bytes()) {
                    return Err(self.not_json(format!("`{part}` is no number")));
                }
                let end = self.at + part.len();
                self.word = Some((self.at, end));
                self.at = end;
                return Ok(());
            }
            self.gather(part.len());
            if len.is_some() || self.peek()?.is_none() {
                return match is_number(self.whole.as_bytes()) {
                    true => Ok(()),
                    false => Err(self.not_json(format!("`{}` is no number", self.whole))),
                };
            }
        }
    }

    /// Goes past a part of a word that does not stand whole in the block, and keeps it.
    fn gather(&mut self, bytes: usize) {
        let end = self.at + bytes;
        let part = word(Some((self.at, end)), &self.text, "");
        self.whole.push_str(part);
        self.word = None;
        self.at = end;
    }

    fn string(&mut self) -> Result<(), FormatError> {
        self.at += 1;
        self.whole.clear();
        loop {
            let rest = self.rest();
            let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
            let len = rest.bytes().position(|byte| !is_plain(byte));
            let part = rest.get(..len.unwrap_or(rest.len())).unwrap_or_default();
            if self.whole.len() + part.len() > JSON_STRING_BYTES_MAX {
                return Err(self.error(
                    Kind::TooLarge,
                    format!("a string of more than {JSON_STRING_BYTES_MAX} bytes"),
                ));
            }
            let ends = len.is_some_and(|len| rest.as_bytes().get(len) == Some(&b'"'));
            if ends && self.whole.is_empty() {
                // The usual case: all of it is in the block, without escapes.
                let end = self.at + part.len();
                self.word = Some((self.at, end));
                self.at = end + 1;
                return Ok(());
            }
            self.gather(part.len());
            match self.peek()? {
                None => return Err(self.not_json("a string does not end")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    let char = self.escape()?;
                    self.whole.push(char);
                }
                Some(0..=0x1f) => {
                    return Err(self.not_json(
                        "a control character in a string; JSON writes it as \\n or \\u00…",
                    ));
                }
                Some(_) => {}
            }
        }
    }

    fn escape(&mut self) -> Result<char, FormatError> {
        let byte = self.peek()?;
        self.at += usize::from(byte.is_some());
        Ok(match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hex()?;
                let code = match first {
                    0xd800..=0xdbff => {
                        for wanted in [b'\\', b'u'] {
                            if self.peek()? != Some(wanted) {
                                return Err(self.not_json("half of a surrogate pair in a string"));
                            }
                            self.at += 1;
                        }
                        let second = self.hex()?;
                        if !(0xdc00..=0xdfff).contains(&second) {
                            return Err(self.not_json("half of a surrogate pair in a string"));
                        }
                        0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    code => code,
                };
                char::from_u32(code)
                    .ok_or_else(|| self.not_json("half of a surrogate pair in a string"))?
            }
            _ => return Err(self.not_json("an unknown escape in a string")),
        })
    }

    fn hex(&mut self) -> Result<u32, FormatError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek()?.and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.not_json("\\u wants four hex digits"))?;
            self.at += 1;
        }
        Ok(code)
    }

    #[inline]
    fn skip_space(&mut self) -> Result<Option<u8>, FormatError> {
        loop {
            match self.peek()? {
                Some(b'\n') => {
                    self.at += 1;
                    self.line += 1;
                }
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    // What is left of the block.
    #[inline]
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<u8>, FormatError> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) => Ok(Some(*byte)),
            None => self.fill(),
        }
    }

    // The next block, and its first byte.
    #[cold]
    fn fill(&mut self) -> Result<Option<u8>, FormatError> {
        let is_start = self.before == 0 && self.text.is_empty();
        self.before += self.text.len() as u64;
        self.at = 0;
        self.text.clear();
        loop {
            if self.block.is_empty() {
                self.block.resize(BLOCK_BYTES_MIN, 0);
            }
            let room = self.block.get_mut(self.cut..).unwrap_or_default();
            let room_bytes = room.len();
            let read = read_some(&mut self.input, room).map_err(FormatError::io)?;
            let filled = self.cut + read;
            if self.before + filled as u64 > self.bytes_max {
                let limit = self.bytes_max;
                return Err(self.error(
                    Kind::TooLarge,
                    format!("a document of more than {limit} bytes"),
                ));
            }
            let bytes = self.block.get(..filled).unwrap_or_default();
            let (valid, is_cut) = match std::str::from_utf8(bytes) {
                Ok(text) => (text, true),
                Err(error) => {
                    let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                    let valid = std::str::from_utf8(valid).unwrap_or_default();
                    (valid, error.error_len().is_none())
                }
            };
            let valid_bytes = valid.len();
            if valid_bytes == 0 && filled > 0 && !(is_cut && read > 0) {
                return Err(self.not_json("it is not UTF-8"));
            }
            self.text.push_str(valid);
            self.cut = (filled - valid_bytes).min(CHARACTER_BYTES_MAX);
            let behind = valid_bytes..valid_bytes + self.cut;
            self.block.copy_within(behind, 0);
            if read == room_bytes {
                let grown = (4 * self.block.len()).min(BLOCK_BYTES_MAX);
                self.block.resize(grown, 0);
            }
            if valid_bytes > 0 || read == 0 {
                break;
            }
        }
        if is_start && self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        Ok(self.text.as_bytes().get(self.at).copied())
    }

    fn not_json(&self, detail: impl Into<std::borrow::Cow<'static, str>>) -> FormatError {
        self.error(Kind::Syntax, detail)
    }
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[inline]
fn word<'a>(place: Option<(usize, usize)>, text: &'a str, whole: &'a str) -> &'a str {
    match place {
        Some((start, end)) => text.get(start..end).unwrap_or_default(),
        None => whole,
    }
}

// JSON's own grammar, which has no `+1`, `01`, `.5` and `1.`.
fn is_number(bytes: &[u8]) -> bool {
    let plain = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let Some(mut rest) = after_digits(plain) else {
        return false;
    };
    if plain.first() == Some(&b'0') && plain.len() - rest.len() > 1 {
        return false;
    }
    if let [b'.', fraction @ ..] = rest {
        let Some(behind) = after_digits(fraction) else {
            return false;
        };
        rest = behind;
    }
    match rest {
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            after_digits(exponent).is_some_and(<[u8]>::is_empty)
        }
        rest => rest.is_empty(),
    }
}

// What follows the digits, of which there must be one.
fn after_digits(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    let digits = digits.count();
    (digits > 0).then(|| bytes.get(digits..).unwrap_or_default())
}
