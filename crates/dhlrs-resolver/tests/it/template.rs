//! Addresses with attributes in them.

use dhlrs_bag::{Attributes, List, Name, Value};
use dhlrs_path::Address;
use dhlrs_resolver::{
    ParseTemplateErrorKind as Kind, ResolveErrorKind, TEMPLATE_BYTES_MAX, Template,
};

fn attributes<const N: usize>(list: [(&str, Value); N]) -> Attributes {
    list.into_iter()
        .map(|(name, value)| (Name::new(name).unwrap(), value))
        .collect()
}

#[track_caller]
fn renders(template: &str, attributes: &Attributes, expected: &str) {
    let template: Template = template.parse().unwrap();
    let address = template.render(attributes).unwrap();
    assert_eq!(address, expected.parse::<Address>().unwrap());
    assert_eq!(template.to_string().parse::<Template>().unwrap(), template);
}

#[track_caller]
fn refuses(text: &str, kind: Kind, at: usize) {
    let error = text.parse::<Template>().unwrap_err();
    assert_eq!((error.kind(), error.at()), (kind, at), "{text:?}: {error}");
}

#[track_caller]
fn fails(template: &str, attributes: &Attributes, kind: ResolveErrorKind) {
    let error = template
        .parse::<Template>()
        .unwrap()
        .render(attributes)
        .unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
}

#[test]
fn an_attribute_stands_for_a_step() {
    let node = attributes([
        ("id", "o1".into()),
        ("n", Value::Int(7)),
        ("a.b", true.into()),
    ]);
    renders("c/main/orders/{id}", &node, "c/main/orders/o1");
    renders(
        "c/main/orders/all.{id}.{n}.status",
        &node,
        "c/main/orders/all.o1.7.status",
    );
    renders(
        "c/main/orders/{id}?colour",
        &node,
        "c/main/orders/o1?colour",
    );
    renders(
        "c/main/orders/{id}/parent",
        &node,
        "c/main/orders/o1.#parent",
    );
    renders("c/main/orders/../{id}", &node, "c/main/orders/#parent.o1");
    renders("c/main/orders/{a.b}.#0", &node, "c/main/orders/true.#0");
    renders("c/main/orders/all", &node, "c/main/orders/all");
    renders("c/main/orders", &node, "c/main/orders");
}

#[test]
fn a_value_is_one_label_whatever_it_holds() {
    for hostile in [
        "a.b", "../x", "x?y", "#0", "#parent", "**", "a/b/c", "{id}", r"a\.b", "é ~ &=",
    ] {
        let node = attributes([("id", hostile.into())]);
        let template: Template = "c/main/orders/in.{id}.status".parse().unwrap();
        let address = template.render(&node).unwrap();
        let labels: Vec<_> = address
            .path()
            .steps()
            .map(|step| step.label().unwrap().to_owned())
            .collect();
        assert_eq!(labels, ["in", hostile, "status"]);
        assert!(address.path().query().is_none());
    }
}

#[test]
fn a_brace_is_doubled() {
    let node = attributes([("id", "o1".into())]);
    renders("c/main/orders/{{id}}.{id}", &node, "c/main/orders/{id}.o1");
    renders("c{{/main/orders/x{{y", &node, "c{/main/orders/x{y");
}

#[test]
fn a_missing_attribute_is_an_error_of_the_read() {
    let template = "c/main/orders/{id}";
    fails(
        template,
        &attributes([]),
        ResolveErrorKind::MissingAttribute,
    );
    fails(
        template,
        &attributes([("id", Value::Null)]),
        ResolveErrorKind::MissingAttribute,
    );
    let error = template
        .parse::<Template>()
        .unwrap()
        .render(&attributes([]))
        .unwrap_err();
    assert!(error.to_string().contains(r#""id""#), "{error}");
}

#[test]
fn what_is_no_label_is_refused() {
    let list = Value::List(List::new(vec![Value::Int(1)]).unwrap());
    for value in [
        list,
        "".into(),
        "a\nb".into(),
        "x".repeat(256).as_str().into(),
    ] {
        fails(
            "c/main/orders/{id}",
            &attributes([("id", value)]),
            ResolveErrorKind::BadAttribute,
        );
    }
    let long = attributes([("id", "x".repeat(255).as_str().into())]);
    fails(
        "c/main/orders/{id}.{id}.{id}.{id}.{id}",
        &long,
        ResolveErrorKind::BadAttribute,
    );
}

#[test]
fn a_wrong_template_is_refused_with_its_place() {
    refuses("c/main", Kind::NotAnAddress, 6);
    refuses("c/main/orders/a..b", Kind::NotAnAddress, 16);
    refuses("c/main/orders/{id}.a..b", Kind::NotAnAddress, 21);
    refuses("c/main/orders/{{.{id}..b", Kind::NotAnAddress, 22);
    refuses("c/main/orders/*", Kind::NotAnAddress, 14);
    refuses("c/main/orders/{id", Kind::StrayBrace, 14);
    refuses("c/main/orders/id}", Kind::StrayBrace, 16);
    refuses("c/main/orders/{}", Kind::BadName, 14);
    refuses("c/main/orders/{a{b}", Kind::BadName, 14);
    refuses("c/main/orders/u{id}", Kind::NotAStep, 15);
    refuses("c/main/orders/{id}u", Kind::NotAStep, 14);
    refuses("c/main/orders/{id}{id}", Kind::NotAStep, 14);
    refuses(r"c/main/orders/a\.{id}", Kind::NotAStep, 17);
    refuses("c/main/orders/#a={id}", Kind::NotAStep, 17);
    refuses("c/main/orders/a?{id}", Kind::NotAStep, 16);
    refuses("c/main/orders/a/{id}", Kind::NotAStep, 16);
    refuses("{m}/main/orders/a", Kind::NotAStep, 0);
    refuses("c/ma.{id}/orders/a", Kind::NotAStep, 5);
    refuses(
        &"x".repeat(TEMPLATE_BYTES_MAX + 1),
        Kind::TooLong,
        TEMPLATE_BYTES_MAX,
    );
}
