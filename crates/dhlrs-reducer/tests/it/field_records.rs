//! Events of other kinds come to the same records on every replica, whatever came late or was taken back.

use std::collections::BTreeMap;

use dhlrs_bag::{List, Text, Value};
use dhlrs_feed::Payload;
use dhlrs_reducer::{FieldRecord, FieldRecords, KindReducer, Logged, TotalOrder, Verdict};

use crate::history::author;
use crate::scene::Scene;

type Records = BTreeMap<Text, FieldRecord>;

fn emit(scene: &mut Scene, by: usize, kind: &str, json: &str) {
    scene.now_ms += 1;
    let payload = Payload::Other {
        kind: kind.into(),
        bytes: json.as_bytes().to_vec(),
    };
    let now_ms = scene.now_ms;
    scene.replicas[by].write(vec![payload], None, now_ms);
}

fn set(scene: &mut Scene, by: usize, value: &str) {
    let json = format!(r#"{{"record_id":"r1","field":"wall","value":{value}}}"#);
    emit(scene, by, "field.set", &json);
}

/// What it comes to if all is sorted and applied at once.
fn fold(scene: &Scene, at: usize) -> Records {
    let reducer = &scene.replicas[at].reducer;
    let mut all = BTreeMap::new();
    for feed in reducer.frontier().keys() {
        for stored in reducer.events_of(feed, 0) {
            if let (Verdict::Counts, Payload::Other { kind, bytes }) =
                (stored.verdict, &stored.event.payload)
            {
                all.insert(Logged::of(stored.event), (kind.clone(), bytes.clone()));
            }
        }
    }
    let mut records = Records::new();
    for (at, (kind, bytes)) in all {
        if FieldRecords.takes(&kind) {
            FieldRecords.apply(&mut records, &at, &kind, &bytes);
        }
    }
    records
}

#[test]
fn a_record_is_what_was_said_of_it() {
    let mut scene = Scene::without_root(1);
    emit(
        &mut scene,
        0,
        "record.create",
        r#"{"record_id":"r1","form":"damage"}"#,
    );
    set(&mut scene, 0, "\"cracked\"");
    set(&mut scene, 0, "[1,\"two\",null]");
    for text in ["first", "second"] {
        emit(
            &mut scene,
            0,
            "note.add",
            &format!(r#"{{"record_id":"r1","text":"{text}"}}"#),
        );
    }
    let photo = r#"{"record_id":"r1","field":"wall","blob_hash":"ab","size":7,"mime":"image/png"}"#;
    emit(&mut scene, 0, "attachment.add", photo);
    emit(&mut scene, 0, "attachment.add", photo);
    let mut order = TotalOrder::new(FieldRecords);
    let records = order.state(&scene.replicas[0].reducer);
    let record = &records["r1"];
    assert_eq!(&*record.form, "damage");
    assert_eq!(record.created_by, Some(author(0)));
    let list = List::new(vec![1.into(), "two".into(), Value::Null]).unwrap();
    assert_eq!(record.fields["wall"], Value::List(list));
    assert_eq!(record.notes, ["first", "second"]);
    assert_eq!(record.attachments.len(), 1);
    assert_eq!(record.attachments.first().unwrap().size, 7);
}

#[test]
fn a_bad_payload_harms_no_record() {
    let mut scene = Scene::without_root(1);
    set(&mut scene, 0, "1");
    for (kind, json) in [
        ("field.set", ""),
        ("field.set", "[]"),
        ("field.set", "{"),
        ("field.set", r#"{"record_id":"r1","field":"wall"}"#),
        (
            "field.set",
            r#"{"record_id":"r1","field":"wall","value":{"a":1}}"#,
        ),
        (
            "field.set",
            r#"{"record_id":"r1","field":"wall","value":[[1]]}"#,
        ),
        (
            "field.set",
            r#"{"record_id":"r1","field":"wall","value":2} 3"#,
        ),
        ("field.set", r#"{"record_id":7,"field":"wall","value":2}"#),
        ("note.add", r#"{"record_id":"r2","text":5}"#),
        (
            "attachment.add",
            r#"{"record_id":"r2","field":"a","blob_hash":"b","size":-1}"#,
        ),
        ("record.open", r#"{"record_id":"r2","form":"x"}"#),
    ] {
        emit(&mut scene, 0, kind, json);
    }
    let mut order = TotalOrder::new(FieldRecords);
    let records = order.state(&scene.replicas[0].reducer);
    assert_eq!(records.len(), 1);
    assert_eq!(records["r1"].fields["wall"], 1.into());
}

#[test]
fn late_events_take_their_places_on_every_replica() {
    let mut scene = Scene::without_root(3);
    let mut orders: Vec<_> = (0..3).map(|_| TotalOrder::new(FieldRecords)).collect();
    // More than some checkpoints, and each replica behind the others most of the time.
    for n in 0..1_500 {
        let by = n % 3;
        set(&mut scene, by, &n.to_string());
        let note = format!(r#"{{"record_id":"r{}","text":"n{n}"}}"#, n % 5);
        emit(&mut scene, by, "note.add", &note);
        if n % 100 == 99 {
            scene.tell(by, (by + 1) % 3);
        }
        if n % 10 == 0 {
            for (at, order) in orders.iter_mut().enumerate() {
                let state = order.state(&scene.replicas[at].reducer).clone();
                if n % 300 == 0 {
                    assert_eq!(state, fold(&scene, at), "replica {at} after {n}");
                }
            }
        }
    }
    scene.tell_all();
    let expected = fold(&scene, 0);
    assert_eq!(expected["r0"].notes.len(), 300);
    assert_eq!(expected["r1"].fields["wall"], 1_499.into());
    for (at, order) in orders.iter_mut().enumerate() {
        assert_eq!(
            order.state(&scene.replicas[at].reducer),
            &expected,
            "replica {at}"
        );
    }
}

#[test]
fn what_is_voided_counts_no_more() {
    let mut scene = Scene::without_root(2);
    let mut order = TotalOrder::new(FieldRecords);
    set(&mut scene, 0, "1");
    set(&mut scene, 1, "2");
    scene.tell_all();
    let now_ms = scene.now_ms;
    let reducer = &mut scene.replicas[0].reducer;
    assert_eq!(order.state(reducer)["r1"].fields["wall"], 2.into());
    let other = reducer
        .frontier()
        .into_keys()
        .find(|feed| feed.author == author(1));
    reducer.close(other.unwrap(), 0, now_ms);
    assert_eq!(order.state(reducer)["r1"].fields["wall"], 1.into());
    let own = reducer
        .frontier()
        .into_keys()
        .find(|feed| feed.author == author(0));
    reducer.retract(&own.unwrap(), 0, now_ms);
    assert_eq!(order.state(reducer), &Records::new());
}

#[test]
fn what_a_mark_has_settled_still_counts() {
    let mut scene = Scene::with_root(&[&[], &[]], |reducer| reducer);
    let mut order = TotalOrder::new(FieldRecords);
    emit(
        &mut scene,
        0,
        "note.add",
        r#"{"record_id":"r1","text":"settled"}"#,
    );
    emit(
        &mut scene,
        1,
        "note.add",
        r#"{"record_id":"r1","text":"settled too"}"#,
    );
    scene.tell_all();
    order.state(&scene.replicas[0].reducer);
    scene.mark();
    scene.tell_all();
    let feeds = scene.replicas[0].reducer.frontier();
    let stored = |feed| scene.replicas[0].reducer.events_of(feed, 0).count();
    assert_eq!(
        feeds.keys().map(stored).sum::<usize>(),
        0,
        "they are settled"
    );
    emit(
        &mut scene,
        1,
        "note.add",
        r#"{"record_id":"r1","text":"void"}"#,
    );
    order.state(&scene.replicas[0].reducer);
    scene.close(1, 2, None);
    scene.tell_all();
    emit(
        &mut scene,
        0,
        "note.add",
        r#"{"record_id":"r1","text":"after"}"#,
    );
    let record = &order.state(&scene.replicas[0].reducer)["r1"];
    assert_eq!(record.notes, ["settled", "settled too", "after"]);
}
