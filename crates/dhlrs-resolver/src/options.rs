//! How a resolver is cached, retried and kept in time.

use dhlrs_bag::Attributes;

use crate::error::{ConfigError, ConfigErrorKind};

/// The longest time an option may ask for: 366 days.
pub const OPTION_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1000;
/// The shortest refresh interval, so that an idle node does not keep the process busy.
pub const REFRESH_INTERVAL_MS_MIN: u64 = 100;
/// The most calls that one flight may make.
pub const ATTEMPTS_MAX: u32 = 64;

/// How a resolver is cached, retried and kept in time. All durations are in milliseconds of the
/// injected clock.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolverOptions {
    /// 0: every read resolves. Above: a result is fresh that long. Below: until it is reset. A node
    /// that names the resolver brings its own cache time, which is used instead.
    pub cache_time_ms: i64,
    /// A flight, its retries included, ends after this time. 1 to [`OPTION_MS_MAX`].
    pub timeout_ms: u64,
    /// How often a failed call is made again.
    pub retry: Retry,
    /// For this long after its end of freshness a result is still served, while one flight fetches
    /// the next.
    pub stale_while_revalidate_ms: u64,
    /// For this long an error is the answer, without a call.
    pub negative_cache_ms: u64,
    /// The time from the end of one flight to the next that starts without a reader; 0 switches it
    /// off, otherwise at least [`REFRESH_INTERVAL_MS_MIN`]. It begins with the first read.
    pub refresh_interval_ms: u64,
    /// The result is not stored on the node. It is still cached here.
    pub read_only: bool,
    /// Only a binding of the local configuration may use this resolver; a node that names it is
    /// answered [`Denied`](crate::ResolveErrorKind::Denied). Set it for resolvers that must not
    /// follow what others write.
    pub bindings_only: bool,
    /// Defaults of the parameters. Those of the node's reference or the binding override them, then
    /// the attributes of the node, then the arguments of the call.
    pub parameters: Attributes,
}

/// Calls of one flight: the first, and those after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Calls in all, 1 to [`ATTEMPTS_MAX`]. 1: no retry.
    pub attempts: u32,
    /// The pause after the first failure. It doubles with each further one.
    pub backoff_first_ms: u64,
    /// The longest pause.
    pub backoff_max_ms: u64,
}

impl Default for Retry {
    /// One call, no retry; 100 ms to 10 s between calls if more attempts are set.
    fn default() -> Self {
        Self {
            attempts: 1,
            backoff_first_ms: 100,
            backoff_max_ms: 10_000,
        }
    }
}

impl Retry {
    /// The pause after that many failed calls of one flight.
    #[must_use]
    pub fn backoff_ms(&self, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(63);
        self.backoff_first_ms
            .saturating_mul(1 << doublings)
            .min(self.backoff_max_ms)
    }
}

impl Default for ResolverOptions {
    /// Every read resolves, within 30 s, in one call; nothing else is on.
    fn default() -> Self {
        Self {
            cache_time_ms: 0,
            timeout_ms: 30_000,
            retry: Retry::default(),
            stale_while_revalidate_ms: 0,
            negative_cache_ms: 0,
            refresh_interval_ms: 0,
            read_only: false,
            bindings_only: false,
            parameters: Attributes::default(),
        }
    }
}

impl ResolverOptions {
    /// Whether every option is within its limits.
    ///
    /// # Errors
    ///
    /// [`TooSmall`](ConfigErrorKind::TooSmall) or [`TooLarge`](ConfigErrorKind::TooLarge), naming
    /// the option.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refresh_min = if self.refresh_interval_ms == 0 {
            0
        } else {
            REFRESH_INTERVAL_MS_MIN
        };
        let within = [
            (
                "cache_time_ms",
                u64::try_from(self.cache_time_ms).unwrap_or(0),
                0,
                OPTION_MS_MAX,
            ),
            ("timeout_ms", self.timeout_ms, 1, OPTION_MS_MAX),
            (
                "retry.attempts",
                self.retry.attempts.into(),
                1,
                ATTEMPTS_MAX.into(),
            ),
            (
                "retry.backoff_first_ms",
                self.retry.backoff_first_ms,
                0,
                OPTION_MS_MAX,
            ),
            (
                "retry.backoff_max_ms",
                self.retry.backoff_max_ms,
                self.retry.backoff_first_ms,
                OPTION_MS_MAX,
            ),
            (
                "stale_while_revalidate_ms",
                self.stale_while_revalidate_ms,
                0,
                OPTION_MS_MAX,
            ),
            (
                "negative_cache_ms",
                self.negative_cache_ms,
                0,
                OPTION_MS_MAX,
            ),
            (
                "refresh_interval_ms",
                self.refresh_interval_ms,
                refresh_min,
                OPTION_MS_MAX,
            ),
        ];
        for (option, is, least, limit) in within {
            if is < least {
                return Err(ConfigError::new(
                    ConfigErrorKind::TooSmall,
                    option,
                    is,
                    least,
                ));
            }
            if is > limit {
                return Err(ConfigError::new(
                    ConfigErrorKind::TooLarge,
                    option,
                    is,
                    limit,
                ));
            }
        }
        Ok(())
    }
}
