//! JSON as it comes in: read without recursion, to a bounded depth.

use crate::limits::JSON_DEPTH_MAX;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as it was written.
    BigInt(String),
    Float(f64),
    Text(String),
    Array(Vec<Json>),
    // In the order of the text; of two equal keys the later value counts.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value; `None` where the text is not one, or is nested too deep.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value()?;
        reader.space();
        (reader.at == text.len()).then_some(value)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries
                .iter()
                .find_map(|(own, value)| (own == key).then_some(value)),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let mut bytes = 0_usize;
        let mut todo = vec![self];
        while let Some(json) = todo.pop() {
            bytes = bytes.saturating_add(size_of::<Self>());
            match json {
                Self::Text(text) | Self::BigInt(text) => bytes = bytes.saturating_add(text.len()),
                Self::Array(items) => todo.extend(items),
                Self::Object(entries) => {
                    for (key, value) in entries {
                        bytes = bytes.saturating_add(size_of::<String>() + key.len());
                        todo.push(value);
                    }
                }
                _ => {}
            }
        }
        bytes
    }

    /// What Python takes for true.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::BigInt(_) => true,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Array(items) => !items.is_empty(),
            Self::Object(entries) => !entries.is_empty(),
        }
    }
}

// Each key where it came first, with the value that came last.
fn unique(entries: Vec<(String, Json)>) -> Vec<(String, Json)> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let key = |place: &usize| entries.get(*place).map(|(key, _)| key);
    // Stable, so that equal keys stay in the order of the text.
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    let is_double = |pair: &[usize]| matches!(pair, [a, b] if key(a) == key(b));
    if !order.windows(2).any(is_double) {
        return entries;
    }
    let runs: Vec<_> = order
        .chunk_by(|a, b| key(a) == key(b))
        .filter_map(|run| Some((*run.first()?, *run.last()?)))
        .collect();
    let mut entries: Vec<_> = entries.into_iter().map(Some).collect();
    let mut kept: Vec<_> = runs
        .into_iter()
        .filter_map(|(first, last)| Some((first, entries.get_mut(last)?.take()?)))
        .collect();
    kept.sort_by_key(|(first, _)| *first);
    kept.into_iter().map(|(_, entry)| entry).collect()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

enum Open {
    Array(Vec<Json>),
    Object(Vec<(String, Json)>, String),
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Json> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut value = match self.next()? {
                b'[' => {
                    if open.len() >= JSON_DEPTH_MAX {
                        return None;
                    }
                    if !self.follows(b']') {
                        open.push(Open::Array(Vec::new()));
                        continue;
                    }
                    Json::Array(Vec::new())
                }
                b'{' => {
                    if open.len() >= JSON_DEPTH_MAX {
                        return None;
                    }
                    if !self.follows(b'}') {
                        let key = self.key()?;
                        open.push(Open::Object(Vec::new(), key));
                        continue;
                    }
                    Json::Object(Vec::new())
                }
                b'"' => Json::Text(self.string()?),
                first => self.word(first)?,
            };
            loop {
                match open.pop() {
                    None => return Some(value),
                    Some(Open::Array(mut items)) => {
                        items.push(value);
                        match self.next()? {
                            b',' => open.push(Open::Array(items)),
                            b']' => {
                                value = Json::Array(items);
                                continue;
                            }
                            _ => return None,
                        }
                    }
                    Some(Open::Object(mut entries, key)) => {
                        entries.push((key, value));
                        match self.next()? {
                            b',' => {
                                let key = self.key()?;
                                open.push(Open::Object(entries, key));
                            }
                            b'}' => {
                                value = Json::Object(unique(entries));
                                continue;
                            }
                            _ => return None,
                        }
                    }
                }
                break;
            }
        }
    }

    fn space(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let spaces = rest
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.at += spaces.count();
    }

    /// The next byte that is no space, taken.
    fn next(&mut self) -> Option<u8> {
        self.space();
        let byte = *self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn follows(&mut self, byte: u8) -> bool {
        self.space();
        let follows = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(follows);
        follows
    }

    fn key(&mut self) -> Option<String> {
        if self.next()? != b'"' {
            return None;
        }
        let key = self.string()?;
        (self.next()? == b':').then_some(key)
    }

    /// The rest of a string, behind its first quote.
    fn string(&mut self) -> Option<String> {
        let mut string = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let plain = rest.find(|char: char| char == '"' || char == '\\' || char < ' ')?;
            string.push_str(rest.get(..plain)?);
            self.at += plain + 1;
            match rest.as_bytes().get(plain)? {
                b'"' => return Some(string),
                b'\\' => string.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = *self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                if self.text.get(self.at..self.at + 2) != Some("\\u") {
                    return None;
                }
                self.at += 2;
                let low = self.hex()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + low);
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn word(&mut self, first: u8) -> Option<Json> {
        let start = self.at - 1;
        let rest = self.text.get(start..)?;
        let is_in_word =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let word = rest.get(..rest.bytes().take_while(|byte| is_in_word(byte)).count())?;
        self.at = start + word.len();
        match word {
            "null" => return Some(Json::Null),
            "true" => return Some(Json::Bool(true)),
            "false" => return Some(Json::Bool(false)),
            _ if first == b'-' || first.is_ascii_digit() => {}
            _ => return None,
        }
        let unsigned = word.strip_prefix('-').unwrap_or(word);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let signed = |text: &str| digits(text.strip_prefix(['-', '+']).unwrap_or(text));
        let is_number = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent.is_none_or(signed);
        if !is_number {
            return None;
        }
        if fraction.is_none() && exponent.is_none() {
            return Some(match word.parse() {
                Ok(number) => Json::Int(number),
                Err(_) => Json::BigInt(word.to_owned()),
            });
        }
        word.parse().ok().map(Json::Float)
    }
}
