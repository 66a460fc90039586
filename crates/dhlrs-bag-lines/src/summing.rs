//! `sum`: Python's numbers, added.
//!
//! Not `Select::sum`: that makes a Float of what does not fit, while here a Decimal and a Float
//! have no sum, one that is too large is refused, and `strict` minds what is no number.

use dhlrs_bag::{Decimal, Value};

use crate::{
    error::ErrorClass,
    json::Json,
    querying::{Cell, Taking},
    request::Request,
    session::Session,
    writer::Writer,
};

/// A sum so far, of the type that the summands make it.
enum Sum {
    Int(i128),
    Float(f64),
    Decimal(i128, u8),
}

impl Session {
    pub(crate) fn op_sum(&mut self, request: &Request<'_>) -> Result<String, ErrorClass> {
        let bag = self.bag_of(request)?;
        let what = match request.get("what") {
            None => "#v",
            Some(what) => what.text().ok_or(ErrorClass::Type)?,
        };
        let strict = match request.value("strict") {
            Json::Null => false,
            Json::Bool(strict) => *strict,
            _ => return Err(ErrorClass::Type),
        };
        let is_several = what.contains(',');
        let mut sums = Vec::new();
        for criterion in what.split(',') {
            let criterion = Json::Text(match is_several {
                true => criterion.trim().to_owned(),
                false => criterion.to_owned(),
            });
            let (spot, fields) = self.fields(bag.clone(), &criterion)?;
            let rows = self.query(spot, &Taking::plain(fields))?;
            sums.push(total(rows, strict)?);
        }
        let mut writer = Writer::new();
        let write = |writer: &mut Writer, sum: &Option<Value>| match sum {
            Some(sum) => writer.value(sum),
            None => writer.null(),
        };
        if let ([sum], false) = (sums.as_slice(), is_several) {
            write(&mut writer, sum);
            return Ok(writer.finish());
        }
        writer.raw("[");
        for sum in &sums {
            writer.comma();
            write(&mut writer, sum);
        }
        writer.raw("]");
        Ok(writer.finish())
    }
}

fn total(rows: Vec<Vec<Cell>>, strict: bool) -> Result<Option<Value>, ErrorClass> {
    let mut sum = Sum::Int(0);
    let mut is_missing = false;
    for mut row in rows {
        let cell = match row.len() {
            1 => row.pop(),
            _ => None,
        };
        match cell {
            Some(Cell::Value(Value::Null)) => is_missing = true,
            Some(Cell::Value(Value::Text(text))) if text.as_str().is_empty() => is_missing = true,
            Some(Cell::Text(text)) if text.is_empty() => is_missing = true,
            Some(Cell::Value(
                value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_)),
            )) => sum = sum.plus(&value)?,
            _ if strict => return Err(ErrorClass::Type),
            _ => {}
        }
    }
    if strict && is_missing {
        return Ok(None);
    }
    Ok(Some(match sum {
        Sum::Int(sum) => Value::Int(i64::try_from(sum).map_err(|_| ErrorClass::Value)?),
        Sum::Float(sum) => Value::Float(sum),
        Sum::Decimal(mantissa, scale) => Value::Decimal(Decimal::new(mantissa, scale)?),
    }))
}

impl Sum {
    fn plus(self, value: &Value) -> Result<Self, ErrorClass> {
        let exact = match value {
            Value::Float(number) => {
                return match self {
                    Self::Int(sum) => Ok(Self::Float(sum as f64 + number)),
                    Self::Float(sum) => Ok(Self::Float(sum + number)),
                    // A decimal and a float have no common type.
                    Self::Decimal(..) => Err(ErrorClass::Type),
                };
            }
            Value::Decimal(number) => Self::Decimal(number.mantissa(), number.scale()),
            Value::Int(number) => Self::Int(i128::from(*number)),
            Value::Bool(value) => Self::Int(i128::from(*value)),
            _ => return Err(ErrorClass::Type),
        };
        let sum = match (self, exact) {
            (Self::Int(a), Self::Int(b)) => a.checked_add(b).map(Self::Int),
            (Self::Float(a), Self::Int(b)) => Some(Self::Float(a + b as f64)),
            (Self::Int(a), Self::Decimal(b, scale)) => add(a, 0, b, scale),
            (Self::Decimal(a, scale), Self::Int(b)) => add(a, scale, b, 0),
            (Self::Decimal(a, scale), Self::Decimal(b, other)) => add(a, scale, b, other),
            _ => return Err(ErrorClass::Type),
        };
        sum.ok_or(ErrorClass::Value)
    }
}

fn add(a: i128, a_scale: u8, b: i128, b_scale: u8) -> Option<Sum> {
    let scale = a_scale.max(b_scale);
    let scaled = |number: i128, from: u8| {
        let factor = 10_i128.checked_pow(u32::from(scale - from))?;
        number.checked_mul(factor)
    };
    let sum = scaled(a, a_scale)?.checked_add(scaled(b, b_scale)?)?;
    Some(Sum::Decimal(sum, scale))
}
