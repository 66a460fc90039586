//! What a frame may be.

use bytes::Bytes;
use dhlrs_transport::TransportErrorKind;

use crate::Pair;
use crate::frames::{next, noise};

pub async fn frames_arrive_as_they_were_sent(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    let limit = near.capability().frame_bytes_max;
    let mut sizes = vec![
        0,
        1,
        2,
        125,
        126,
        127,
        65_535,
        65_536,
        limit - 1,
        limit,
        0,
        limit,
    ];
    sizes.retain(|size| *size <= limit);
    for (seed, size) in (0..).zip(sizes) {
        let frame = Bytes::from(noise(seed, size));
        let receipt = near.send(frame.clone()).await.unwrap();
        assert!(next(&*far).await == frame, "{size} bytes there");
        receipt.await.unwrap();

        let receipt = far.send(frame.clone()).await.unwrap();
        assert!(next(&*near).await == frame, "{size} bytes back");
        receipt.await.unwrap();
    }
}

pub async fn a_frame_over_the_limit_is_refused_alone(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    for (from, to) in [(&near, &far), (&far, &near)] {
        let limit = from.capability().frame_bytes_max;
        let err = from
            .send(Bytes::from(vec![0; limit + 1]))
            .await
            .unwrap_err();
        assert_eq!(err.kind(), TransportErrorKind::FrameTooLarge);
        let (size, limit) = ((limit + 1).to_string(), limit.to_string());
        let message = err.to_string();
        assert!(
            message.contains(&size) && message.contains(&limit),
            "{message}"
        );

        let _receipt = from.send(Bytes::from_static(b"fits")).await.unwrap();
        assert_eq!(next(&**to).await, "fits");
    }
}
