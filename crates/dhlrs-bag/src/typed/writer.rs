//! A value of a serde type as rows.

use dhlrs_path::{DEPTH_MAX, Path};
use serde::ser::{self, Serialize, Serializer};

use super::{
    TypedError, TypedErrorKind as Kind,
    keys::KeyWriter,
    scalars::{DecimalWriter, IntWriter},
};
use crate::{
    BRANCH_NODES_MAX, Branch, BranchErrorKind, Content, Decimal, LIST_ITEMS_MAX, Label, List, Row,
    Timestamp, Value,
    coding::{DECIMAL, TIMESTAMP, VALUE},
};

pub(super) fn content<T: Serialize + ?Sized>(value: &T) -> Result<Content, TypedError> {
    let mut rows = Rows {
        // A stand-in for the node that the value is written to.
        rows: vec![Row::value(0, Label::unchecked("top".into()), Value::Null)],
        above: Vec::new(),
    };
    let placed = value.serialize(RowWriter {
        rows: &mut rows,
        at: 0,
    });
    placed.map_err(|error| error.at(&rows.path()))?;
    let mut rows = rows.rows.into_iter();
    if let Some(value) = rows.next().and_then(|top| top.value) {
        return Ok(Content::Value(value));
    }
    let rows = rows.map(|row| Row {
        depth: row.depth - 1,
        ..row
    });
    Branch::from_rows(rows)
        .map(Content::Branch)
        .map_err(|cause| {
            let kind = match cause.kind() {
                BranchErrorKind::DuplicateLabel => Kind::BadLabel,
                _ => Kind::TooLarge,
            };
            TypedError::new(kind, cause)
        })
}

#[derive(Debug)]
struct Rows {
    rows: Vec<Row>,
    // The labels that lead to what is being written; an error leaves them as they are.
    above: Vec<Label>,
}

impl Rows {
    fn path(&self) -> Path<'static> {
        Path::from_labels(&self.above).unwrap_or_default()
    }

    fn open(&mut self, at: usize) {
        if let Some(row) = self.rows.get_mut(at) {
            row.value = None;
        }
    }

    // Adds a node to a bag and says where it is.
    fn push(&mut self, parent: usize, label: Label) -> Result<usize, TypedError> {
        let depth = self.rows.get(parent).map_or(0, |row| row.depth) + 1;
        if usize::from(depth) > DEPTH_MAX {
            let detail = format_args!("nested deeper than a tree may be, limit {DEPTH_MAX}");
            return Err(TypedError::new(Kind::TooLarge, detail));
        }
        if self.rows.len() > BRANCH_NODES_MAX {
            let detail = format_args!("more than {BRANCH_NODES_MAX} nodes");
            return Err(TypedError::new(Kind::TooLarge, detail));
        }
        let at = self.rows.len();
        let row = Row::value(depth, label.clone(), Value::Null);
        self.rows.push(row);
        self.above.push(label);
        Ok(at)
    }

    fn child<T: Serialize + ?Sized>(
        &mut self,
        parent: usize,
        label: Label,
        value: &T,
    ) -> Result<(), TypedError> {
        let at = self.push(parent, label)?;
        value.serialize(RowWriter { rows: self, at })?;
        self.above.pop();
        Ok(())
    }

    // A bag of few scalars, just written, is a List.
    fn fold(&mut self, at: usize) -> Result<(), TypedError> {
        let children = self.rows.get(at + 1..).unwrap_or_default();
        let depth = self.rows.get(at).map_or(0, |row| row.depth) + 1;
        let is_flat = |row: &Row| {
            row.depth == depth && matches!(&row.value, Some(value) if value.as_list().is_none())
        };
        if children.len() > LIST_ITEMS_MAX || !children.iter().all(is_flat) {
            return Ok(());
        }
        let items = self.rows.drain(at + 1..).filter_map(|row| row.value);
        let list =
            List::new(items.collect()).map_err(|cause| TypedError::new(Kind::TooLarge, cause))?;
        self.put(at, list.into());
        Ok(())
    }

    fn put(&mut self, at: usize, value: Value) {
        if let Some(row) = self.rows.get_mut(at) {
            row.value = Some(value);
        }
    }
}

struct RowWriter<'a> {
    rows: &'a mut Rows,
    at: usize,
}

impl<'a> RowWriter<'a> {
    fn put(self, value: impl Into<Value>) -> Result<(), TypedError> {
        self.rows.put(self.at, value.into());
        Ok(())
    }

    fn int<N: Copy + std::fmt::Display + TryInto<i64>>(self, number: N) -> Result<(), TypedError> {
        let Ok(number) = number.try_into() else {
            let detail = format_args!("{number} is beyond an integer of 64 bits with a sign");
            return Err(TypedError::new(Kind::OutOfRange, detail));
        };
        self.put(Value::Int(number))
    }

    fn bag(self) -> Result<Children<'a>, TypedError> {
        self.rows.open(self.at);
        Ok(Children {
            rows: self.rows,
            at: self.at,
            next: 0,
            key: None,
            in_variant: false,
            may_fold: false,
        })
    }

    fn list(self) -> Result<Children<'a>, TypedError> {
        Ok(Children {
            may_fold: true,
            ..self.bag()?
        })
    }

    // A bag whose one child is the variant; what follows is written to that.
    fn variant(self, variant: &'static str, may_fold: bool) -> Result<Children<'a>, TypedError> {
        self.rows.open(self.at);
        let label = variant.serialize(KeyWriter)?;
        let at = self.rows.push(self.at, label)?;
        self.rows.open(at);
        Ok(Children {
            rows: self.rows,
            at,
            next: 0,
            key: None,
            in_variant: true,
            may_fold,
        })
    }
}

macro_rules! ints {
    ($($method:ident $from:ty;)*) => {$(
        fn $method(self, number: $from) -> Result<(), TypedError> {
            self.int(number)
        }
    )*};
}

impl<'a> Serializer for RowWriter<'a> {
    type Ok = ();
    type Error = TypedError;
    type SerializeSeq = Children<'a>;
    type SerializeTuple = Children<'a>;
    type SerializeTupleStruct = Children<'a>;
    type SerializeTupleVariant = Children<'a>;
    type SerializeMap = Children<'a>;
    type SerializeStruct = Children<'a>;
    type SerializeStructVariant = Children<'a>;

    ints! {
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
    }

    fn serialize_bool(self, value: bool) -> Result<(), TypedError> {
        self.put(value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), TypedError> {
        self.put(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), TypedError> {
        self.put(value)
    }

    fn serialize_char(self, value: char) -> Result<(), TypedError> {
        self.put(&*value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), TypedError> {
        self.put(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), TypedError> {
        self.put(value)
    }

    fn serialize_none(self) -> Result<(), TypedError> {
        self.put(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), TypedError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), TypedError> {
        self.put(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), TypedError> {
        self.put(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), TypedError> {
        match name {
            VALUE => self.put(Value::Null),
            _ => self.put(variant),
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), TypedError> {
        match name {
            TIMESTAMP => {
                let ns = value.serialize(IntWriter)?;
                self.put(Timestamp::from_ns(ns))
            }
            DECIMAL => {
                let (mantissa, scale) = value.serialize(DecimalWriter::default())?;
                let number = Decimal::new(mantissa, scale)
                    .map_err(|cause| TypedError::new(Kind::OutOfRange, cause))?;
                self.put(number)
            }
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), TypedError> {
        if name == VALUE {
            return value.serialize(self);
        }
        self.rows.open(self.at);
        let label = variant.serialize(KeyWriter)?;
        self.rows.child(self.at, label, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Children<'a>, TypedError> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<Children<'a>, TypedError> {
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Children<'a>, TypedError> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Children<'a>, TypedError> {
        self.variant(variant, true)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Children<'a>, TypedError> {
        self.bag()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Children<'a>, TypedError> {
        self.bag()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Children<'a>, TypedError> {
        self.variant(variant, false)
    }
}

/// An open bag.
struct Children<'a> {
    rows: &'a mut Rows,
    at: usize,
    next: usize,
    key: Option<Label>,
    in_variant: bool,
    may_fold: bool,
}

impl Children<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        let label = self.next.serialize(KeyWriter)?;
        self.next += 1;
        self.rows.child(self.at, label, value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), TypedError> {
        let label = name.serialize(KeyWriter)?;
        self.rows.child(self.at, label, value)
    }

    fn close(self) -> Result<(), TypedError> {
        if self.may_fold {
            self.rows.fold(self.at)?;
        }
        if self.in_variant {
            self.rows.above.pop();
        }
        Ok(())
    }
}

macro_rules! sequences {
    ($($trait:ident $method:ident;)*) => {$(
        impl ser::$trait for Children<'_> {
            type Ok = ();
            type Error = TypedError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
                self.item(value)
            }

            fn end(self) -> Result<(), TypedError> {
                self.close()
            }
        }
    )*};
}

sequences! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! structs {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Children<'_> {
            type Ok = ();
            type Error = TypedError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), TypedError> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), TypedError> {
                self.close()
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Children<'_> {
    type Ok = ();
    type Error = TypedError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), TypedError> {
        self.key = Some(key.serialize(KeyWriter)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        match self.key.take() {
            Some(label) => self.rows.child(self.at, label, value),
            None => Err(ser::Error::custom("a value came before its key")),
        }
    }

    fn end(self) -> Result<(), TypedError> {
        self.close()
    }
}
