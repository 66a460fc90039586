//! What the machine does without us: an append with a sync, and an echo over a WebSocket.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use crate::meter::{Meter, Run};

/// Appends records to a file and syncs each.
pub(crate) struct Append {
    file: File,
    record: Vec<u8>,
}

impl Append {
    pub(crate) fn new(path: &Path, record_bytes: usize) -> Self {
        Self {
            file: File::create_new(path).unwrap(),
            record: vec![0x5a; record_bytes],
        }
    }

    pub(crate) fn run(&self, time: Duration) -> Run {
        let began = Instant::now();
        let mut meter = Meter::new(began + time);
        loop {
            (&self.file).write_all(&self.record).unwrap();
            self.file.sync_data().unwrap();
            if !meter.done() {
                break;
            }
        }
        Run {
            took: began.elapsed(),
            latencies: meter.latencies(),
            syncs: None,
        }
    }
}

/// One socket that sends messages of one size and gets messages of another size back.
pub(crate) struct Echo {
    socket: WebSocketStream<TcpStream>,
    request: Vec<u8>,
    _server: Server,
}

impl Echo {
    pub(crate) async fn start(request_bytes: usize, reply_bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let mut socket = accept_async(tcp).await.unwrap();
            while let Some(Ok(Message::Binary(_))) = socket.next().await {
                let reply = Message::binary(vec![0x5a; reply_bytes]);
                socket.send(reply).await.unwrap();
            }
        });
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let url = format!("ws://{address}");
        let (socket, _) = client_async(url, tcp).await.unwrap();
        Self {
            socket,
            request: vec![0xa5; request_bytes],
            _server: Server(server),
        }
    }

    pub(crate) async fn run(&mut self, time: Duration) -> Run {
        let began = Instant::now();
        let mut meter = Meter::new(began + time);
        loop {
            let request = Message::binary(self.request.clone());
            self.socket.send(request).await.unwrap();
            self.socket.next().await.unwrap().unwrap();
            if !meter.done() {
                break;
            }
        }
        Run {
            took: began.elapsed(),
            latencies: meter.latencies(),
            syncs: None,
        }
    }
}

struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}
