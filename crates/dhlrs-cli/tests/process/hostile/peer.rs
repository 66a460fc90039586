//! One end of a link, driven by hand, so that any frame can be spoiled on its way out.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dhlrs_clock::Time;
use dhlrs_identity::{
    Domain, Ed25519Signer, PublicKey, SecretKey, Signature, Verifier, VerifyError,
};
use dhlrs_link::{Capability, Config, Ending, LinkId, LinkInput, LinkOutput, Links, Peer, Side};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

const LINK: LinkId = LinkId::new(1);
/// No answer may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who attacks: a name and a key of its own.
pub(crate) struct Attacker {
    name: String,
    signer: Arc<Ed25519Signer>,
    victim: SocketAddr,
    connections: AtomicU64,
}

/// An open WebSocket with a link on it.
pub(crate) struct Attempt {
    socket: WebSocket<TcpStream>,
    links: Links,
    /// What the link says first, until it is said.
    greeting: Vec<LinkOutput>,
    peer: Option<Arc<Peer>>,
    ending: Option<Ending>,
}

/// Whoever answers is believed: it is the other side that is tested.
struct Gullible;

impl Verifier for Gullible {
    fn verify(
        &self,
        _: &PublicKey,
        _: &Domain,
        _: &[u8],
        _: &Signature,
    ) -> Result<(), VerifyError> {
        Ok(())
    }
}

impl Attacker {
    pub(crate) fn new(number: usize, victim: SocketAddr) -> Self {
        let seed = [number as u8 + 1; 32];
        Self {
            name: format!("attacker-{number}/main"),
            signer: Arc::new(Ed25519Signer::new(SecretKey::from_bytes(seed))),
            victim,
            connections: AtomicU64::new(0),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.victim).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.set_write_timeout(Some(PATIENCE)).unwrap();
        tcp
    }

    /// Opens a WebSocket and says nothing.
    pub(crate) fn knock(&self) -> Attempt {
        let url = format!("ws://{}", self.victim);
        let (socket, _) = client(url, self.tcp()).unwrap();
        // Nonces must differ between connections of one key; there is nothing to guess here.
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&number.to_le_bytes());
        let config = Config::new(self.name.parse().unwrap());
        let mut links = Links::new(config, self.signer.clone(), Arc::new(Gullible), entropy);
        let opened = LinkInput::Opened {
            link: LINK,
            capability: Capability {
                frame_bytes_max: 1 << 20,
                ordered: true,
                reliable: true,
                acknowledged: false,
                replay: false,
                encrypted: false,
                point_to_point: true,
            },
            side: Side::connected(),
        };
        let mut greeting = Vec::new();
        links.handle(now(), opened, &mut greeting);
        Attempt {
            socket,
            links,
            greeting,
            peer: None,
            ending: None,
        }
    }

    /// Greets as the protocol says, until both sides are up or one has ended it; `spoil` may change
    /// what is sent.
    pub(crate) fn greet(&self, spoil: impl Fn(Bytes) -> Bytes) -> Attempt {
        let mut attempt = self.knock();
        let greeting = std::mem::take(&mut attempt.greeting);
        attempt.carry_out(greeting, &spoil);
        while attempt.peer.is_none() && attempt.ending.is_none() {
            attempt.hear(&spoil);
        }
        attempt
    }
}

impl Attempt {
    /// Sends a message in the frame that the link makes of it, or what `spoil` makes of that.
    pub(crate) fn send(&mut self, message: Vec<u8>, spoil: impl Fn(Bytes) -> Bytes) {
        let peer = self.peer.clone().expect("the greeting was taken");
        let mut outputs = Vec::new();
        self.links
            .send(now(), &peer, message.into(), &mut outputs)
            .unwrap();
        self.carry_out(outputs, &spoil);
    }

    /// Sends bytes as a frame, past the link.
    pub(crate) fn send_frame(&mut self, frame: Vec<u8>) {
        self.socket.send(Message::binary(frame)).unwrap();
    }

    /// The socket below the WebSocket, to send what no WebSocket is.
    pub(crate) fn raw(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }

    /// Why the other side ended the link, in its own words.
    pub(crate) fn ending(mut self) -> Ending {
        while self.ending.is_none() {
            self.hear(&|frame| frame);
        }
        let ending = self.ending.take().unwrap();
        self.hang_up();
        ending
    }

    /// Why the other side closed the WebSocket.
    pub(crate) fn closed(mut self) -> CloseFrame {
        loop {
            match self.socket.read() {
                Ok(Message::Close(reason)) => {
                    self.hang_up();
                    return reason.expect("a close has a reason");
                }
                Ok(_) => {}
                Err(error) => panic!("no close arrived: {error}"),
            }
        }
    }

    /// Reads to the end, so that nothing is reset and ports are soon free again.
    fn hang_up(&mut self) {
        while self.socket.read().is_ok() {}
        let _ = self.raw().read_to_end(&mut Vec::new());
    }

    fn hear(&mut self, spoil: &impl Fn(Bytes) -> Bytes) {
        match self.socket.read() {
            Ok(Message::Binary(bytes)) => {
                self.handle(LinkInput::Frame { link: LINK, bytes }, spoil);
            }
            Ok(_) => {}
            Err(error) => panic!("the connection ended without a word: {error}"),
        }
    }

    fn handle(&mut self, input: LinkInput, spoil: &impl Fn(Bytes) -> Bytes) {
        let mut outputs = Vec::new();
        self.links.handle(now(), input, &mut outputs);
        self.carry_out(outputs, spoil);
    }

    fn carry_out(&mut self, outputs: Vec<LinkOutput>, spoil: &impl Fn(Bytes) -> Bytes) {
        for output in outputs {
            match output {
                LinkOutput::Send { frame, .. } => {
                    self.socket.send(Message::Binary(spoil(frame))).unwrap();
                }
                LinkOutput::Up { peer, .. } => self.peer = Some(peer),
                LinkOutput::Down { ending, .. } => self.ending = Some(ending),
                _ => {}
            }
        }
    }
}

fn now() -> Time {
    Time {
        wall_ms: 1,
        monotonic_ms: 1,
    }
}
