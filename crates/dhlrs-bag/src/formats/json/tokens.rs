//! JSON (RFC 8259) as a stream of tokens: nothing recurses, and what is kept is bounded.

use std::io::Read;

use super::super::{FormatError, FormatErrorKind as Kind};
use crate::Text;

/// How deep objects and lists may nest. A tree of depth 64 takes three levels for each of its own
/// in the typed form.
pub const JSON_DEPTH_MAX: usize = 256;

/// The most bytes of one string, escapes undone. A value of 256 KiB fits in base64 too.
pub const JSON_STRING_BYTES_MAX: usize = 1024 * 1024;

const NUMBER_BYTES_MAX: usize = 1024;
const BUFFER_BYTES: usize = 64 * 1024;

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

/// Reads one JSON document.
///
/// Takes it in blocks of 64 KiB, and keeps one token and the place of each open object and list.
#[derive(Debug)]
pub struct JsonTokens<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    // The bytes before the buffer.
    before: u64,
    bytes_max: u64,
    line: u64,
    has_constants: bool,
    open: Vec<Open>,
    expect: Expect,
}

// An open object or list, with the place in it that the next or last token has.
#[derive(Debug)]
enum Open {
    Object { key: Option<Text> },
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
            buffer: vec![0; BUFFER_BYTES],
            at: 0,
            filled: 0,
            before: 0,
            bytes_max,
            line: 1,
            has_constants: false,
            open: Vec::new(),
            expect: Expect::Value,
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
                Open::Object { key: Some(key) } => {
                    text + "/" + &key.replace('~', "~0").replace('/', "~1")
                }
                Open::List { index: Some(index) } => text + "/" + &index.to_string(),
                Open::Object { key: None } | Open::List { index: None } => text,
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
    fn token(&mut self, byte: u8) -> Result<JsonToken, FormatError> {
        use Expect::{CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};

        match (self.expect, byte) {
            (ValueOrEnd | CommaOrEnd, b']')
                if matches!(self.open.last(), Some(Open::List { .. })) =>
            {
                Ok(self.close(JsonToken::ListEnd))
            }
            (KeyOrEnd | CommaOrEnd, b'}')
                if matches!(self.open.last(), Some(Open::Object { .. })) =>
            {
                Ok(self.close(JsonToken::ObjectEnd))
            }
            (Key | KeyOrEnd, b'"') => {
                let name = self.string()?;
                if let Some(Open::Object { key }) = self.open.last_mut() {
                    *key = Some(name.clone());
                }
                if self.skip_space()? != Some(b':') {
                    return Err(self.not_json("a colon is missing after a key"));
                }
                self.at += 1;
                self.expect = Value;
                Ok(JsonToken::Key(name))
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

    fn value(&mut self, byte: u8) -> Result<JsonToken, FormatError> {
        self.expect = if self.open.is_empty() {
            Expect::End
        } else {
            Expect::CommaOrEnd
        };
        match byte {
            b'{' => {
                self.open(Open::Object { key: None })?;
                self.expect = Expect::KeyOrEnd;
                Ok(JsonToken::ObjectStart)
            }
            b'[' => {
                self.open(Open::List { index: None })?;
                self.expect = Expect::ValueOrEnd;
                Ok(JsonToken::ListStart)
            }
            b'"' => self.string().map(JsonToken::Text),
            b'N' if self.has_constants => self.word("NaN", JsonToken::Number("NaN".into())),
            b'I' if self.has_constants => {
                self.word("Infinity", JsonToken::Number("Infinity".into()))
            }
            b'-' if self.has_constants && self.rest().get(1) == Some(&b'I') => {
                self.word("-Infinity", JsonToken::Number("-Infinity".into()))
            }
            b'-' | b'0'..=b'9' => self.number().map(JsonToken::Number),
            b't' => self.word("true", JsonToken::Bool(true)),
            b'f' => self.word("false", JsonToken::Bool(false)),
            b'n' => self.word("null", JsonToken::Null),
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

    fn close(&mut self, token: JsonToken) -> JsonToken {
        self.at += 1;
        self.open.pop();
        self.expect = if self.open.is_empty() {
            Expect::End
        } else {
            Expect::CommaOrEnd
        };
        token
    }

    fn word(&mut self, word: &str, token: JsonToken) -> Result<JsonToken, FormatError> {
        for wanted in word.bytes() {
            if self.peek()? != Some(wanted) {
                return Err(self.not_json("a value is missing, or not spelled as JSON has it"));
            }
            self.at += 1;
        }
        Ok(token)
    }

    fn number(&mut self) -> Result<Text, FormatError> {
        let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
        let mut bytes = Vec::new();
        loop {
            let rest = self.rest();
            let len = rest.iter().position(|byte| !is_part(byte));
            let part = rest.get(..len.unwrap_or(rest.len())).unwrap_or_default();
            if bytes.len() + part.len() > NUMBER_BYTES_MAX {
                return Err(self.error(
                    Kind::TooLarge,
                    format!("a number of more than {NUMBER_BYTES_MAX} digits"),
                ));
            }
            if len.is_some() && bytes.is_empty() {
                // The usual case: all of it is in the buffer.
                let number = checked_number(part).map(Text::new);
                let text =
                    number.map_err(|text| self.not_json(format!("`{text}` is no number")))?;
                self.at += text.len();
                return Ok(text);
            }
            bytes.extend_from_slice(part);
            self.at += part.len();
            if len.is_some() || self.peek()?.is_none() {
                return checked_number(&bytes)
                    .map(Text::new)
                    .map_err(|text| self.not_json(format!("`{text}` is no number")));
            }
        }
    }

    fn string(&mut self) -> Result<Text, FormatError> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let rest = self.rest();
            let is_plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
            let len = rest.iter().position(|byte| !is_plain(byte));
            let part = rest.get(..len.unwrap_or(rest.len())).unwrap_or_default();
            if bytes.len() + part.len() > JSON_STRING_BYTES_MAX {
                return Err(self.error(
                    Kind::TooLarge,
                    format!("a string of more than {JSON_STRING_BYTES_MAX} bytes"),
                ));
            }
            let ends = len.is_some_and(|len| rest.get(len) == Some(&b'"'));
            if ends && bytes.is_empty() {
                // The usual case: all of it is in the buffer, without escapes.
                let used = part.len() + 1;
                let text = std::str::from_utf8(part).map(Text::new);
                let text = text.map_err(|_| self.not_json("a string is not UTF-8"))?;
                self.at += used;
                return Ok(text);
            }
            bytes.extend_from_slice(part);
            self.at += part.len();
            match self.peek()? {
                None => return Err(self.not_json("a string does not end")),
                Some(b'"') => {
                    self.at += 1;
                    return String::from_utf8(bytes)
                        .map(Text::from)
                        .map_err(|_| self.not_json("a string is not UTF-8"));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let char = self.escape()?;
                    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
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

    // What is left in the buffer.
    #[inline]
    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..self.filled).unwrap_or_default()
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<u8>, FormatError> {
        if self.at >= self.filled {
            self.fill()?;
        }
        Ok(self.rest().first().copied())
    }

    #[cold]
    fn fill(&mut self) -> Result<(), FormatError> {
        let is_start = self.before == 0 && self.filled == 0;
        self.before += self.filled as u64;
        self.at = 0;
        self.filled = read_some(&mut self.input, &mut self.buffer).map_err(FormatError::io)?;
        if self.before + self.filled as u64 > self.bytes_max {
            let limit = self.bytes_max;
            return Err(self.error(
                Kind::TooLarge,
                format!("a document of more than {limit} bytes"),
            ));
        }
        if is_start && self.rest().starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        Ok(())
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

// JSON's own grammar, which has no `+1`, `01`, `.5` and `1.`. `Err` is what is no number.
fn checked_number(bytes: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
        ),
        None => (plain, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if digits(whole) && !leading_zero && digits(fraction) && digits(exponent) {
        Ok(text)
    } else {
        Err(text.to_owned())
    }
}
