//! The cases, by what they are about.

mod cancel;
mod close;
mod content;
mod life;
mod order;
mod pressure;
mod tcp;
mod tls;

pub use cancel::*;
pub use close::*;
pub use content::*;
pub use life::*;
pub use order::*;
pub use pressure::*;
pub use tcp::*;
pub use tls::*;
