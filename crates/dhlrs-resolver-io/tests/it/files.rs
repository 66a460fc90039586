//! Files and directories below a root, and no way out of it.

use std::fs;
use std::path::Path;

use dhlrs_bag::{Bag, Content, Value};
use dhlrs_resolver_io::{
    DirectoryConfig, DirectoryResolver, FileConfig, FileResolver, Format, IoErrorKind,
};

use crate::{call, text};

/// A root with a few files, and a secret beside it.
fn root() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("secret.txt"), "secret").unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("a.txt"), "\u{feff}hello").unwrap();
    fs::write(root.join("sub/b.CSV"), "id,note\n1,\"x, y\"\n2,\n").unwrap();
    fs::write(root.join("raw"), [0xff, 0x00]).unwrap();
    fs::write(root.join(".hidden"), "").unwrap();
    (dir, root)
}

fn bag(content: Content) -> Bag {
    let Content::Branch(branch) = content else {
        panic!("{content:?}")
    };
    let mut bag = Bag::new();
    let path = dhlrs_path::Path::default();
    bag.edit(dhlrs_bag::Edit::Replace { path, branch }).unwrap();
    bag
}

async fn read(root: &Path, format: Format, file: &str) -> Result<Content, IoErrorKind> {
    let config = FileConfig {
        format,
        bytes_max: 30,
        ..FileConfig::new(root)
    };
    let files = FileResolver::new(config).unwrap();
    let read = files.resolve(&call(&[("file", file)])).await;
    read.map_err(|error| error.kind())
}

#[tokio::test]
async fn a_file_is_read_as_what_it_is() {
    let (_dir, root) = root();
    assert_eq!(
        text(read(&root, Format::ByName, "a.txt").await.unwrap()),
        "hello"
    );
    assert_eq!(
        text(read(&root, Format::ByName, "sub/../a.txt").await.unwrap()),
        "hello"
    );
    let table = bag(read(&root, Format::ByName, "sub/b.CSV").await.unwrap());
    assert_eq!(table.get("0.note"), Some(&Value::from("x, y")));
    assert_eq!(table.get("1.id"), Some(&Value::from("2")));
    assert_eq!(table.get("1.note"), Some(&Value::from("")));
    let bytes = dhlrs_bag::Bytes::new(&[0xff, 0x00]);
    let raw = read(&root, Format::Bytes, "raw").await.unwrap();
    assert_eq!(raw, Content::from(Value::Bytes(bytes)));
    assert_eq!(
        read(&root, Format::Text, "raw").await,
        Err(IoErrorKind::BadContent)
    );
    assert_eq!(
        read(&root, Format::Csv, "raw").await,
        Err(IoErrorKind::BadContent)
    );
    assert_eq!(
        read(&root, Format::Text, "none").await,
        Err(IoErrorKind::NotFound)
    );
    let fixed = FileConfig {
        file: Some("a.txt".to_owned()),
        ..FileConfig::new(&root)
    };
    let fixed = FileResolver::new(fixed).unwrap();
    // What a node says does not count then.
    let read = fixed.resolve(&call(&[("file", "raw")])).await;
    assert_eq!(text(read.unwrap()), "hello");
}

#[tokio::test]
async fn json_and_xml_become_branches_or_a_value() {
    let (_dir, root) = root();
    let read = async |name: &str, content: &str| {
        fs::write(root.join(name), content).unwrap();
        let files = FileResolver::new(FileConfig::new(&root)).unwrap();
        let read = files.resolve(&call(&[("file", name)])).await;
        read.map_err(|error| error.kind())
    };
    let json = read("a.json", r#"{"b": {"c": [1, 2.5]}, "d": null}"#).await;
    let json = bag(json.unwrap());
    let list = dhlrs_bag::List::new(vec![1.into(), 2.5.into()]).unwrap();
    assert_eq!(json.get("b.c"), Some(&Value::List(list)));
    assert_eq!(json.get("d"), Some(&Value::Null));
    assert_eq!(read("b.json", " 42").await, Ok(Content::from(42)));
    assert_eq!(read("c.json", "{").await, Err(IoErrorKind::BadContent));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(read("d.json", &deep).await, Err(IoErrorKind::TooLarge));
    let xml = bag(read("a.xml", r#"<r><b c="1">x</b></r>"#).await.unwrap());
    assert_eq!(xml.get("b"), Some(&Value::from("x")));
    assert_eq!(xml.get("b?c"), Some(&Value::from("1")));
    let bomb = r#"<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><r><x>&b;</x></r>"#;
    assert_eq!(read("b.xml", bomb).await, Err(IoErrorKind::BadContent));
}

#[tokio::test]
async fn a_document_cannot_name_a_resolver() {
    let (_dir, root) = root();
    let mut written = Bag::new();
    let resolver = dhlrs_bag::ResolverRef::new("evil".parse().unwrap());
    let edit = dhlrs_bag::Edit::SetResolver {
        path: "x".parse().unwrap(),
        resolver: Some(resolver),
        content: None,
        attributes: None,
        position: None,
    };
    written.edit(edit).unwrap();
    let (xml, _) = written
        .root()
        .to_xml(dhlrs_bag::formats::XmlForm::Typed, "r");
    assert!(xml.contains("evil"), "{xml}");
    fs::write(root.join("typed.xml"), xml).unwrap();
    let files = FileResolver::new(FileConfig::new(&root)).unwrap();
    let read = files.resolve(&call(&[("file", "typed.xml")])).await;
    let read = bag(read.unwrap());
    assert!(
        read.root()
            .child("x")
            .is_some_and(|x| x.resolver().is_none())
    );
}

#[tokio::test]
async fn what_is_too_large_or_no_file_is_refused() {
    let (_dir, root) = root();
    fs::write(root.join("thirty"), [b'x'; 30]).unwrap();
    fs::write(root.join("more"), [b'x'; 31]).unwrap();
    assert!(read(&root, Format::Text, "thirty").await.is_ok());
    assert_eq!(
        read(&root, Format::Text, "more").await,
        Err(IoErrorKind::TooLarge)
    );
    assert_eq!(read(&root, Format::Text, "sub").await, Err(IoErrorKind::Io));
    let long = "x/".repeat(4_000);
    assert_eq!(
        read(&root, Format::Text, &long).await,
        Err(IoErrorKind::Parameter)
    );
    assert_eq!(
        read(&root, Format::Text, "a\0").await,
        Err(IoErrorKind::Parameter)
    );
    let config = FileConfig::new(root.join("none"));
    assert_eq!(
        FileResolver::new(config).unwrap_err().kind(),
        IoErrorKind::Config
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_not_waited_for() {
    let (_dir, root) = root();
    let pipe = root.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    assert_eq!(
        read(&root, Format::Text, "pipe").await,
        Err(IoErrorKind::Io)
    );
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_leads_out_of_the_root() {
    use std::os::unix::fs::symlink;
    let (dir, root) = root();
    symlink("../secret.txt", root.join("up")).unwrap();
    symlink(dir.path().join("secret.txt"), root.join("absolute")).unwrap();
    symlink("..", root.join("parent")).unwrap();
    symlink("sub/../../secret.txt", root.join("around")).unwrap();
    symlink("up", root.join("twice")).unwrap();
    symlink("circle", root.join("circle")).unwrap();
    symlink("a.txt", root.join("inside")).unwrap();
    let absolute = dir.path().join("secret.txt");
    let ways = [
        "../secret.txt",
        "sub/../../secret.txt",
        absolute.to_str().unwrap(),
        "up",
        "absolute",
        "parent/secret.txt",
        "around",
        "twice",
    ];
    for way in ways {
        let refused = read(&root, Format::Text, way).await;
        assert_eq!(refused, Err(IoErrorKind::NotAllowed), "{way}");
    }
    assert!(read(&root, Format::Text, "circle").await.is_err());
    // One that stays inside is followed.
    assert_eq!(
        text(read(&root, Format::Text, "inside").await.unwrap()),
        "hello"
    );
    let list = DirectoryResolver::new(DirectoryConfig::new(&root)).unwrap();
    for way in ["..", "parent", "sub/../.."] {
        let refused = list.resolve(&call(&[("directory", way)])).await;
        assert_eq!(
            refused.unwrap_err().kind(),
            IoErrorKind::NotAllowed,
            "{way}"
        );
    }
    let listed = bag(list.resolve(&call(&[])).await.unwrap());
    assert_eq!(listed.get("absolute?kind"), Some(&Value::from("link")));
}

#[tokio::test]
async fn a_directory_is_listed_by_name() {
    let (_dir, root) = root();
    let list = DirectoryResolver::new(DirectoryConfig::new(&root)).unwrap();
    let listed = bag(list.resolve(&call(&[])).await.unwrap());
    let names: Vec<_> = listed
        .root()
        .children()
        .map(|node| node.label().to_string())
        .collect();
    assert_eq!(names, ["a.txt", "raw", "sub"]);
    assert_eq!(listed.get("raw?kind"), Some(&Value::from("file")));
    assert_eq!(listed.get("raw?bytes"), Some(&Value::from(2)));
    assert!(matches!(
        listed.get("raw?modified"),
        Some(Value::Timestamp(_))
    ));
    assert_eq!(listed.get("sub?kind"), Some(&Value::from("directory")));
    assert_eq!(listed.get("sub?bytes"), None);
    let sub = list.resolve(&call(&[("directory", "sub")])).await;
    assert_eq!(bag(sub.unwrap()).root().len(), 1);
    let file = list.resolve(&call(&[("directory", "raw")])).await;
    assert!(file.is_err());
    let config = DirectoryConfig {
        hidden: true,
        entries_max: 3,
        ..DirectoryConfig::new(&root)
    };
    let list = DirectoryResolver::new(config).unwrap();
    let refused = list.resolve(&call(&[])).await.unwrap_err();
    assert_eq!(refused.kind(), IoErrorKind::TooLarge);
}
