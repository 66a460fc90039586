//! What patterns have to do with places and with each other. All of it compares canonical
//! spellings, is iterative, and takes at most the product of both lengths.

use alloc::vec;
use alloc::vec::Vec;

use crate::step::StepTexts;

/// One step of a pattern in canonical spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Step(&'a str),
    Any,
    AnyDepth,
}

impl<'a> Token<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        match text {
            "*" => Self::Any,
            "**" => Self::AnyDepth,
            step => Self::Step(step),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Tokens<'a> {
    texts: StepTexts<'a>,
}

impl<'a> Tokens<'a> {
    pub(crate) const fn new(texts: StepTexts<'a>) -> Self {
        Self { texts }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.texts.next().map(Token::of)
    }
}

/// Whether the words fit the pattern. Only the last `**` is ever tried again: what an earlier one
/// could reach by taking more, the last one can too.
pub(crate) fn matches<'p, W>(
    mut pattern: Tokens<'p>,
    mut words: impl Iterator<Item = W> + Clone,
    same: impl Fn(&'p str, &W) -> bool,
) -> bool {
    let mut retry = None;
    loop {
        let mut pattern_after = pattern.clone();
        let mut words_after = words.clone();
        let (token, word) = (pattern_after.next(), words_after.next());
        let fits = match (token, word) {
            (None, None) => return true,
            (Some(Token::AnyDepth), _) => {
                retry = Some((pattern_after.clone(), words.clone()));
                pattern = pattern_after;
                continue;
            }
            (Some(Token::Any), Some(_)) => true,
            (Some(Token::Step(step)), Some(word)) => same(step, &word),
            _ => false,
        };
        if fits {
            (pattern, words) = (pattern_after, words_after);
            continue;
        }
        let Some((pattern_behind, words_behind)) = &mut retry else {
            return false;
        };
        if words_behind.next().is_none() {
            return false;
        }
        (pattern, words) = (pattern_behind.clone(), words_behind.clone());
    }
}

/// Whether the steps, or more steps that begin with them, fit the pattern.
pub(crate) fn reaches(mut pattern: Tokens<'_>, steps: StepTexts<'_>) -> bool {
    for step in steps {
        match pattern.next() {
            Some(Token::AnyDepth) => return true,
            Some(Token::Any) => {}
            Some(Token::Step(text)) if text == step => {}
            _ => return false,
        }
    }
    true
}

/// Whether everything that fits `narrow` fits `wide`.
///
/// A row of wildcards of `wide` that holds a `**` takes any number of steps from a least one on.
/// What stands between two such rows begins and ends with a label, so it has to stand whole within
/// one piece of `narrow` between two `**`: otherwise a longer run of labels that `wide` does not
/// know, in the place of that `**`, would not fit. So `narrow` is matched as if it were a text, in
/// which a `*` is an unknown label and a `**` counts no step.
pub(crate) fn includes(wide: Tokens<'_>, narrow: Tokens<'_>) -> bool {
    let narrow: Vec<_> = narrow.collect();
    // How many steps at least the first `i` tokens take.
    let mut least = Vec::with_capacity(narrow.len() + 1);
    least.push(0_usize);
    for token in &narrow {
        let before = least.last().copied().unwrap_or_default();
        least.push(before + usize::from(*token != Token::AnyDepth));
    }
    // Which of the first `i` tokens the part of `wide` so far can take.
    let mut reached = vec![false; narrow.len() + 1];
    reached[0] = true;
    for part in parts(wide) {
        let mut next = vec![false; narrow.len() + 1];
        match part {
            Part::Gap { least: gap } => {
                let Some(first) = reached.iter().position(|&is| is) else {
                    return false;
                };
                for (at, next) in next.iter_mut().enumerate().skip(first) {
                    *next = least[at] - least[first] >= gap;
                }
            }
            Part::One(wide) => {
                for (at, narrow) in narrow.iter().enumerate() {
                    let fits = match (wide, narrow) {
                        (_, Token::AnyDepth) => false,
                        (Token::Any, _) => true,
                        (wide, narrow) => wide == *narrow,
                    };
                    next[at + 1] = fits && reached[at];
                }
            }
        }
        reached = next;
    }
    reached[narrow.len()]
}

enum Part<'a> {
    /// A row of wildcards with a `**` in it.
    Gap {
        least: usize,
    },
    One(Token<'a>),
}

fn parts(tokens: Tokens<'_>) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    // Canonical: the `*` of a row stand before its `**`.
    let mut singles = 0;
    for token in tokens {
        match token {
            Token::Any => singles += 1,
            Token::AnyDepth => {
                parts.push(Part::Gap { least: singles });
                singles = 0;
            }
            Token::Step(_) => {
                parts.extend((0..singles).map(|_| Part::One(Token::Any)));
                parts.push(Part::One(token));
                singles = 0;
            }
        }
    }
    parts.extend((0..singles).map(|_| Part::One(Token::Any)));
    parts
}

/// Whether something fits both.
pub(crate) fn intersects(left: Tokens<'_>, right: Tokens<'_>) -> bool {
    let right: Vec<_> = right.collect();
    let end = right.len();
    // Whether some text fits all of `left` so far and the first `i` tokens of `right`.
    let mut reached = vec![false; end + 1];
    reached[0] = true;
    pass_any_depth(&mut reached, &right);
    for token in left {
        if token == Token::AnyDepth {
            // It takes whatever one instance of any token of `right` is.
            for at in 0..end {
                reached[at + 1] |= reached[at];
            }
            continue;
        }
        let mut next = vec![false; end + 1];
        for (at, other) in right.iter().enumerate() {
            if !reached[at] {
                continue;
            }
            match (token, *other) {
                (_, Token::AnyDepth) => next[at] = true,
                (Token::Any, _) | (_, Token::Any) => next[at + 1] = true,
                (token, other) => next[at + 1] |= token == other,
            }
        }
        reached = next;
        pass_any_depth(&mut reached, &right);
    }
    reached[end]
}

/// A `**` may take nothing.
fn pass_any_depth(reached: &mut [bool], tokens: &[Token<'_>]) {
    for (at, token) in tokens.iter().enumerate() {
        if *token == Token::AnyDepth {
            reached[at + 1] |= reached[at];
        }
    }
}
