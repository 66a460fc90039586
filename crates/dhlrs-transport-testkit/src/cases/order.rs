//! The order of frames.

use std::sync::Arc;

use dhlrs_transport::Channel;
use tokio::task::JoinSet;

use crate::Pair;
use crate::frames::{next_number, numbered};
use crate::run::{is_lossless, messages};

const SOURCES: u64 = 4;

pub async fn order_is_kept_on_four_channels(pair: Pair) {
    let site = pair.listen().await;
    let each = messages() / 40;
    let mut work = JoinSet::new();
    for _ in 0..SOURCES {
        let (near, far) = site.connect().await;
        if !is_lossless("order_is_kept_on_four_channels", &*near) {
            return;
        }
        work.spawn(async move {
            for number in 0..each {
                let _receipt = near.send(numbered(number, 100)).await.unwrap();
            }
            near
        });
        work.spawn(async move {
            for number in 0..each {
                assert_eq!(next_number(&*far).await, number);
            }
            far
        });
    }
    work.join_all().await;
}

pub async fn order_is_kept_for_each_of_four_tasks(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("order_is_kept_for_each_of_four_tasks", &*near) {
        return;
    }
    let near: Arc<dyn Channel> = Arc::from(near);
    let each = messages() / 40;
    let mut sources = JoinSet::new();
    for source in 0..SOURCES {
        let near = Arc::clone(&near);
        sources.spawn(async move {
            for number in 0..each {
                let _receipt = near
                    .send(numbered(number * SOURCES + source, 16))
                    .await
                    .unwrap();
            }
        });
    }
    let mut due = [0; SOURCES as usize];
    for _ in 0..each * SOURCES {
        let number = next_number(&*far).await;
        let due = &mut due[usize::try_from(number % SOURCES).unwrap()];
        assert_eq!(number / SOURCES, *due);
        *due += 1;
    }
    sources.join_all().await;
}

/// More than any buffer on the way holds, so that two ends that only send would block each other.
pub async fn both_directions_flow_at_once(pair: Pair) {
    const FRAMES: u64 = 512;
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("both_directions_flow_at_once", &*near) {
        return;
    }
    let send = |channel: &Arc<dyn Channel>| {
        let channel = Arc::clone(channel);
        async move {
            for number in 0..FRAMES {
                let _receipt = channel.send(numbered(number, 32 << 10)).await.unwrap();
            }
        }
    };
    let receive = |channel: &Arc<dyn Channel>| {
        let channel = Arc::clone(channel);
        async move {
            for number in 0..FRAMES {
                assert_eq!(next_number(&*channel).await, number);
            }
        }
    };
    let (near, far) = (Arc::from(near), Arc::from(far));
    let mut work = JoinSet::new();
    work.spawn(send(&near));
    work.spawn(send(&far));
    work.spawn(receive(&near));
    work.spawn(receive(&far));
    work.join_all().await;
}
