//! The lines that a transport's tests consist of.

/// Judges a transport. Takes a `fn() -> Pair` that gives fresh transports each time.
#[macro_export]
macro_rules! conformance {
    ($pair:expr) => {
        $crate::__cases! { $pair;
            frames_arrive_as_they_were_sent
            a_frame_over_the_limit_is_refused_alone
            order_is_kept_on_four_channels
            order_is_kept_for_each_of_four_tasks
            both_directions_flow_at_once
            a_slow_receiver_holds_back_or_loss_is_reported
            receipts_resolve_once_the_frames_are_through
            many_messages_take_flat_memory
            dropped_sends_lose_nothing_and_send_nothing
            dropped_receives_lose_nothing
            dropped_accepts_lose_nothing
            two_receivers_get_each_frame_once
            a_clean_close_delivers_what_was_accepted
            a_clean_close_delivers_while_the_peer_talks
            both_ends_may_close_at_once
            a_closed_channel_is_closed
            closing_gives_up_on_a_peer_that_takes_nothing
            closing_after_the_peer_is_lost_is_no_success
            the_loss_of_the_peer_is_reported
            a_loss_settles_every_receipt
            dropping_everything_leaves_no_task
            dropping_a_blocked_channel_leaves_no_task
            a_lost_peer_can_be_reached_again
            an_address_is_taken_once_and_then_free_again
            nobody_there_is_unavailable
            a_foreign_url_is_refused
        }
    };
}

/// Judges how a transport that listens at a TCP port takes what is not its protocol. Takes a
/// `fn() -> Pair`.
#[macro_export]
macro_rules! conformance_tcp {
    ($pair:expr) => {
        $crate::__cases! { $pair;
            garbage_on_the_socket_is_survived
            who_connects_and_says_nothing_is_no_obstacle
            any_port_means_a_free_one
        }
    };
}

/// Judges a transport's TLS. Takes a `fn(&TlsMaterial) -> Pair` that gives the server its
/// certificate and the client its CA.
#[macro_export]
macro_rules! conformance_tls {
    ($pair:expr) => {
        $crate::__tls_cases! { $pair;
            a_trusted_certificate_encrypts
            a_certificate_of_an_unknown_ca_is_denied
            an_expired_certificate_is_denied
            a_certificate_of_the_future_is_denied
            a_certificate_for_another_name_is_denied
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ($pair:expr; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::run(stringify!($case), $crate::cases::$case, $pair);
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tls_cases {
    ($pair:expr; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::run_tls(stringify!($case), $crate::cases::$case, $pair);
            }
        )*
    };
}
