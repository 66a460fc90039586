//! Whole trees go in and come out as they were.

use std::fmt::Write as _;

use crate::world::{World, text};

const ISO_3166_2: &str = "/usr/share/iso-codes/json/iso_3166-2.json";

#[test]
fn records_of_debian_are_imported_read_and_copied() {
    assert!(
        std::path::Path::new(ISO_3166_2).exists(),
        "install Debian's package: apt-get install iso-codes"
    );
    let world = World::new();
    let server = world.serve(&["--store", "main", "--store", "copy"]);
    let imported = server
        .dhlrs(&world, &["import", "//main", ISO_3166_2, "--key", "code"])
        .ok();
    let nodes: u64 = imported.split(' ').next().unwrap().parse().unwrap();
    assert!(nodes > 20_000, "{imported}");
    assert_eq!(
        server
            .dhlrs(&world, &["get", "//main/3166-2.AD-02.name"])
            .ok(),
        "Canillo\n"
    );

    let drawing = server.dhlrs(&world, &["tree", "//main/3166-2.AD-02"]).ok();
    assert!(drawing.contains("└── type: \"Parish\""), "{drawing}");
    let names = server.dhlrs(&world, &["query", "//main/**.name"]).ok();
    assert!(names.lines().count() > 5_000, "{}", names.lines().count());
    assert!(names.contains("3166-2.AD-02.name\t\"Canillo\"\n"));

    let file = world.path("typed.json");
    server
        .dhlrs(
            &world,
            &["export", "//main", "--typed", "--output", text(&file)],
        )
        .ok();
    server
        .dhlrs(&world, &["import", "//copy", text(&file), "--typed"])
        .ok();
    let copy = server.dhlrs(&world, &["export", "//copy", "--typed"]).ok();
    assert!(copy.len() > 500_000);
    assert!(
        copy.as_bytes() == std::fs::read(&file).unwrap(),
        "the copy differs"
    );
    // Again: everything is there, so nothing changes.
    let again = server
        .dhlrs(&world, &["import", "//copy", text(&file), "--typed"])
        .ok();
    assert!(again.ends_with("revision 1\n") || !again.is_empty());
}

// A tree with everything that a tree may have, as `export --typed` writes it.
fn everything() -> String {
    let mut rows = vec![
        r##"["a.b c#d=e/f?g*h~i",1,{"p":"q\nr","s t":[1,"two",null,{"$dec":"1.50"}]}]"##.to_owned(),
        r#"["bytes",{"$b64":"AAEC/w=="},{}]"#.to_owned(),
        r#"["decimals",{"$bag":[["long",{"$dec":"79228162514264337593543950335"},{}],["zero",{"$dec":"0.000"},{}]]},{}]"#.to_owned(),
        r#"["empty",{"$bag":[]},{"of":"nothing"}]"#.to_owned(),
        r#"["floats",[1.0,-0.0,{"$f":"nan"},{"$f":"-inf"},1e300],{}]"#.to_owned(),
        r#"["lines","one\ntwo\r\n\tthree\u0001",{}]"#.to_owned(),
        r#"["list",[],{}]"#.to_owned(),
        r#"["time",{"$dt":"2026-01-31T12:00:00.000000001Z"},{"at":{"$dt":"1969-12-31T23:59:59.5Z"}}]"#.to_owned(),
        r#"["unicode ✓","日本",{"ключ":true}]"#.to_owned(),
        r#"["with resolver",null,{},{"$res":{"name":"nobody","cache_time":1.5,"read_only":true,"kw":{"n":1}}}]"#.to_owned(),
    ];
    let mut deep = String::new();
    for level in 1..64 {
        write!(deep, "[\"d{}\",{{\"$bag\":[", level % 10).unwrap();
    }
    deep.push_str("[\"leaf\",\"sixty-four\",{}]");
    for level in (1..64).rev() {
        write!(deep, "]}},{{\"level\":{level}}}]").unwrap();
    }
    rows.push(deep);
    format!(
        "{{\"$bag\":[\n{}\n],\"attrs\":{{\"of\":\"the root\",\"when\":{{\"$dt\":\"2026-01-31T12:00:00Z\"}}}}}}\n",
        rows.join(",\n")
    )
}

#[test]
fn a_tree_with_everything_comes_out_as_it_went_in() {
    let world = World::new();
    let server = world.serve(&["--store", "main", "--store", "copy", "--data", "data"]);
    let source = everything();
    let file = world.file("source.json", &source);
    server
        .dhlrs(&world, &["import", "//main", text(&file), "--typed"])
        .ok();
    let first = server.dhlrs(&world, &["export", "//main", "--typed"]).ok();
    assert_eq!(first, source);
    let file = world.file("first.json", &first);
    server
        .dhlrs(&world, &["import", "//copy", text(&file), "--typed"])
        .ok();
    assert_eq!(
        server.dhlrs(&world, &["export", "//copy", "--typed"]).ok(),
        source
    );

    // Below another bag, and after a restart.
    server
        .dhlrs(
            &world,
            &[
                "import",
                "//copy/empty.below",
                text(&world.file("small.json", "{\"$bag\":[],\"attrs\":{\"x\":1}}")),
                "--typed",
            ],
        )
        .ok();
    assert_eq!(
        server
            .dhlrs(&world, &["export", "//copy/empty.below", "--typed"])
            .ok(),
        "{\"$bag\":[],\"attrs\":{\"x\":1}}\n"
    );
    server.kill();
    let server = world.serve(&["--data", "data"]);
    assert_eq!(
        server.dhlrs(&world, &["export", "//main", "--typed"]).ok(),
        source
    );
}

#[test]
fn a_large_export_comes_in_pages() {
    let world = World::new();
    let server = world.serve(&["--store", "main", "--store", "copy"]);
    let rows: Vec<String> = (0..300)
        .map(|n| format!("[\"n{n:03}\",\"{}\",{{\"n\":{n}}}]", "x".repeat(10_000)))
        .collect();
    let source = format!("{{\"$bag\":[\n{}\n],\"attrs\":{{}}}}\n", rows.join(",\n"));
    assert!(source.len() > 2 << 20);
    let file = world.file("source.json", &source);
    server
        .dhlrs(&world, &["import", "//main", text(&file), "--typed"])
        .ok();
    assert!(
        server.dhlrs(&world, &["export", "//main", "--typed"]).ok() == source,
        "it differs"
    );
}

#[test]
fn plain_json_says_what_it_leaves_out() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let file = world.file("source.json", everything());
    server
        .dhlrs(&world, &["import", "//main", text(&file), "--typed"])
        .ok();
    let done = server.dhlrs(&world, &["export", "//main"]);
    assert!(
        done.err.contains("attributes") && done.err.contains("--typed"),
        "{}",
        done.err
    );
    let json: serde_json::Value = serde_json::from_str(&done.ok()).unwrap();
    assert_eq!(json["bytes"], "AAEC/w==");
}

#[test]
fn xml_goes_out_and_comes_in() {
    let world = World::new();
    let server = world.serve(&["--store", "main", "--store", "copy"]);
    let source = everything();
    let file = world.file("source.json", &source);
    server
        .dhlrs(&world, &["import", "//main", text(&file), "--typed"])
        .ok();
    let file = world.path("typed.xml");
    let done = server.dhlrs(
        &world,
        &[
            "export",
            "//main",
            "--format",
            "xml",
            "--typed",
            "--output",
            text(&file),
        ],
    );
    assert_eq!(done.err, "");
    done.ok();
    server
        .dhlrs(&world, &["import", "//copy", text(&file), "--typed"])
        .ok();
    assert_eq!(
        server.dhlrs(&world, &["export", "//copy", "--typed"]).ok(),
        source
    );

    let done = server.dhlrs(&world, &["export", "//main", "--format", "xml"]);
    assert!(
        done.err.contains("characters of 1 texts") && done.err.contains("--typed"),
        "{}",
        done.err
    );
    let xml = done.ok();
    assert!(xml.contains("<main "), "{xml}");
    assert!(xml.contains("<bytes>AAEC/w==</bytes>"), "{xml}");
    let leaf = server
        .dhlrs(
            &world,
            &["export", "//main/bytes", "--format", "xml", "--typed"],
        )
        .ok();
    assert!(
        leaf.contains("<GenRoBag _T=\"RAW\">AAEC/w==</GenRoBag>"),
        "{leaf}"
    );
}

#[test]
fn xml_of_others_is_imported_by_the_ending_of_its_name() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let xml =
        "<stock site=\"7\"><part sku=\"A-1\"><name>Nut</name></part><part sku=\"B 2\"/></stock>";
    let file = world.file("stock.xml", xml);
    let import = ["import", "//main/stock", text(&file), "--key", "sku"];
    assert_eq!(
        server.dhlrs(&world, &import).ok(),
        "3 nodes imported, revision 2\n"
    );
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/stock.A-1.name"]).ok(),
        "Nut\n"
    );
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/stock?site"]).ok(),
        "7\n"
    );

    let bomb = world.file("bomb.xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>");
    let done = server.dhlrs(&world, &["import", "//main", text(&bomb)]);
    assert!(done.fails(2).contains("document type"), "{done:?}");
}

#[test]
fn csv_is_rows_of_text() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let file = world.file(
        "stock.csv",
        "sku,name,count\nA-1,\"Nut, small\",007\nB 2,Bolt,\n",
    );
    assert_eq!(
        server
            .dhlrs(
                &world,
                &["import", "//main/stock", text(&file), "--key", "sku"]
            )
            .ok(),
        "8 nodes imported, revision 1\n"
    );
    assert_eq!(
        server
            .dhlrs(&world, &["get", "//main/stock.A-1.count"])
            .ok(),
        "007\n"
    );
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/stock.B 2.name"]).ok(),
        "Bolt\n"
    );
}

#[test]
fn what_cannot_be_merged_is_skipped_and_told() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    server.dhlrs(&world, &["set", "//main/a", "a scalar"]).ok();
    let large = "x".repeat(300_000);
    let file = world.file(
        "mixed.json",
        format!("{{\"a\":{{\"b\":1}},\"c\":2,\"large\":\"{large}\",\"d\":{{\"e\":3}}}}"),
    );
    let done = server.dhlrs(&world, &["import", "//main", text(&file)]);
    assert!(done.fails(1).contains("3 nodes were skipped"), "{done:?}");
    assert!(done.err.contains("large:"), "{done:?}");
    assert_eq!(done.out, "3 nodes imported, revision 2\n");
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/a"]).ok(),
        "a scalar\n"
    );
    assert_eq!(server.dhlrs(&world, &["get", "//main/d.e"]).ok(), "3\n");
    let done = server.dhlrs(&world, &["import", "//main", text(&file), "--json"]);
    let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&told["nodes"], &told["skipped"]), (&3.into(), &3.into()));
    assert_eq!(told["first_skipped"].as_array().unwrap().len(), 2);
}

#[test]
fn an_import_of_which_nothing_could_be_sent_says_so() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let large = "x".repeat(300_000);
    let file = world.file("large.json", format!("{{\"v\":\"{large}\"}}"));
    let done = server.dhlrs(&world, &["import", "//main/at", text(&file)]);
    assert!(done.fails(1).contains("1 node was skipped"), "{done:?}");
    assert_eq!(done.out, "0 nodes imported\n");
    let done = server.dhlrs(&world, &["import", "//main/at", text(&file), "--json"]);
    let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&told["nodes"], &told["skipped"]), (&0.into(), &1.into()));
    assert!(told.get("revision").is_none(), "{told}");
}
