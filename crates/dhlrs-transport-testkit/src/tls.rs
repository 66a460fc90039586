//! Certificates that are made in the test that uses them.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

/// What a pair needs for TLS, all in PEM.
#[derive(Clone, Debug)]
pub struct TlsMaterial {
    /// The server's certificate.
    pub cert: String,
    /// Its private key.
    pub key: String,
    /// The CA that the client trusts.
    pub ca: String,
}

/// What is the matter with a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    UnknownCa,
    Expired,
    NotYetValid,
    OtherName,
}

impl TlsMaterial {
    /// A certificate for `127.0.0.1`, `::1` and `localhost`, and the CA that it comes from.
    pub fn new() -> Self {
        Self::with(Flaw::None)
    }

    /// A CA that shows its own certificate as that of a server, as a line of `openssl` without extensions makes it.
    pub fn self_signed_authority() -> Self {
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("a certificate").pem();
        Self {
            cert: cert.clone(),
            key: key.serialize_pem(),
            ca: cert,
        }
    }

    pub(crate) fn with(flaw: Flaw) -> Self {
        let issuer = authority("the CA");
        let names: &[&str] = match flaw {
            Flaw::OtherName => &["elsewhere.example"],
            _ => &["127.0.0.1", "::1", "localhost"],
        };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, "a node");
        match flaw {
            Flaw::Expired => {
                params.not_before = date_time_ymd(2001, 1, 1);
                params.not_after = date_time_ymd(2002, 1, 1);
            }
            Flaw::NotYetValid => params.not_before = date_time_ymd(4000, 1, 1),
            Flaw::None | Flaw::UnknownCa | Flaw::OtherName => {}
        }
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &issuer).expect("a certificate");
        let ca = if flaw == Flaw::UnknownCa {
            authority("another CA").pem()
        } else {
            issuer.pem()
        };
        Self {
            cert: cert.pem(),
            key: key.serialize_pem(),
            ca,
        }
    }
}

impl Default for TlsMaterial {
    fn default() -> Self {
        Self::new()
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA")
}
