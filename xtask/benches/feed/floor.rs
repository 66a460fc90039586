//! The least that keeps a signed history of sets: a flat map, a chain of hashes, a signature for each run.

use dhlrs_identity::{
    Domain, Ed25519Signer, Ed25519Verifier, SecretKey, Signature, Signer, Verifier,
};
use rustc_hash::FxHashMap;

const RUN: Domain = Domain::new("dhlrs bench floor");

pub(crate) struct Floor {
    values: FxHashMap<String, i64>,
    received: FxHashMap<String, i64>,
    head: [u8; 32],
    received_head: [u8; 32],
    run_events: usize,
    open: Vec<(Vec<u8>, i64)>,
    runs: Vec<FloorRun>,
    signer: Ed25519Signer,
}

pub(crate) struct FloorRun {
    events: Vec<(Vec<u8>, i64)>,
    head: [u8; 32],
    signature: Signature,
}

impl Floor {
    pub(crate) fn new(run_events: usize) -> Self {
        Self {
            values: FxHashMap::default(),
            received: FxHashMap::default(),
            head: [0; 32],
            received_head: [0; 32],
            run_events,
            open: Vec::new(),
            runs: Vec::new(),
            signer: Ed25519Signer::new(SecretKey::from_bytes([7; 32])),
        }
    }

    pub(crate) fn write(&mut self, path: &str, value: i64) {
        match self.values.get_mut(path) {
            Some(held) => *held = value,
            None => _ = self.values.insert(path.to_owned(), value),
        }
        self.head = chain(&self.head, path.as_bytes(), value);
        self.open.push((path.as_bytes().to_vec(), value));
        if self.open.len() == self.run_events {
            let signature = self.signer.sign(&RUN, &self.head);
            self.runs.push(FloorRun {
                events: std::mem::take(&mut self.open),
                head: self.head,
                signature,
            });
        }
    }

    pub(crate) fn sealed(&mut self) -> Vec<FloorRun> {
        std::mem::take(&mut self.runs)
    }

    pub(crate) fn receive(&mut self, run: &FloorRun) {
        for (path, value) in &run.events {
            self.received_head = chain(&self.received_head, path, *value);
            let Ok(path) = std::str::from_utf8(path) else {
                continue;
            };
            match self.received.get_mut(path) {
                Some(held) => *held = *value,
                None => _ = self.received.insert(path.to_owned(), *value),
            }
        }
        let key = self.signer.public_key();
        let signed = Ed25519Verifier.verify(&key, &RUN, &run.head, &run.signature);
        assert!(signed.is_ok() && self.received_head == run.head);
    }
}

fn chain(head: &[u8; 32], path: &[u8], value: i64) -> [u8; 32] {
    *blake3::Hasher::new()
        .update(head)
        .update(path)
        .update(&value.to_le_bytes())
        .finalize()
        .as_bytes()
}
