//! XML: what it says, what it leaves out and tells, and what Genro writes.
#![expect(clippy::panic, reason = "a helper that fails is a test that fails")]

use dhlrs_bag::{
    Bag,
    formats::{FormatErrorKind as Kind, Item, LossKind, ReadLimits, XmlForm, XmlReader, XmlRoot},
};

fn read(xml: &str) -> Bag {
    Bag::from_xml(xml.as_bytes(), &ReadLimits::default())
        .unwrap_or_else(|error| panic!("{xml}: {error}"))
}

// A path, `=`, and the value with its type where that is no text.
#[track_caller]
fn says(xml: &str, wanted: &str) {
    let bag = read(xml);
    let nodes = bag.root().walk().map(|visited| {
        let node = visited.node;
        let value = node
            .value()
            .map_or_else(String::new, |value| match value.as_text() {
                Some(text) => format!("={text:?}"),
                None => format!("={} {value}", value.type_name()),
            });
        let attributes: String = node
            .attributes()
            .iter()
            .map(|(name, value)| format!(" @{name}={} {value}", value.type_name()))
            .collect();
        format!("{}{value}{attributes}", node.path())
    });
    assert_eq!(nodes.collect::<Vec<_>>().join("; "), wanted, "{xml}");
}

#[test]
fn elements_are_nodes_and_text_is_text() {
    says(
        "<r><a>1</a><b><c/>\n<d> x </d></b><e><![CDATA[<&]]>&lt;&#65;</e></r>",
        "a=\"1\"; b; b.c=\"\"; b.d=\" x \"; e=\"<&<A\"",
    );
    says("<r/>", "");
    says(
        "\u{feff}<?xml version=\"1.0\"?><!-- c --><r> <a/> </r><!-- d -->",
        "a=\"\"",
    );
}

#[test]
fn attributes_below_genrobag_are_what_they_spell() {
    says(
        "<GenRoBag><a i='1' f='1.5' t='true' n='null' l='[1,\"x\"]' s='007' d='1.50::N' e='' q='5::T' u='5::ZZ' m='[[1]]'/></GenRoBag>",
        "a=\"\" @i=int 1 @f=float 1.5 @t=bool true @l=list [1,\"x\"] @s=text 007 @d=decimal 1.50 @e=text  @q=text 5 @u=text 5::ZZ @m=text [[1]]",
    );
    let bag = read("<GenRoBag version='2'><a/></GenRoBag>");
    assert_eq!(
        bag.root().attribute("version").and_then(|v| v.as_int()),
        Some(2)
    );
}

#[test]
fn attributes_of_plain_xml_are_texts() {
    says(
        "<r><a f='1.10' n='null' addr='fe80::B' l='[1]' e=''/></r>",
        "a=\"\" @f=text 1.10 @n=text null @addr=text fe80::B @l=text [1] @e=text ",
    );
    let bag = read("<r version='2'><a/></r>");
    assert_eq!(
        bag.root().attribute("version").and_then(|v| v.as_text()),
        Some("2")
    );
}

#[test]
fn doubles_get_numbers_and_mixed_text_a_node() {
    says(
        "<r><a>1</a><a>2</a><a_1>3</a_1><a>4</a></r>",
        "a=\"1\"; a_1=\"2\"; a_1_1=\"3\"; a_2=\"4\"",
    );
    says("<r>one<b/>two</r>", "_=\"one\"; b=\"\"; __1=\"two\"");
}

#[test]
fn many_doubles_take_no_time() {
    let xml = format!("<r>{}</r>", "<a/>".repeat(100_000));
    assert_eq!(read(&xml).len(), 100_000);
}

#[test]
fn labels_that_are_no_names_travel_in_tag() {
    let mut bag = Bag::new();
    bag.set("odd label/1".replace('/', "\\/").as_str(), 3)
        .unwrap();
    bag.set("1abc", 4).unwrap();
    bag.set("a:b", 5).unwrap();
    bag.set("_tag", 6).unwrap();
    let (xml, _) = bag.root().to_xml(XmlForm::Typed, "");
    assert!(
        xml.contains("<odd_label_1 _tag=\"odd label/1\" _T=\"L\">3</odd_label_1>"),
        "{xml}"
    );
    assert_eq!(read(&xml), bag);
}

#[test]
fn types_are_read_below_genrobag_only() {
    says(
        "<GenRoBag><l _T='L'>1</l><r _T='R'>1.5</r><n _T='NN'/><d _T='N'>1.50</d><t _T='DHZ'>2026-01-31T12:00:00Z</t><b _T='B'>true</b><y _T='RAW'>YWJj</y><e _T='BAG'/><x _T='T'>5</x></GenRoBag>",
        "l=int 1; r=float 1.5; n=null null; d=decimal 1.50; t=timestamp 2026-01-31T12:00:00Z; b=bool true; y=bytes YWJj; e; x=\"5\"",
    );
    says("<r><l _T='L'>1</l></r>", "l=\"1\" @_T=text L");
    for (xml, kind) in [
        ("<GenRoBag><a _T='L'>x</a></GenRoBag>", Kind::BadValue),
        (
            "<GenRoBag><a _T='D'>2026-01-31</a></GenRoBag>",
            Kind::NoType,
        ),
    ] {
        let error = Bag::from_xml(xml.as_bytes(), &ReadLimits::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn plain_xml_lists_what_it_leaves_out() {
    let mut bag = Bag::new();
    bag.set("a", 1).unwrap();
    bag.set("b.c", "x\u{1}y").unwrap();
    bag.set("d", "plain").unwrap();
    bag.set_attribute("d", "not a name", 1).unwrap();
    let (xml, losses) = bag.root().to_xml(XmlForm::Plain, "orders");
    assert_eq!(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<orders>\n<a>1</a>\n<b><c>x\u{fffd}y</c></b>\n<d>plain</d>\n</orders>\n"
    );
    let listed: Vec<(String, LossKind)> = losses
        .first
        .iter()
        .map(|loss| (loss.path.to_string(), loss.kind))
        .collect();
    let wanted = [
        ("a", LossKind::Type),
        ("b.c", LossKind::Characters),
        ("d", LossKind::Attribute),
    ];
    assert_eq!(listed, wanted.map(|(path, kind)| (path.to_owned(), kind)));
    let (_, losses) = bag.root().to_xml(XmlForm::Typed, "");
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn what_is_no_document_is_refused() {
    for xml in [
        "",
        " ",
        "x",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "</a>",
        "<a/>x",
        "<a b/>",
        "<a b=1/>",
        "<a b='1' b='2'/>",
        "<a",
        "<a>&",
        "<1/>",
        "<a b!='1'/>",
        "<r><<a/></r>",
        "<r a='<'/>",
        "<r>]]></r>",
        "<r><!-- a -- b --></r>",
        " <?xml version='1.0'?><r/>",
        "<r><?xml version='1.0'?></r>",
    ] {
        let error = Bag::from_xml(xml.as_bytes(), &ReadLimits::default()).expect_err(xml);
        assert_eq!(error.kind(), Kind::Syntax, "{xml}: {error}");
    }
    let error = Bag::from_xml(b"<a>\xff</a>", &ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Syntax, "{error}");
    let error = Bag::from_xml(b"<a>text</a>", &ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::NotABag, "{error}");
}

#[test]
fn the_root_can_be_a_node_and_a_key_can_label() {
    let items = |xml: &str, root, key: Option<&str>| -> Vec<String> {
        XmlReader::new(xml.as_bytes(), root, key.map(str::to_owned))
            .filter_map(|item| match item.unwrap() {
                Item::Row(row) => Some(format!("{}{}", " ".repeat(row.depth.into()), row.label)),
                _ => None,
            })
            .collect()
    };
    assert_eq!(items("<r><a/></r>", XmlRoot::Node, None), ["r", " a"]);
    assert_eq!(
        items("<GenRoBag><a/></GenRoBag>", XmlRoot::Node, None),
        ["a"]
    );
    let orders = "<r><o id='x'/><o id='y'><id>z</id></o><o/></r>";
    assert_eq!(
        items(orders, XmlRoot::Bag, Some("id")),
        ["x", "y", " id", "o"]
    );
    let unkeyed = XmlReader::new(orders.as_bytes(), XmlRoot::Bag, Some("no".to_owned()));
    let error = unkeyed.last().unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::MissingKey, "{error}");
}
