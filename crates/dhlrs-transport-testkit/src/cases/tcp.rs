//! Strangers at a TCP port.

use std::net::IpAddr;

use dhlrs_transport::TransportUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Pair;
use crate::frames::{next_number, noise, numbered};
use crate::pair::Site;

async fn stranger(url: &TransportUrl) -> TcpStream {
    let address: IpAddr = url
        .host()
        .parse()
        .expect("the pair listens at an IP address");
    let port = url.port().expect("the listener says its port");
    TcpStream::connect((address, port)).await.unwrap()
}

async fn still_works(site: &Site, number: u64) {
    let (near, far) = site.connect().await;
    let _receipt = near.send(numbered(number, 100)).await.unwrap();
    assert_eq!(next_number(&*far).await, number);
}

pub async fn garbage_on_the_socket_is_survived(pair: Pair) {
    let site = pair.listen().await;
    let mut garbage: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\0".to_vec(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost".to_vec(),
        b"POST / HTTP/1.1\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        [
            b"GET / HTTP/1.1\r\n".as_slice(),
            &b"X: y\r\n".repeat(20_000),
        ]
        .concat(),
        [b"GET /".as_slice(), &[b'a'; 200_000]].concat(),
    ];
    garbage.extend((0..24).map(|seed| noise(seed, 1 << (seed % 18))));
    for (number, garbage) in (0..).zip(garbage) {
        let mut socket = stranger(site.listener.url()).await;
        let (mut reader, mut writer) = socket.split();
        let talk = async {
            // The other side may hang up at any byte.
            let _ = writer.write_all(&garbage).await;
            let _ = writer.shutdown().await;
        };
        let listen = async {
            let mut answer = Vec::new();
            let _ = reader.read_to_end(&mut answer).await;
        };
        let (attempt, (), ()) = tokio::join!(site.listener.accept(), talk, listen);
        assert!(attempt.is_err(), "garbage {number} was taken for a peer");
        if number % 8 == 0 {
            still_works(&site, number).await;
        }
    }
    still_works(&site, 0).await;
}

pub async fn who_connects_and_says_nothing_is_no_obstacle(pair: Pair) {
    let site = pair.listen().await;
    let mut silent = Vec::new();
    for number in 0..20 {
        silent.push(stranger(site.listener.url()).await);
        still_works(&site, number).await;
    }
}

pub async fn any_port_means_a_free_one(pair: Pair) {
    let any = pair.url.clone().with_port(0);
    let pair = Pair { url: any, ..pair };
    let (one, other) = (pair.clone().listen().await, pair.listen().await);
    let (one_port, other_port) = (one.listener.url().port(), other.listener.url().port());
    assert!(one_port > Some(0) && other_port > Some(0) && one_port != other_port);
    assert!(one.listener.is_local());
    still_works(&one, 1).await;
    still_works(&other, 2).await;
}
