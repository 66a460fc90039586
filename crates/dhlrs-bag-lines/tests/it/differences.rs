//! Our answers where an F row of the specification, or a sentence of it, decides otherwise than
//! genro-bag. What is masked in the comparison is here.

use crate::session::{answers, last};

#[test]
fn a_scalar_on_the_way_is_not_destroyed_unless_asked() {
    let set = r#"{"op":"set","path":"a","value":1}"#;
    answers(
        &[set, r#"{"op":"set","path":"a.b","value":2}"#],
        r#"{"id":null,"err":"through-scalar"}"#,
    );
    answers(
        &[set, r#"{"op":"setattr","path":"a.b","attrs":{"x":2}}"#],
        r#"{"id":null,"err":"through-scalar"}"#,
    );
    answers(
        &[
            set,
            r#"{"op":"set","path":"a.b","value":2,"overwrite":true}"#,
            r#"{"op":"dump"}"#,
        ],
        r#"{"id":null,"ok":{"$bag":[["a",{"$bag":[["b",2,{}]]},{}]]}}"#,
    );
}

#[test]
fn a_refusal_leaves_no_branches_behind() {
    for (path, extra, class) in [
        ("x.y", r#","pos":"<nobody""#, "bad-position"),
        ("x.y", r#","pos":"@""#, "bad-position"),
        ("x.#0", "", "index-create"),
        ("x.#0.y", "", "index-missing"),
        ("x.y?a&b", "", "attr-arity"),
    ] {
        let set = format!(r#"{{"op":"set","path":"{path}","value":1{extra}}}"#);
        answers(&[&set], &format!(r#"{{"id":null,"err":"{class}"}}"#));
        answers(
            &[&set, r#"{"op":"dump"}"#],
            r#"{"id":null,"ok":{"$bag":[]}}"#,
        );
    }
}

#[test]
fn a_node_is_taken_away_by_any_step() {
    let new = r#"{"op":"update","value":{"$bag":[["a",1],["b",2,{"x":"t"}],["c",3]]}}"#;
    answers(
        &[new, r##"{"op":"pop","path":"#0"}"##],
        r#"{"id":null,"ok":1}"#,
    );
    answers(
        &[new, r##"{"op":"pop","path":"#x=t"}"##],
        r#"{"id":null,"ok":2}"#,
    );
    answers(
        &[new, r##"{"op":"pop","path":"#-1"}"##],
        r#"{"id":null,"ok":3}"#,
    );
    answers(
        &[
            new,
            r##"{"op":"pop","path":"#=3","default":7}"##,
            r#"{"op":"keys"}"#,
        ],
        r#"{"id":null,"ok":["a","b"]}"#,
    );
    answers(
        &[new, r##"{"op":"pop","path":"#9","default":7}"##],
        r#"{"id":null,"ok":7}"#,
    );
}

#[test]
fn a_move_to_the_end_moves() {
    let new = r#"{"op":"update","value":{"$bag":[["a",1],["b",2],["c",3]]}}"#;
    let sub = r#"{"op":"sub","name":"s"}"#;
    answers(
        &[new, sub, r#"{"op":"move","what":0,"to":3}"#],
        r#"{"id":null,"ok":null,"ev":[{"s":"s","evt":"del","node":"a","path":[],"ind":0},{"s":"s","evt":"ins","node":"a","path":[],"ind":2}]}"#,
    );
    answers(
        &[new, r#"{"op":"move","what":0,"to":9}"#, r#"{"op":"keys"}"#],
        r#"{"id":null,"ok":["b","c","a"]}"#,
    );
}

#[test]
fn a_move_that_moves_nothing_tells_nothing() {
    let new = r#"{"op":"update","value":{"$bag":[["a",1]]}}"#;
    let sub = r#"{"op":"sub","name":"s"}"#;
    answers(
        &[new, sub, r#"{"op":"move","what":[0,1],"to":1}"#],
        r#"{"id":null,"ok":null}"#,
    );
}

#[test]
fn a_decimal_is_read_as_python_reads_it() {
    for (text, number) in [
        (".5", "0.5"),
        ("-5.", "-5"),
        ("1e2", "100"),
        ("1.5E-3", "0.0015"),
    ] {
        answers(
            &[
                &format!(r#"{{"op":"set","path":"a","value":{{"$dec":"{text}"}}}}"#),
                r#"{"op":"get","path":"a"}"#,
            ],
            &format!(r#"{{"id":null,"ok":{{"$dec":"{number}"}}}}"#),
        );
    }
    for text in ["", ".", "e5", "1e99", "1e-99", "1.-5", "--1", "x"] {
        answers(
            &[&format!(
                r#"{{"op":"set","path":"a","value":{{"$dec":"{text}"}}}}"#
            )],
            r#"{"id":null,"err":"value"}"#,
        );
    }
}

#[test]
fn any_attribute_is_there_or_none() {
    let set = r#"{"op":"set","path":"a","value":1}"#;
    let has = r#"{"op":"has","path":"a?"}"#;
    answers(&[set, has], r#"{"id":null,"ok":false}"#);
    let attribute = r#"{"op":"set","path":"a?x","value":1}"#;
    answers(&[set, attribute, has], r#"{"id":null,"ok":true}"#);
}

#[test]
fn a_sort_by_what_is_no_path_leaves_the_order() {
    let new =
        r#"{"op":"update","value":{"$bag":[["b",{"$bag":[["x",1]]}],["a",{"$bag":[["x",1]]}]]}}"#;
    for key in ["#a", "#n"] {
        let sort = format!(r#"{{"op":"sort","key":"{key}"}}"#);
        answers(&[new, &sort], r#"{"id":null,"ok":null}"#);
        answers(
            &[new, &sort, r#"{"op":"keys"}"#],
            r#"{"id":null,"ok":["b","a"]}"#,
        );
    }
}

#[test]
fn a_sort_and_a_clear_of_the_root_are_told_once() {
    let new = r#"{"op":"update","value":{"$bag":[["b",{"$bag":[["d",1],["c",2]]}],["a",1]]}}"#;
    let sub = r#"{"op":"sub","name":"s"}"#;
    answers(
        &[new, sub, r#"{"op":"sort"}"#],
        r#"{"id":null,"ok":null,"ev":[{"s":"s","evt":"sort","node":"","path":[]}]}"#,
    );
    answers(
        &[new, sub, r#"{"op":"sort","path":"b"}"#],
        r#"{"id":null,"ok":null,"ev":[{"s":"s","evt":"sort","node":"b","path":["b"]}]}"#,
    );
    answers(
        &[new, sub, r#"{"op":"sort"}"#, r#"{"op":"sort"}"#],
        r#"{"id":null,"ok":null}"#,
    );
    let cleared = last(&[new, sub, r#"{"op":"clear"}"#]);
    assert_eq!(cleared["ev"][0]["evt"], "upd_value");
    assert_eq!(cleared["ev"][0]["path"], serde_json::json!([]));
    assert_eq!(cleared["ev"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_bag_is_told_that_it_was_sorted() {
    let set = r#"{"op":"update","value":{"$bag":[["b",{"$bag":[["d",1],["c",2]]}]]}}"#;
    answers(
        &[
            set,
            r#"{"op":"sub","name":"inside","path":"b"}"#,
            r#"{"op":"sub","name":"above"}"#,
            r#"{"op":"sort","path":"b"}"#,
        ],
        r#"{"id":null,"ok":null,"ev":[{"s":"inside","evt":"sort","node":"b","path":[]},{"s":"above","evt":"sort","node":"b","path":["b"]}]}"#,
    );
}

#[test]
fn a_transaction_holds_sorts_and_clears_in_their_order() {
    let lines = [
        r#"{"op":"update","value":{"$bag":[["b",{"$bag":[["d",1],["c",2]]}],["a",1]]}}"#,
        r#"{"op":"sub","name":"s"}"#,
        r#"{"op":"tsub","name":"t"}"#,
        r#"{"op":"begin"}"#,
        r#"{"op":"sort"}"#,
        r#"{"op":"set","path":"z","value":3}"#,
        r#"{"op":"sort","path":"b"}"#,
        r#"{"op":"clear"}"#,
    ];
    for told_at_once in 4..lines.len() {
        answers(&lines[..=told_at_once], r#"{"id":null,"ok":null}"#);
    }
    answers(
        &[&lines[..], &[r#"{"op":"end"}"#]].concat(),
        r#"{"id":null,"ok":null,"ev":[{"s":"t","evt":"txn","muts":[["upd","",[],"sort"],["ins","z",[],2],["upd","b",["b"],"sort"],["upd","",[],"upd_value"]]}]}"#,
    );
    answers(
        &[&lines[..], &[r#"{"op":"end","abort":true}"#]].concat(),
        r#"{"id":null,"ok":null}"#,
    );
    let of_a_bag = [
        lines[0],
        r#"{"op":"tsub","name":"t","path":"b"}"#,
        r#"{"op":"begin","path":"b"}"#,
        r#"{"op":"sort","path":"b"}"#,
        r#"{"op":"end"}"#,
    ];
    answers(
        &of_a_bag,
        r#"{"id":null,"ok":null,"ev":[{"s":"t","evt":"txn","muts":[["upd","b",[],"sort"]]}]}"#,
    );
}

#[test]
fn a_merge_tells_of_attributes_alone() {
    let new = r#"{"op":"update","value":{"$bag":[["a",{"$bag":[]}]]}}"#;
    answers(
        &[
            new,
            r#"{"op":"sub","name":"s"}"#,
            r#"{"op":"update","value":{"$bag":[["a",{"$bag":[]},{"x":1}]]}}"#,
        ],
        r#"{"id":null,"ok":null,"ev":[{"s":"s","evt":"upd_attrs","node":"a","path":["a"],"old":{"$bag":[]},"diff":{"x":[null,1]}}]}"#,
    );
}

#[test]
fn the_type_is_part_of_a_value() {
    for (old, new) in [
        ("1", "true"),
        ("1", "1.0"),
        (r#"{"$dec":"1.5"}"#, r#"{"$dec":"1.50"}"#),
    ] {
        let reply = last(&[
            &format!(r#"{{"op":"set","path":"a","value":{old}}}"#),
            r#"{"op":"sub","name":"s"}"#,
            &format!(r#"{{"op":"set","path":"a","value":{new}}}"#),
        ]);
        assert_eq!(reply["ev"][0]["evt"], "upd_value", "{old} {new}");
    }
    let nan = r#"{"op":"set","path":"a","value":{"$f":"nan"}}"#;
    answers(
        &[nan, r#"{"op":"sub","name":"s"}"#, nan],
        r#"{"id":null,"ok":null}"#,
    );
}

#[test]
fn an_instant_has_one_spelling_whatever_is_written_elsewhere() {
    let set = r#"{"op":"set","path":"t","value":{"$dt":"2024-05-01T12:00:00+02:00"}}"#;
    let told = r#"{"id":null,"ok":{"$dt":"2024-05-01T10:00:00+00:00"}}"#;
    let get = r#"{"op":"get","path":"t"}"#;
    answers(&[set, get], told);
    for other in [
        r#"{"op":"set","path":"x.#9","value":{"$dt":"2024-05-01T10:00:00"}}"#,
        r#"{"op":"new","as":"h","value":[["t",{"$dt":"2024-05-01T07:00:00-03:00"}]]}"#,
    ] {
        answers(&[set, other, get], told);
    }
    let same = r#"{"op":"set","path":"t","value":{"$dt":"2024-05-01T10:00:00Z"}}"#;
    answers(
        &[set, r#"{"op":"sub","name":"s"}"#, same],
        r#"{"id":null,"ok":null}"#,
    );
}

#[test]
fn a_transaction_that_is_given_up_is_undone() {
    let lines = [
        r#"{"op":"set","path":"a.b","value":1}"#,
        r#"{"op":"tsub","name":"t"}"#,
        r#"{"op":"begin"}"#,
        r#"{"op":"set","path":"a.b","value":2}"#,
        r#"{"op":"del","path":"a"}"#,
    ];
    let end = r#"{"op":"end","abort":true}"#;
    answers(&[&lines[..], &[end]].concat(), r#"{"id":null,"ok":null}"#);
    answers(
        &[&lines[..], &[end, r#"{"op":"dump"}"#]].concat(),
        r#"{"id":null,"ok":{"$bag":[["a",{"$bag":[["b",1,{}]]},{}]]}}"#,
    );
    let inner = [
        r#"{"op":"set","path":"a.b","value":1}"#,
        r#"{"op":"begin","path":"a"}"#,
        r#"{"op":"set","path":"a.b","value":2}"#,
        r#"{"op":"set","path":"c","value":3}"#,
        end,
        r#"{"op":"dump"}"#,
    ];
    answers(
        &inner,
        r#"{"id":null,"ok":{"$bag":[["a",{"$bag":[["b",1,{}]]},{}],["c",3,{}]]}}"#,
    );
}

#[test]
fn a_transaction_holds_back_the_events_of_its_bag_alone() {
    answers(
        &[
            r#"{"op":"new","as":"other"}"#,
            r#"{"op":"sub","name":"s","bag":"other"}"#,
            r#"{"op":"begin"}"#,
            r#"{"op":"set","bag":"other","path":"a","value":1}"#,
        ],
        r#"{"id":null,"ok":null,"ev":[{"s":"s","evt":"ins","node":"a","path":[],"ind":0}]}"#,
    );
}

#[test]
fn a_reference_to_a_handle_puts_in_a_copy() {
    answers(
        &[
            r#"{"op":"new","as":"h","value":[["x",1]]}"#,
            r#"{"op":"set","path":"a","value":{"$ref":"h"}}"#,
            r#"{"op":"set","bag":"h","path":"x","value":2}"#,
            r#"{"op":"get","path":"a.x"}"#,
        ],
        r#"{"id":null,"ok":1}"#,
    );
    // So a bag may be put into itself.
    answers(
        &[
            r#"{"op":"set","path":"x","value":1}"#,
            r#"{"op":"set","path":"a","value":{"$ref":"0"}}"#,
            r#"{"op":"get","path":"a"}"#,
        ],
        r#"{"id":null,"ok":{"$bag":[["x",1,{}]]}}"#,
    );
}

#[test]
fn arguments_of_a_read_are_not_written_to_the_node() {
    let set = r#"{"op":"set","path":"r","value":{"$res":{"name":"r","kw":{"x":1}}}}"#;
    let get = r#"{"op":"get","path":"r","kw":{"x":5}}"#;
    answers(&[set, get], r#"{"id":null,"ok":"r:1:{\"x\": 5}"}"#);
    answers(
        &[set, get, r#"{"op":"attrs","path":"r"}"#],
        r#"{"id":null,"ok":{"$d":{}}}"#,
    );
    answers(
        &[set, get, r#"{"op":"get","path":"r"}"#],
        r#"{"id":null,"ok":"r:2:{\"x\": 1}"}"#,
    );
}

#[test]
fn what_changes_below_a_resolved_bag_is_told_to_the_root() {
    answers(
        &[
            r#"{"op":"sub","name":"s"}"#,
            r#"{"op":"set","path":"r","value":{"$res":{"name":"r","cache_time":-1,"bag":[["x",1]]}}}"#,
            r#"{"op":"get","path":"r.x"}"#,
            r#"{"op":"set","path":"r.x","value":2}"#,
        ],
        r#"{"id":null,"ok":null,"ev":[{"s":"s","evt":"upd_value","node":"x","path":["r","x"],"old":1}]}"#,
    );
}

#[test]
fn what_is_no_value_of_a_bag_is_of_a_wrong_type() {
    for value in [
        r#"{"$d":{}}"#,
        r#"{"$t":[]}"#,
        "[[]]",
        r#"{"$date":"2024-01-01"}"#,
        r#"{"$time":"10:00:00"}"#,
        r#"[{"$bag":[]}]"#,
    ] {
        answers(
            &[&format!(r#"{{"op":"set","path":"a","value":{value}}}"#)],
            r#"{"id":null,"err":"type"}"#,
        );
    }
}

#[test]
fn a_path_keeps_the_rules_of_paths() {
    for path in ["a..b", ".a", "a.", r"a\\x", "a/b", "a*"] {
        answers(
            &[&format!(r#"{{"op":"set","path":"{path}","value":1}}"#)],
            r#"{"id":null,"err":"value"}"#,
        );
    }
    answers(
        &[
            r#"{"op":"set","path":"a\\.b","value":1}"#,
            r#"{"op":"keys"}"#,
        ],
        r#"{"id":null,"ok":["a.b"]}"#,
    );
}

#[test]
fn a_path_that_is_printed_leads_back_to_its_node() {
    let bag = r##"{"op":"new","as":"0","value":[["a.b",1],["a",{"$bag":[["b",2],["c/d~e",3],["#0?x=&\\",4]]}]]}"##;
    let paths = [r"a\.b", "a", "a.b", r"a.c\/d\~e", r"a.\#0\?x\=\&\\"];
    let walked = last(&[bag, r#"{"op":"walk"}"#]);
    assert_eq!(walked["ok"], serde_json::json!(paths));
    let queried = last(&[bag, r##"{"op":"query","what":"#p","deep":true}"##]);
    assert_eq!(queried["ok"], serde_json::json!(paths));
    let leaves = last(&[bag, r#"{"op":"leaves"}"#]);
    assert_eq!(leaves["ok"][0], serde_json::json!([paths[0], 1]));
    let digest = last(&[bag, r##"{"op":"digest","what":"#p"}"##]);
    assert_eq!(digest["ok"], serde_json::json!([paths[0], paths[1]]));
    for path in paths {
        let request = serde_json::json!({"op": "fullpath", "path": path}).to_string();
        let full = last(&[bag, r#"{"op":"backref"}"#, &request]);
        assert_eq!(full["ok"], path);
    }
}

#[test]
fn the_parent_of_a_leaf_is_the_bag_around_it() {
    answers(
        &[
            r#"{"op":"backref"}"#,
            r#"{"op":"set","path":"a.b","value":1}"#,
            r##"{"op":"fullpath","path":"a.b.#parent"}"##,
        ],
        r#"{"id":null,"ok":"a"}"#,
    );
}

#[test]
fn a_limit_of_nothing_gives_nothing() {
    answers(
        &[
            r#"{"op":"set","path":"a","value":1}"#,
            r##"{"op":"query","what":"#k","limit":0}"##,
        ],
        r#"{"id":null,"ok":[]}"#,
    );
}
