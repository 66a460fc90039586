//! Every limit, at the limit and one beyond.

use dhlrs_path::ParsePathErrorKind as Kind;
use dhlrs_path::{
    DEPTH_MAX, LABEL_BYTES_MAX, NAME_BYTES_MAX, NodeName, PATH_BYTES_MAX, PATTERN_BYTES_MAX, Path,
    Pattern, StoreName, check_label, check_name,
};

fn path(text: &str) -> Result<Path<'static>, (Kind, usize)> {
    text.parse().map_err(|err: dhlrs_path::ParsePathError| {
        let limit = err.limit().unwrap();
        assert!(err.to_string().contains(&format!("limit {limit}")), "{err}");
        (err.kind(), err.at())
    })
}

fn pattern(text: &str) -> Result<Pattern, (Kind, usize)> {
    text.parse()
        .map_err(|err: dhlrs_path::ParsePathError| (err.kind(), err.at()))
}

/// A path of exactly so many bytes, each step at most 200 of them.
fn long(bytes: usize) -> String {
    let mut text = ("x".repeat(199) + ".").repeat(bytes / 200);
    text.push_str(&"x".repeat(bytes - text.len()));
    if text.ends_with('.') {
        text.pop();
        text.push('x');
    }
    text
}

#[test]
fn a_path_has_at_most_so_many_bytes() {
    let at_limit = long(PATH_BYTES_MAX);
    assert_eq!(path(&at_limit).unwrap().as_str().len(), PATH_BYTES_MAX);
    assert_eq!(
        path(&(at_limit + "x")),
        Err((Kind::PathTooLong, PATH_BYTES_MAX))
    );
    assert_eq!(
        path(&".".repeat(10_000)),
        Err((Kind::PathTooLong, PATH_BYTES_MAX))
    );
}

#[test]
fn a_path_is_measured_as_printed() {
    // `../` is printed as `#parent.`.
    let rest = long(PATH_BYTES_MAX - 8);
    assert_eq!(
        path(&format!("../{rest}")).unwrap().as_str().len(),
        PATH_BYTES_MAX
    );
    assert_eq!(
        path(&format!("../{rest}x")),
        Err((Kind::PathTooLong, 3 + rest.len()))
    );
    // `=` is printed as two bytes.
    let rest = long(PATH_BYTES_MAX - 2);
    assert_eq!(
        path(&format!("{rest}=")).unwrap().as_str().len(),
        PATH_BYTES_MAX
    );
    assert_eq!(
        path(&format!("={rest}")).unwrap().as_str().len(),
        PATH_BYTES_MAX
    );
    assert_eq!(
        path(&format!("{rest}x=")),
        Err((Kind::PathTooLong, rest.len() + 1))
    );
    assert_eq!(
        path(&format!("={rest}x")),
        Err((Kind::PathTooLong, rest.len() + 1))
    );
    // `/parent` is printed with one byte more.
    let rest = long(PATH_BYTES_MAX - 8);
    assert_eq!(
        path(&format!("{rest}/parent")).unwrap().as_str().len(),
        PATH_BYTES_MAX
    );
    assert_eq!(
        path(&format!("{rest}x/parent")),
        Err((Kind::PathTooLong, rest.len() + 1))
    );
}

#[test]
fn a_query_counts() {
    let steps = long(PATH_BYTES_MAX - 6);
    path(&format!("{steps}?abcde")).unwrap();
    assert_eq!(
        path(&format!("{steps}?abcdef")),
        Err((Kind::PathTooLong, PATH_BYTES_MAX))
    );
    let path = path(&steps).unwrap();
    path.with_query(["abcde"]).unwrap();
    let err = path.with_query(["abcdef"]).unwrap_err();
    assert_eq!((err.kind(), err.at()), (Kind::PathTooLong, PATH_BYTES_MAX));
    assert_eq!(path.child("abcdef").unwrap_err().kind(), Kind::PathTooLong);
}

#[test]
fn a_path_has_at_most_so_many_steps() {
    let at_limit = ["a"; DEPTH_MAX].join(".");
    let deepest = path(&at_limit).unwrap();
    assert_eq!(deepest.depth(), DEPTH_MAX);
    assert_eq!(path(&format!("{at_limit}.b")), Err((Kind::TooDeep, 128)));
    assert_eq!(
        path(&format!("{at_limit}/parent")),
        Err((Kind::TooDeep, 127))
    );
    assert_eq!(
        path(&format!("../{at_limit}")),
        Err((Kind::TooDeep, 3 + 126))
    );
    assert_eq!(path(&"../".repeat(65)), Err((Kind::TooDeep, 192)));
    assert_eq!(deepest.child("b").unwrap_err().kind(), Kind::TooDeep);
    assert_eq!(
        deepest.join(&path("b").unwrap()).unwrap_err().kind(),
        Kind::TooDeep
    );
    deepest.join(&Path::ROOT).unwrap();
    assert!(Path::from_labels(["a"; DEPTH_MAX]).is_ok());
    assert_eq!(
        Path::from_labels(["a"; DEPTH_MAX + 1]).unwrap_err().kind(),
        Kind::TooDeep
    );
}

#[test]
fn a_label_has_at_most_so_many_bytes_without_escapes() {
    let at_limit = "x".repeat(LABEL_BYTES_MAX);
    path(&format!("a.{at_limit}")).unwrap();
    assert_eq!(
        path(&format!("a.{at_limit}x")),
        Err((Kind::LabelTooLong, 2))
    );
    path(&r"\.".repeat(LABEL_BYTES_MAX)).unwrap();
    assert_eq!(
        path(&r"\.".repeat(LABEL_BYTES_MAX + 1)),
        Err((Kind::LabelTooLong, 0))
    );
    path(&"=".repeat(LABEL_BYTES_MAX)).unwrap();
    check_label(&at_limit).unwrap();
    assert_eq!(
        check_label(&(at_limit + "x")).unwrap_err().kind(),
        Kind::LabelTooLong
    );
}

#[test]
fn a_name_has_at_most_so_many_bytes_without_escapes() {
    let at_limit = "x".repeat(NAME_BYTES_MAX);
    path(&format!("a?{at_limit}")).unwrap();
    assert_eq!(path(&format!("a?{at_limit}x")), Err((Kind::NameTooLong, 2)));
    path(&format!("#{at_limit}=t")).unwrap();
    let escaped = r"\.".repeat(NAME_BYTES_MAX);
    path(&format!("a?{escaped}")).unwrap();
    assert_eq!(
        path(&format!(r"a?{escaped}\.")),
        Err((Kind::NameTooLong, 2))
    );
    assert_eq!(
        path(&format!("#{at_limit}x=t")),
        Err((Kind::NameTooLong, 1))
    );
    check_name(&at_limit).unwrap();
    assert_eq!(
        check_name(&format!("{at_limit}x")).unwrap_err().kind(),
        Kind::NameTooLong
    );
    assert!(NodeName::new(&at_limit, &at_limit).is_ok());
    let err = NodeName::new("m", &format!("{at_limit}x")).unwrap_err();
    assert_eq!((err.kind(), err.at()), (Kind::NameTooLong, 2));
    assert!(StoreName::new(&at_limit).is_ok());
    assert!(StoreName::new(&format!("{at_limit}x")).is_err());
}

#[test]
fn a_pattern_has_room_for_everything_below_the_longest_path() {
    let longest = path(&long(PATH_BYTES_MAX)).unwrap();
    let below = Pattern::subtree_of(&longest).unwrap();
    assert_eq!(below.as_str().len(), PATTERN_BYTES_MAX);
    assert_eq!(
        pattern(&format!("{below}?")),
        Err((Kind::PatternTooLong, PATTERN_BYTES_MAX))
    );
    let deepest = Path::from_labels(["a"; DEPTH_MAX]).unwrap();
    assert!(
        Pattern::subtree_of(&deepest)
            .unwrap()
            .matches(["a"; DEPTH_MAX])
    );
}

#[test]
fn a_pattern_has_at_most_so_many_steps_besides_any_depth() {
    pattern(&["*"; DEPTH_MAX].join(".**.")).unwrap();
    assert_eq!(
        pattern(&["*"; DEPTH_MAX + 1].join(".")),
        Err((Kind::TooDeep, 128))
    );
    assert_eq!(
        pattern(&["a"; DEPTH_MAX + 1].join(".")),
        Err((Kind::TooDeep, 128))
    );
}

#[test]
fn an_error_tells_its_limit_and_the_unit() {
    #[track_caller]
    fn tells(err: dhlrs_path::ParsePathError, limit: usize, unit: &str) {
        assert_eq!(err.limit(), Some(limit));
        assert_eq!(err.kind().limit(), Some(limit));
        let end = format!(", limit {limit} {unit})");
        assert!(err.to_string().ends_with(&end), "{err}");
    }
    let path = |text: String| Path::parse(&text).unwrap_err();
    tells(path(long(PATH_BYTES_MAX) + "x"), PATH_BYTES_MAX, "bytes");
    tells(path(["a"; DEPTH_MAX + 1].join(".")), DEPTH_MAX, "steps");
    tells(
        path("x".repeat(LABEL_BYTES_MAX + 1)),
        LABEL_BYTES_MAX,
        "bytes",
    );
    let name = "x".repeat(NAME_BYTES_MAX + 1);
    tells(path(format!("?{name}")), NAME_BYTES_MAX, "bytes");
    let pattern = "x".repeat(PATTERN_BYTES_MAX + 1);
    tells(
        pattern.parse::<Pattern>().unwrap_err(),
        PATTERN_BYTES_MAX,
        "bytes",
    );
    assert_eq!(path("a..b".to_owned()).limit(), None);
}
