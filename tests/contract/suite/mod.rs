//! The contract: every case, passed by every connector over its simulated system.
//!
//! A case is a function of a [`System`](super::world::System) in one of the files below, a line in `contract!`, and a
//! line in `docs/connectors/contract.md`. A system is an implementation of [`World`](super::world::World) and a word in
//! the last lines of this file.

mod deletes;
mod faults;
mod fields;
mod gaps;
mod history;
mod kill;
mod reading;
mod requests;
mod ties;
mod values;

/// The cases, for each of the systems named.
macro_rules! contract {
    ($($system:ident),*) => {
        contract! { @cases [$($system)*]
            reading {
                a_first_load_is_all_there_is
                an_empty_stream_is_read_and_then_filled
                changes_are_read_alone
                what_moves_between_two_pages_is_neither_lost_nor_doubled
                what_becomes_visible_late_is_read_by_a_window_and_dated_by_its_stamp
                what_becomes_visible_too_late_for_any_window_is_found_by_looking_at_everything
                what_changes_without_a_stamp_is_found_by_a_full_read_and_dated_by_it
            }
            ties {
                twelve_thousand_records_with_one_stamp_are_all_read
            }
            requests {
                a_first_load_and_a_quiet_run_ask_for_no_more_than_the_pages
                a_stream_that_fills_its_last_page_costs_no_request_for_an_empty_one
            }
            deletes {
                e1_deleted_records_are_gone_and_stay_what_they_were_before
                e2_what_vanishes_without_a_trace_is_absent_after_the_next_look_at_all_keys
                e2_a_full_read_finds_what_vanished_too
                a_record_that_lives_and_dies_between_two_runs_leaves_nothing_wrong
                an_undeleted_record_is_back
                a_merged_record_names_the_one_that_lives_on
                an_archived_record_is_known_as_archived
            }
            fields {
                b5_a_field_added_is_read_for_every_record
                b5_a_field_removed_keeps_what_it_was_and_changes_no_record
                b8_a_field_renamed_is_read_under_its_new_name
                b5_a_field_hidden_loses_no_value_and_is_read_on_when_it_is_back
            }
            values {
                b7_values_of_every_type_are_kept_as_they_were_given
            }
            faults {
                being_throttled_for_a_moment_costs_only_time
                a_service_that_fails_for_a_moment_is_asked_again
                a_web_page_is_not_taken_for_an_answer
                an_answer_that_breaks_off_is_asked_for_again
                a_page_that_comes_twice_doubles_nothing
                a_page_that_lacks_records_loses_none
                trouble_that_stays_ends_the_run_and_the_next_goes_on_behind_what_was_read
                a_short_pause_asked_for_is_kept_and_a_long_one_ends_the_run
                a_slow_answer_is_waited_for
                a_session_that_ends_in_mid_run_is_renewed_and_each_token_is_used_once
                a_withdrawn_credential_stops_the_source_at_once_until_there_is_another
                a_used_up_allowance_ends_the_run_partial_and_the_next_day_goes_on
            }
            kill {
                a_first_load_killed_at_any_page_is_gone_on_with
                a_window_and_a_sweep_killed_at_any_page_are_gone_on_with
                a_full_read_killed_at_any_page_is_gone_on_with
                the_world_goes_on_while_a_run_lies_dead
            }
            history {
                m_at_every_run_the_past_is_what_the_world_says_it_was
                m_any_history_in_any_pieces_is_told_truly_at_every_past_instant
            }
        }
    };
    (@cases [$($system:ident)*] $($theme:ident $cases:tt)*) => {
        contract! { @systems [$($system)*] { $($theme $cases)* } }
        // It knows what `sql` knows, so the page says nothing of it.
        #[cfg(feature = "odbc")]
        contract! { @systems [sql_over_odbc] { $($theme $cases)* } }

        #[test]
        fn the_page_lists_every_case_and_what_each_system_does_not_know() {
            let systems = [$(super::$system::SYSTEM),*];
            gaps::assert_written_down(&systems, contract!(@names $($cases)*));
        }
    };
    (@systems [$($system:ident)*] $themes:tt) => {
        $(contract! { @system $system $themes })*
    };
    (@system $system:ident { $($theme:ident { $($case:ident)* })* }) => {
        mod $system {
            $(mod $theme {
                $(
                    #[tokio::test]
                    async fn $case() {
                        super::super::$theme::$case(crate::contract::$system::SYSTEM).await;
                    }
                )*
            })*
        }
    };
    (@names $({ $($case:ident)* })*) => { &[$($(stringify!($case),)*)*] };
}

contract!(salesforce, kintone, hubspot, zoho, sql, rest);
