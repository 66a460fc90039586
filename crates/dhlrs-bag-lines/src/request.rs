//! The fields of a request, read as the reference reads them.

use dhlrs_path::Path;

use crate::{error::ErrorClass, json::Json, session::FIRST_HANDLE};

#[derive(Clone, Copy)]
pub(crate) struct Request<'r> {
    json: &'r Json,
}

static NULL: Json = Json::Null;

impl<'r> Request<'r> {
    pub(crate) fn new(json: &'r Json) -> Self {
        Self { json }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'r Json> {
        self.json.get(key)
    }

    /// A field that has to be there.
    pub(crate) fn field(&self, key: &str) -> Result<&'r Json, ErrorClass> {
        self.get(key).ok_or(ErrorClass::Missing)
    }

    /// A text that has to be there.
    pub(crate) fn text(&self, key: &str) -> Result<&'r str, ErrorClass> {
        self.field(key)?.text().ok_or(ErrorClass::Type)
    }

    /// A text, if there is one.
    pub(crate) fn optional_text(&self, key: &str) -> Option<&'r str> {
        self.get(key).and_then(Json::text)
    }

    /// A value, or Null.
    pub(crate) fn value(&self, key: &str) -> &'r Json {
        self.get(key).unwrap_or(&NULL)
    }

    /// What Python takes for true; `default` where it is left out.
    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        self.get(key).map_or(default, Json::is_truthy)
    }

    pub(crate) fn handle(&self) -> Result<String, ErrorClass> {
        Self::handle_name(self.get("bag"))
    }

    pub(crate) fn handle_name(json: Option<&Json>) -> Result<String, ErrorClass> {
        match json {
            None => Ok(FIRST_HANDLE.to_owned()),
            // What begins with this character is not a handle of the protocol.
            Some(Json::Text(name)) if name.starts_with('\0') => Err(ErrorClass::Value),
            Some(Json::Text(name)) => Ok(name.clone()),
            Some(Json::Int(number)) => Ok(number.to_string()),
            Some(_) => Err(ErrorClass::Missing),
        }
    }

    /// The path that has to be there.
    pub(crate) fn path(&self) -> Result<Path<'r>, ErrorClass> {
        Ok(Path::parse(self.text("path")?)?)
    }
}
