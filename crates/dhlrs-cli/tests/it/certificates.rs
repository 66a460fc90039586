//! Certificates of one's own: what the help says works, and what is wrong is told in plain words.

use std::process::Command;

use dhlrs_transport_testkit::TlsMaterial;

use crate::{
    mistakes::{alone, asked},
    world::World,
};

#[test]
fn the_line_of_the_help_makes_a_certificate_that_works() {
    let world = World::new();
    let help = world.dhlrs(&["serve", "--help"]).ok();
    let at = help.find("openssl req").unwrap();
    let line = help[at..].trim_end();
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: there is no openssl here");
        return;
    }
    let mut shell = Command::new("sh");
    let made = shell
        .args(["-c", line])
        .current_dir(world.path(""))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let server = world.serve(&[
        "--listen",
        "wss://127.0.0.1:0",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ]);
    server
        .dhlrs(&world, &["set", "//main/a", "1", "--tls-ca", "cert.pem"])
        .ok();
    let by_name = server.url.replace("127.0.0.1", "localhost");
    let words = ["get", "//main/a", "--via", &by_name, "--tls-ca", "cert.pem"];
    assert_eq!(world.dhlrs(&words).ok(), "1\n");
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_in_plain_words() {
    let world = World::new();
    let authority = TlsMaterial::self_signed_authority();
    world.file("ca.pem", &authority.cert);
    world.file("key.pem", &authority.key);
    let server = world.serve(&[
        "--listen",
        "wss://127.0.0.1:0",
        "--tls-cert",
        "ca.pem",
        "--tls-key",
        "key.pem",
    ]);
    asked(
        &world,
        &server,
        &["get", "//main/a", "--tls-ca", "ca.pem"],
        (3, "denied", "it is that of a CA", "dhlrs serve --help"),
    );
    let other = TlsMaterial::new();
    world.file("other.pem", &other.cert);
    alone(
        &world,
        &[
            "serve",
            "--listen",
            "wss://127.0.0.1:0",
            "--tls-cert",
            "other.pem",
            "--tls-key",
            "key.pem",
        ],
        (
            2,
            "file",
            "the key in key.pem is not that of the certificate in other.pem",
            "belong together",
        ),
    );
    let get = |ca: &str, said: &str| {
        let words = [
            "get",
            "//main/a",
            "--via",
            "wss://127.0.0.1:1",
            "--tls-ca",
            ca,
        ];
        alone(&world, &words, (2, "file", said, "dhlrs serve --help"));
    };
    world.file("cut.pem", &other.cert[..200]);
    get("cut.pem", "no END line");
    world.file("damaged.pem", other.cert.replace("MII", "AII"));
    get("damaged.pem", "it is damaged");
}
