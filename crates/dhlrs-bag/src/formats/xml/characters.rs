//! What XML 1.0 can spell.

use std::borrow::Cow;

/// Whether XML has this character; it lacks most controls and two that are none.
pub(super) fn is_xml(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{1_0000}'..)
}

/// Whether XML has all of a text.
pub(super) fn is_xml_text(text: &str) -> bool {
    text.chars().all(is_xml)
}

/// The text with U+FFFD for what XML lacks.
pub(super) fn replaced(text: &str) -> Cow<'_, str> {
    if is_xml_text(text) {
        return Cow::Borrowed(text);
    }
    let chars = text.chars();
    Cow::Owned(
        chars
            .map(|char| if is_xml(char) { char } else { '\u{fffd}' })
            .collect(),
    )
}

/// Whether a text is a name in XML 1.0, of an element or an attribute. The tokeniser does not ask.
pub(super) fn is_xml_name(text: &str) -> bool {
    let starts = |char: char| {
        matches!(char,
            ':' | '_' | 'A'..='Z' | 'a'..='z'
            | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
            | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
            | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{1_0000}'..='\u{e_ffff}')
    };
    let goes_on = |char: char| {
        starts(char)
            || matches!(char,
                '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
    };
    text.starts_with(starts) && text.chars().all(goes_on)
}

/// Whether a text can stand as the name of an attribute that is written.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let starts = |char: char| char.is_ascii_alphabetic() || char == '_';
    chars.next().is_some_and(starts)
        && chars.all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-'))
}

/// The name of an element for a label: ASCII letters, digits, `_` and `.`, as Genro has it.
pub(super) fn tag_of(label: &str) -> Cow<'_, str> {
    let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.');
    let starts = |char: char| char.is_ascii_alphabetic() || char == '_';
    let begins_well = label.chars().next().is_some_and(starts);
    if begins_well && label.chars().all(fits) {
        return Cow::Borrowed(label);
    }
    let chars = label
        .chars()
        .map(|char| if fits(char) { char } else { '_' });
    let tag: String = chars.collect();
    Cow::Owned(match tag.chars().next().is_some_and(starts) {
        true => tag,
        false => format!("_{tag}"),
    })
}

/// Adds a text to XML. White space other than spaces is spelled out in attributes, where readers
/// would make spaces of it, and so is a carriage return anywhere.
pub(super) fn push_escaped(out: &mut String, text: &str, in_attribute: bool) {
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            char => out.push(char),
        }
    }
}
