//! What only a replicated store does is refused by an owned one, and the refusal says how to get it.

use dhlrs_wire::{
    DraftsRequest, HistoryRequest, Intent, OtherEvent, Read, RefusalKind, Request, Selection, View,
};

use crate::bench::{Bench, counted, intent, local, path, remote, set};

#[test]
fn requests_about_feeds_are_unsupported() {
    let mut bench = Bench::logged();
    let history = HistoryRequest {
        path: path("a"),
        before: None,
        limit: 1,
    };
    let past = Read {
        selection: Selection::Path(path("a")),
        depth: 0,
        view: View::Stored,
        arguments: dhlrs_bag::Attributes::new(),
        at: Some(dhlrs_clock::Stamp::ZERO),
    };
    for request in [
        Request::Feeds { after: None },
        Request::Drafts(DraftsRequest::Drop),
        Request::History(Box::new(history)),
        Request::Read(Box::new(past)),
    ] {
        let refused = bench.ask(local(), request).unwrap_err();
        assert_eq!(refused.kind(), RefusalKind::Unsupported);
        let message = refused.message();
        assert!(message.contains("--store NAME=replicated"), "{message}");
    }
}

#[test]
fn an_event_of_another_kind_is_refused_and_uses_its_counter() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let emitted = vec![OtherEvent::new("till.count", vec![1]).unwrap()];
    let intent = Intent {
        emitted,
        ..intent(session, 1, vec![set("a", 1)])
    };
    let refused = bench
        .ask(remote(), Request::Write(Box::new(intent)))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Invalid);
    assert!(refused.message().contains("--store NAME=replicated"));
    assert_eq!(bench.shown("a"), None);
    let next = counted(session, 2, vec![set("a", 2)]);
    assert!(bench.ask(remote(), next).is_ok());
}
