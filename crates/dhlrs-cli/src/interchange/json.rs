//! JSON (RFC 8259) as a stream of tokens: nothing recurses, and what is kept is bounded.

use std::io::Read;

use super::{ImportError, ImportErrorKind as Kind};

/// How deep objects and lists may nest. A tree of depth 64 takes three levels for each of its own in the typed form.
pub const JSON_DEPTH_MAX: usize = 256;

/// The most bytes of one string, escapes undone. A value of 256 KiB fits in base64 too.
pub const STRING_BYTES_MAX: usize = 1024 * 1024;

const NUMBER_BYTES_MAX: usize = 1024;
const BUFFER_BYTES: usize = 64 * 1024;

/// One token. Commas and colons are checked and left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ListStart,
    /// `]`
    ListEnd,
    /// The name before a `:`.
    Key(String),
    /// A string.
    Text(String),
    /// A number as it is spelled.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// Reads one JSON document.
#[derive(Debug)]
pub struct JsonReader<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    line: u64,
    open: Vec<Open>,
    expect: Expect,
}

// An open object or list, with the place in it that the next or last token has.
#[derive(Debug)]
enum Open {
    Object { key: Option<String> },
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

impl<R: Read> JsonReader<R> {
    /// Reads from `input`, in blocks. A byte order mark at its start is skipped.
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER_BYTES],
            at: 0,
            filled: 0,
            line: 1,
            open: Vec::new(),
            expect: Expect::Value,
        }
    }

    /// The next token; `None` when the document has ended, and nothing but white space follows it.
    ///
    /// # Errors
    ///
    /// When the input fails, or is no JSON, or passes a limit.
    pub fn next_token(&mut self) -> Result<Option<Token>, ImportError> {
        let Some(byte) = self.skip_space()? else {
            return match self.expect {
                Expect::End => Ok(None),
                _ => Err(self.not_json("it ends in the middle")),
            };
        };
        if self.expect == Expect::CommaOrEnd && byte == b',' {
            self.take();
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
    #[must_use]
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
    pub(super) fn error(&self, kind: Kind, detail: impl Into<String>) -> ImportError {
        ImportError::new(kind, detail)
            .on_line(self.line)
            .at_pointer(self.pointer())
    }

    fn token(&mut self, byte: u8) -> Result<Token, ImportError> {
        use Expect::{CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};

        match (self.expect, byte) {
            (ValueOrEnd | CommaOrEnd, b']')
                if matches!(self.open.last(), Some(Open::List { .. })) =>
            {
                Ok(self.close(Token::ListEnd))
            }
            (KeyOrEnd | CommaOrEnd, b'}')
                if matches!(self.open.last(), Some(Open::Object { .. })) =>
            {
                Ok(self.close(Token::ObjectEnd))
            }
            (Key | KeyOrEnd, b'"') => {
                let name = self.string()?;
                if let Some(Open::Object { key }) = self.open.last_mut() {
                    *key = Some(name.clone());
                }
                if self.skip_space()? != Some(b':') {
                    return Err(self.not_json("a colon is missing after a key"));
                }
                self.take();
                self.expect = Value;
                Ok(Token::Key(name))
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

    fn value(&mut self, byte: u8) -> Result<Token, ImportError> {
        self.expect = if self.open.is_empty() {
            Expect::End
        } else {
            Expect::CommaOrEnd
        };
        match byte {
            b'{' => {
                self.open(Open::Object { key: None })?;
                self.expect = Expect::KeyOrEnd;
                Ok(Token::ObjectStart)
            }
            b'[' => {
                self.open(Open::List { index: None })?;
                self.expect = Expect::ValueOrEnd;
                Ok(Token::ListStart)
            }
            b'"' => self.string().map(Token::Text),
            b'-' | b'0'..=b'9' => self.number().map(Token::Number),
            b't' => self.word("true", Token::Bool(true)),
            b'f' => self.word("false", Token::Bool(false)),
            b'n' => self.word("null", Token::Null),
            _ => Err(self.not_json("a value is missing, or not spelled as JSON has it")),
        }
    }

    fn open(&mut self, open: Open) -> Result<(), ImportError> {
        if self.open.len() == JSON_DEPTH_MAX {
            return Err(self.error(
                Kind::TooDeep,
                format!("nested deeper than {JSON_DEPTH_MAX} objects and lists"),
            ));
        }
        self.take();
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, token: Token) -> Token {
        self.take();
        self.open.pop();
        self.expect = if self.open.is_empty() {
            Expect::End
        } else {
            Expect::CommaOrEnd
        };
        token
    }

    fn word(&mut self, word: &str, token: Token) -> Result<Token, ImportError> {
        for wanted in word.bytes() {
            if self.peek()? != Some(wanted) {
                return Err(self.not_json("a value is missing, or not spelled as JSON has it"));
            }
            self.take();
        }
        Ok(token)
    }

    fn number(&mut self) -> Result<String, ImportError> {
        let mut text = String::new();
        while let Some(byte @ (b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) = self.peek()? {
            if text.len() == NUMBER_BYTES_MAX {
                return Err(self.error(
                    Kind::TooLarge,
                    format!("a number of more than {NUMBER_BYTES_MAX} digits"),
                ));
            }
            text.push(char::from(byte));
            self.take();
        }
        if is_number(&text) {
            Ok(text)
        } else {
            Err(self.not_json(format!("`{text}` is no number")))
        }
    }

    fn string(&mut self) -> Result<String, ImportError> {
        self.take();
        let mut bytes = Vec::new();
        loop {
            match self.peek()? {
                None => return Err(self.not_json("a string does not end")),
                Some(b'"') => {
                    self.take();
                    break;
                }
                Some(b'\\') => {
                    self.take();
                    let char = self.escape()?;
                    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(0..=0x1f) => {
                    return Err(self.not_json(
                        "a control character in a string; JSON writes it as \\n or \\u00…",
                    ));
                }
                Some(byte) => {
                    self.take();
                    bytes.push(byte);
                }
            }
            if bytes.len() > STRING_BYTES_MAX {
                return Err(self.error(
                    Kind::TooLarge,
                    format!("a string of more than {STRING_BYTES_MAX} bytes"),
                ));
            }
        }
        String::from_utf8(bytes).map_err(|_| self.not_json("a string is not UTF-8"))
    }

    fn escape(&mut self) -> Result<char, ImportError> {
        let byte = self.peek()?;
        self.take();
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
                            self.take();
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

    fn hex(&mut self) -> Result<u32, ImportError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek()?.and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.not_json("\\u wants four hex digits"))?;
            self.take();
        }
        Ok(code)
    }

    fn skip_space(&mut self) -> Result<Option<u8>, ImportError> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.take(),
                other => return Ok(other),
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        if self.at == self.filled {
            let is_start = self.filled == 0;
            self.filled = read_some(&mut self.input, &mut self.buffer).map_err(ImportError::io)?;
            self.at = 0;
            if is_start && self.buffer[..self.filled].starts_with(b"\xef\xbb\xbf") {
                self.at = 3;
            }
        }
        Ok(self.buffer[..self.filled].get(self.at).copied())
    }

    fn take(&mut self) {
        if self.buffer[..self.filled].get(self.at) == Some(&b'\n') {
            self.line += 1;
        }
        self.at = (self.at + 1).min(self.filled);
    }

    fn not_json(&self, detail: impl Into<String>) -> ImportError {
        self.error(Kind::NotJson, detail)
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

// JSON's own grammar, which has no `+1`, `01`, `.5` and `1.`.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
        ),
        None => (text, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !leading_zero && digits(fraction) && digits(exponent)
}
