//! Whom to believe.

use dhlrs_transport::TransportErrorKind;

use crate::frames::{next_number, numbered};
use crate::tls::Flaw;
use crate::{Pair, TlsMaterial};

type MakePair = fn(&TlsMaterial) -> Pair;

pub async fn a_trusted_certificate_encrypts(pair: MakePair) {
    let (_site, (near, far)) = pair(&TlsMaterial::new()).connected().await;
    assert!(near.capability().encrypted && far.capability().encrypted);
    let _receipt = near.send(numbered(1, 100)).await.unwrap();
    assert_eq!(next_number(&*far).await, 1);
}

pub async fn a_certificate_of_an_unknown_ca_is_denied(pair: MakePair) {
    denies(pair, Flaw::UnknownCa, "not trusted").await;
}

pub async fn an_expired_certificate_is_denied(pair: MakePair) {
    denies(pair, Flaw::Expired, "expired").await;
}

pub async fn a_certificate_of_the_future_is_denied(pair: MakePair) {
    denies(pair, Flaw::NotYetValid, "not valid yet").await;
}

pub async fn a_certificate_for_another_name_is_denied(pair: MakePair) {
    denies(pair, Flaw::OtherName, "is not for").await;
}

async fn denies(pair: MakePair, flaw: Flaw, message_has: &str) {
    let site = pair(&TlsMaterial::with(flaw)).listen().await;
    for _ in 0..2 {
        let connect = site.pair.near.connect(site.listener.url());
        let (near, far) = tokio::join!(connect, site.listener.accept());
        let err = near.err().expect("the client refuses");
        assert_eq!(err.kind(), TransportErrorKind::Denied, "{err}");
        assert!(!err.kind().is_transient());
        assert!(err.to_string().contains(message_has), "{err}");
        assert!(far.is_err(), "the server took a client that refused it");
    }
}
