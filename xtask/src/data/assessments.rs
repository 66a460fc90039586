//! One record a line: a visit to a site, what was found there, and what is needed.

use super::Random;

/// How many records the file holds.
pub const RECORDS: usize = 500;

const SEED: u64 = 20_240_611;

const FORMS: &[&str] = &[
    "health_post",
    "household",
    "school",
    "shelter",
    "site_assessment",
    "water_point",
];
const STATUSES: &[&str] = &[
    "OPENED",
    "OPENED",
    "IN_REVIEW",
    "IN_REVIEW",
    "VERIFIED",
    "CLOSED",
];
const FIRST: &[&str] = &[
    "Ama", "Beru", "Chali", "Dako", "Elu", "Fari", "Goro", "Hada", "Iwa", "Jomo", "Kasa", "Luma",
    "Mira", "Noru", "Ola", "Pemba", "Rua", "Sita", "Tano", "Ubi",
];
const SECOND: &[&str] = &[
    "bridge", "camp", "crossing", "falls", "hill", "market", "ridge", "spring", "valley", "wells",
];
const DISTRICTS: &[&str] = &[
    "Central",
    "Coast",
    "Highland",
    "Lakeside",
    "North",
    "South Bank",
];
const SOURCES: &[&str] = &[
    "borehole",
    "hand pump",
    "protected spring",
    "rain tank",
    "river intake",
    "tap stand",
];
const NEEDS: &[&str] = &[
    "blankets",
    "chlorine",
    "fuel",
    "latrines",
    "medicine",
    "pump parts",
    "tarpaulin",
    "teachers",
];
const ACCESS: &[&str] = &["4x4 only", "by boat", "by foot", "by road"];
const NOTES: &[&str] = &[
    "Handle broken, users carry water from the river.",
    "Elders ask for a second visit before the rains.",
    "Access road washed out; use the northern track.",
    "Queue of two hours in the morning.",
    "Roof repaired since the last visit.",
    "Nurse present three days a week.",
    "Reading taken twice, second value kept.",
    "Spoke to \"Mama Sita\", keeper of the key.",
    "Path is a.k.a. market road; ask at #3.",
];

/// The text of the file: a JSON list with one object a line, `id` being the key.
#[must_use]
pub fn field_assessments() -> String {
    let mut random = Random::from_seed(SEED);
    let records: Vec<String> = (1..=RECORDS)
        .map(|number| record(number, &mut random))
        .collect();
    format!("[\n{}\n]\n", records.join(",\n"))
}

fn record(number: usize, random: &mut Random) -> String {
    let form = random.pick(FORMS);
    let site = format!("{} {}", random.pick(FIRST), random.pick(SECOND));
    let mut fields = vec![
        ("id", text(&format!("FA-{number:04}"))),
        ("form", text(form)),
        ("site", text(&site)),
        ("district", text(random.pick(DISTRICTS))),
        ("status", text(random.pick(STATUSES))),
        ("assessed_at", text(&moment(random))),
        ("team", text(&format!("team-{}", random.between(1, 8)))),
        ("latitude", decimal(random, -4_500_000, 4_500_000)),
        ("longitude", decimal(random, 28_000_000, 41_000_000)),
        ("access", text(random.pick(ACCESS))),
        ("households", random.between(4, 900).to_string()),
    ];
    if form == "water_point" || random.percent(60) {
        fields.push(("water_point", water_point(random)));
    }
    fields.push(("needs", needs(random)));
    fields.push((
        "notes",
        if random.percent(70) {
            text(random.pick(NOTES))
        } else {
            "null".to_owned()
        },
    ));
    object(&fields)
}

fn water_point(random: &mut Random) -> String {
    let functional = random.percent(72);
    let litres_a_minute = if functional {
        random.between(20, 480)
    } else {
        0
    };
    object(&[
        ("source", text(random.pick(SOURCES))),
        ("functional", functional.to_string()),
        (
            "litres_a_minute",
            format!("{}.{}", litres_a_minute / 10, litres_a_minute % 10),
        ),
        ("users", random.between(30, 2_500).to_string()),
    ])
}

fn needs(random: &mut Random) -> String {
    let chosen: Vec<String> = NEEDS
        .iter()
        .filter(|_| random.percent(25))
        .map(|need| text(need))
        .collect();
    format!("[{}]", chosen.join(","))
}

fn moment(random: &mut Random) -> String {
    // Days up to 28, so that every month has them.
    format!(
        "2024-{:02}-{:02}T{:02}:{:02}:00Z",
        random.between(1, 6),
        random.between(1, 28),
        random.between(6, 17),
        random.between(0, 59),
    )
}

// Micro-degrees as text; no float is printed, so that no printer can differ.
fn decimal(random: &mut Random, low: i64, high: i64) -> String {
    let micros = low + i64::try_from(random.between(0, low.abs_diff(high))).unwrap_or(0);
    let sign = if micros < 0 { "-" } else { "" };
    format!(
        "{sign}{}.{:06}",
        micros.unsigned_abs() / 1_000_000,
        micros.unsigned_abs() % 1_000_000
    )
}

fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}
