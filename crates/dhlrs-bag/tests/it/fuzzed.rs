//! What fuzzing found stays found: each kept input, and a thousand mutations of it from a fixed
//! seed, hold what the fuzz target promises.

#[path = "../../../../fuzz/checks/json_lines.rs"]
mod json_lines;
#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/messagepack.rs"]
mod messagepack;
#[path = "../../../../fuzz/checks/postcard.rs"]
mod postcard;
#[path = "../../../../fuzz/checks/xml.rs"]
mod xml;

use kept::holds;

#[test]
fn json_lines_holds() {
    holds("json_lines", json_lines::check);
}

#[test]
fn xml_holds() {
    holds("xml", xml::check);
}

#[test]
fn messagepack_holds() {
    holds("messagepack", messagepack::check);
}

#[test]
fn postcard_holds() {
    holds("postcard", postcard::check);
}
