//! What a serializer that takes few things says to the others.

/// Writes the named methods and types of a `Serializer` whose result is `$ok`; each method answers
/// with what `$refuse` gives.
macro_rules! refused {
    ($ok:ty, $refuse:ident: $($name:tt)*) => {
        $(refused! { @ $name $ok, $refuse })*
    };
    (@ bool $($to:tt)*) => { refused! { @scalar serialize_bool bool, $($to)* } };
    (@ i8 $($to:tt)*) => { refused! { @scalar serialize_i8 i8, $($to)* } };
    (@ i16 $($to:tt)*) => { refused! { @scalar serialize_i16 i16, $($to)* } };
    (@ i32 $($to:tt)*) => { refused! { @scalar serialize_i32 i32, $($to)* } };
    (@ i64 $($to:tt)*) => { refused! { @scalar serialize_i64 i64, $($to)* } };
    (@ u8 $($to:tt)*) => { refused! { @scalar serialize_u8 u8, $($to)* } };
    (@ u16 $($to:tt)*) => { refused! { @scalar serialize_u16 u16, $($to)* } };
    (@ u32 $($to:tt)*) => { refused! { @scalar serialize_u32 u32, $($to)* } };
    (@ u64 $($to:tt)*) => { refused! { @scalar serialize_u64 u64, $($to)* } };
    (@ f32 $($to:tt)*) => { refused! { @scalar serialize_f32 f32, $($to)* } };
    (@ f64 $($to:tt)*) => { refused! { @scalar serialize_f64 f64, $($to)* } };
    (@ char $($to:tt)*) => { refused! { @scalar serialize_char char, $($to)* } };
    (@ str $($to:tt)*) => { refused! { @scalar serialize_str &str, $($to)* } };
    (@ bytes $($to:tt)*) => { refused! { @scalar serialize_bytes &[u8], $($to)* } };
    (@ unit_struct $($to:tt)*) => { refused! { @scalar serialize_unit_struct &'static str, $($to)* } };
    (@scalar $method:ident $from:ty, $ok:ty, $refuse:ident) => {
        fn $method(self, _: $from) -> Result<$ok, TypedError> {
            $refuse()
        }
    };
    (@ none $ok:ty, $refuse:ident) => {
        fn serialize_none(self) -> Result<$ok, TypedError> {
            $refuse()
        }
    };
    (@ unit $ok:ty, $refuse:ident) => {
        fn serialize_unit(self) -> Result<$ok, TypedError> {
            $refuse()
        }
    };
    (@ some $ok:ty, $refuse:ident) => {
        fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<$ok, TypedError> {
            $refuse()
        }
    };
    (@ unit_variant $ok:ty, $refuse:ident) => {
        fn serialize_unit_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
        ) -> Result<$ok, TypedError> {
            $refuse()
        }
    };
    (@ newtype_struct $ok:ty, $refuse:ident) => {
        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: &T,
        ) -> Result<$ok, TypedError> {
            $refuse()
        }
    };
    (@ newtype_variant $ok:ty, $refuse:ident) => {
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<$ok, TypedError> {
            $refuse()
        }
    };
    (@ seq $ok:ty, $refuse:ident) => {
        type SerializeSeq = Impossible<$ok, TypedError>;

        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, TypedError> {
            $refuse()
        }
    };
    (@ tuple $ok:ty, $refuse:ident) => {
        type SerializeTuple = Impossible<$ok, TypedError>;

        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, TypedError> {
            $refuse()
        }
    };
    (@ tuple_struct $ok:ty, $refuse:ident) => {
        type SerializeTupleStruct = Impossible<$ok, TypedError>;

        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleStruct, TypedError> {
            $refuse()
        }
    };
    (@ tuple_variant $ok:ty, $refuse:ident) => {
        type SerializeTupleVariant = Impossible<$ok, TypedError>;

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, TypedError> {
            $refuse()
        }
    };
    (@ map $ok:ty, $refuse:ident) => {
        type SerializeMap = Impossible<$ok, TypedError>;

        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, TypedError> {
            $refuse()
        }
    };
    (@ struct $ok:ty, $refuse:ident) => {
        type SerializeStruct = Impossible<$ok, TypedError>;

        fn serialize_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStruct, TypedError> {
            $refuse()
        }
    };
    (@ struct_variant $ok:ty, $refuse:ident) => {
        type SerializeStructVariant = Impossible<$ok, TypedError>;

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, TypedError> {
            $refuse()
        }
    };
}

pub(super) use refused;
