//! What both sides of a new connection sign.

use std::sync::Arc;

use bytes::Bytes;
use dhlrs_identity::{Domain, Signature, Signer, Verifier, VerifyError};

use crate::Peer;
use crate::frame::{Hello, Resume};

/// What the signatures of a greeting are for.
const DOMAIN: Domain = Domain::new("dhlrs link 1 auth");
const SESSION_CONTEXT: &str = "dhlrs link 1 session id";

/// A connection whose sides have not proven yet who they are.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) deadline_ms: u64,
    pub(crate) ours: Option<Greeting>,
    pub(crate) theirs: Option<Theirs>,
    /// The session that both greetings agree to go on with.
    pub(crate) agreed: Option<Resume>,
}

#[derive(Debug)]
pub(crate) struct Greeting {
    pub(crate) frame: Bytes,
    pub(crate) resume: Option<Resume>,
}

#[derive(Debug)]
pub(crate) struct Theirs {
    pub(crate) frame: Bytes,
    pub(crate) hello: Box<Hello>,
    pub(crate) peer: Arc<Peer>,
}

/// Both greetings as they were sent and received, in the order in which they were made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transcript {
    connecting: blake3::Hash,
    accepting: blake3::Hash,
}

/// Whose signature; without it a peer could answer with ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Connecting = 0,
    Accepting = 1,
}

impl Role {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Connecting => Self::Accepting,
            Self::Accepting => Self::Connecting,
        }
    }
}

impl Handshake {
    pub(crate) fn transcript(&self, role: Role) -> Option<Transcript> {
        let ours = blake3::hash(&self.ours.as_ref()?.frame);
        let theirs = blake3::hash(&self.theirs.as_ref()?.frame);
        Some(match role {
            Role::Connecting => Transcript {
                connecting: ours,
                accepting: theirs,
            },
            Role::Accepting => Transcript {
                connecting: theirs,
                accepting: ours,
            },
        })
    }
}

impl Transcript {
    pub(crate) fn sign(&self, role: Role, signer: &dyn Signer) -> Signature {
        signer.sign(&DOMAIN, &self.signed_bytes(role))
    }

    pub(crate) fn verify(
        &self,
        role: Role,
        peer: &Peer,
        signature: &Signature,
        verifier: &dyn Verifier,
    ) -> Result<(), VerifyError> {
        verifier.verify(&peer.key, &DOMAIN, &self.signed_bytes(role), signature)
    }

    pub(crate) fn session_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        blake3::Hasher::new_derive_key(SESSION_CONTEXT)
            .update(self.connecting.as_bytes())
            .update(self.accepting.as_bytes())
            .finalize_xof()
            .fill(&mut id);
        id
    }

    fn signed_bytes(&self, role: Role) -> Vec<u8> {
        let mut bytes = vec![role as u8];
        bytes.extend_from_slice(self.connecting.as_bytes());
        bytes.extend_from_slice(self.accepting.as_bytes());
        bytes
    }
}
