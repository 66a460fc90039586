//! The shortest sequence that still differs.

/// Leaves lines out, then fields, as long as the rest still differs; the first line stays.
pub(crate) fn shrink(
    lines: Vec<String>,
    mut differs: impl FnMut(&[String]) -> bool,
) -> Vec<String> {
    let mut lines = lines;
    let mut size = lines.len() / 2;
    while size > 0 {
        let mut at = 1;
        while at < lines.len() {
            let mut fewer = lines.clone();
            fewer.drain(at..(at + size).min(lines.len()));
            if differs(&fewer) {
                lines = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    for at in 1..lines.len() {
        let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(&lines[at]) else {
            continue;
        };
        let names: Vec<_> = fields.keys().cloned().collect();
        for name in names {
            let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_str(&lines[at]) else {
                continue;
            };
            fields.shift_remove(&name);
            let mut simpler = lines.clone();
            simpler[at] = serde_json::Value::Object(fields).to_string();
            if differs(&simpler) {
                lines = simpler;
            }
        }
    }
    lines
}
