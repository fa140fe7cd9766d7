//! What the suite asks of an outside system: a simulator, wrapped so that all systems look alike.
//!
//! A system that does not know something says so in [`Facts::lacks`], and its method gives `None`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use serde_json::Value;
use simulators::salesforce::Stall;
use tokio::task::JoinHandle;

/// A record's fields, as a log should have them.
pub(crate) type Values = BTreeMap<String, Option<String>>;

/// All records that are there, by key.
pub(crate) type Truth = BTreeMap<String, Values>;

/// A line of the table of systems: what the suite knows about one before it is started.
#[derive(Clone, Copy)]
pub(crate) struct System {
    pub(crate) start: fn(Setup) -> BoxFuture<'static, Arc<dyn World>>,
    pub(crate) facts: &'static Facts,
}

/// What is so of every world of a system.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The connector's name, and that of the source.
    pub(crate) name: &'static str,
    /// The most records that a page can hold.
    pub(crate) most_rows: u64,
    /// What every run must ask beside pages of records, with how many requests that takes.
    pub(crate) asked_besides: &'static [(Call, usize)],
    /// What a complete reading asks beside that.
    pub(crate) asked_by_passes: &'static [(Call, usize)],
    /// What has a stamp that much older than a run, and can be seen, is read by it.
    pub(crate) lag_secs: i64,
    /// What becomes visible that long after its stamp is still read by a window, and dated by its stamp.
    pub(crate) late_secs: i64,
    /// After so long a run looks at all keys again.
    pub(crate) sweep_secs: i64,
    /// Whether such a look also finds what changed under another revision.
    pub(crate) sweep_finds_changes: bool,
    /// Whether such a look is a complete reading, since keys alone would cost no less.
    pub(crate) sweeps_are_passes: bool,
    /// Whether a record tells which others were merged into it, so that a run reads of more records than were sent.
    pub(crate) records_tell_merges: bool,
    /// Whether windows are told as keys, whose records are then read by key; else as records.
    pub(crate) windows_tell_keys: bool,
    /// How fine stamps are.
    pub(crate) grain_secs: i64,
    /// What the log calls a record that somebody deleted.
    pub(crate) deleted: &'static str,
    /// Whether windows tell of deletions; else only looks at all keys do.
    pub(crate) tells_deletes: bool,
    /// Whether a stream whose field has gone is not read until a person says what became of it.
    pub(crate) stops_without_a_field: bool,
    /// What the system does not know, and why.
    pub(crate) lacks: &'static [(Ability, &'static str)],
    /// The forms that trouble takes.
    pub(crate) forms: fn(Trouble) -> Vec<Form>,
}

/// What some systems know and others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ability {
    Undelete,
    Merge,
    Archive,
    /// To ask for a pause in an answer (`Retry-After`).
    AskForPause,
    /// To limit what is asked of it in a day.
    Ration,
    /// To say which fields records have.
    Describe,
    /// To end a session that can be renewed.
    RenewSession,
}

impl Ability {
    pub(crate) const ALL: [Ability; 7] = [
        Ability::Undelete,
        Ability::Merge,
        Ability::Archive,
        Ability::AskForPause,
        Ability::Ration,
        Ability::Describe,
        Ability::RenewSession,
    ];
}

impl System {
    /// Whether the system is declared not to know how to do that.
    pub(crate) fn lacks(&self, ability: Ability) -> bool {
        self.facts.lacks.iter().any(|(lacking, _)| *lacking == ability)
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ability::Undelete => "undelete a record",
            Ability::Merge => "merge two records",
            Ability::Archive => "archive a record",
            Ability::AskForPause => "ask for a pause (`Retry-After`)",
            Ability::Ration => "limit what is asked of it in a day",
            Ability::Describe => "say which fields records have",
            Ability::RenewSession => "end a session that can be renewed",
        })
    }
}

/// What can go wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Too many requests.
    Throttled,
    /// The service fails for a moment.
    Unavailable,
    /// A web page instead of data.
    Html,
    /// The answer breaks off.
    Truncated,
    /// A page comes twice.
    Repeated,
    /// A page lacks records that it should have.
    Lacking,
    /// The allowance of the day is used up, says the system; some never do.
    UsedUp,
}

/// A form of trouble.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// As the simulator has it (`cut-json=700`).
    pub(crate) spec: &'static str,
    pub(crate) then: Then,
}

/// What a form of trouble does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connector copes.
    Coped,
    /// The run ends so; the next goes on.
    Ends(ErrorKind),
}

/// A form that the connector copes with.
pub(crate) const fn coped(spec: &'static str) -> Form {
    Form { spec, then: Then::Coped }
}

/// A form that ends the run; the next goes on.
pub(crate) const fn ends(spec: &'static str, kind: ErrorKind) -> Form {
    Form { spec, then: Then::Ends(kind) }
}

/// How a world is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) at: Timestamp,
    pub(crate) records: u64,
    pub(crate) seed: u64,
    /// Records asked for per page.
    pub(crate) page_rows: u64,
    /// Whether all fields are read, not only a few.
    pub(crate) all_fields: bool,
    pub(crate) sign_in: SignIn,
    /// Records read per batch.
    pub(crate) batch_rows: u64,
    /// Whether the system's own log of deletions is left unread, where it keeps one.
    pub(crate) no_log: bool,
}

/// How the source signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// As people are advised to.
    Plain,
    /// With tokens that expire and are renewed; each renewal replaces what the next one needs.
    Renewed,
    /// As somebody from whom fields can be hidden.
    Person,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    /// Records with their fields.
    Records,
    /// Keys alone.
    Keys,
    /// The keys of what changed, or how many records there are.
    Search,
    /// Records that are gone.
    Removed,
    /// What the stream offers.
    Description,
    /// What time it is there.
    Clock,
    SignIn,
}

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) call: Call,
    /// How many records the answer held.
    pub(crate) rows: u64,
    /// Whether a run's report counts it.
    pub(crate) is_counted: bool,
}

/// A value to be read as it was given.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) field: String,
    pub(crate) given: Value,
    /// As a log keeps it.
    pub(crate) kept: Option<String>,
}

impl Sample {
    pub(crate) fn new(field: &str, given: Value, kept: Option<&str>) -> Sample {
        Sample { field: field.to_owned(), given, kept: kept.map(str::to_owned) }
    }

    /// A text that is kept as it is.
    pub(crate) fn text(field: &str, text: &str) -> Sample {
        Sample::new(field, text.into(), Some(text))
    }
}

/// An outside system with one stream of customers, in the hands of a test.
///
/// A record has a *note*, which edits change with a stamp, and a *quiet* field, which changes without one. Edits that
/// the system refuses (of a record that is gone, say) do nothing and give `false`.
pub(crate) trait World: Send + Sync {
    /// The stream of customers.
    fn stream(&self) -> StreamId;

    /// The source's files, by their names in the project: how to reach the system as it is now.
    fn files(&self) -> Vec<(String, String)>;

    /// The field that edits change.
    fn note(&self) -> &'static str;

    /// The field that only silent changes change.
    fn quiet(&self) -> &'static str;

    /// The system's clock.
    fn now(&self) -> Timestamp;

    /// Moves it on.
    fn advance(&self, secs: i64);

    /// Adds a record with these fields; gives its key.
    fn insert(&self, fields: &[(&str, Value)]) -> String;

    /// Adds a record that is stamped now and can be seen later.
    fn insert_late(&self, note: &str, delay_secs: i64) -> String;

    /// Changes fields.
    fn update(&self, key: &str, fields: &[(&str, Value)]) -> bool;

    /// Changes the note of all records, with one stamp.
    fn update_all(&self, note: &str);

    /// Changes the note: stamped now, seen later.
    fn update_late(&self, key: &str, note: &str, delay_secs: i64) -> bool;

    /// Changes the quiet field and nothing else: no stamp, no revision.
    fn change_silently(&self, key: &str, text: &str) -> bool;

    /// Deletes a record.
    fn delete(&self, key: &str) -> bool;

    /// Deletes a record so that nothing tells of it.
    fn vanish(&self, key: &str) -> bool;

    /// Brings a deleted record back.
    fn undelete(&self, _key: &str) -> Option<bool> {
        None
    }

    /// Merges `loser` into `winner`.
    fn merge(&self, _winner: &str, _loser: &str) -> Option<bool> {
        None
    }

    /// Puts a record aside.
    fn archive(&self, _key: &str) -> Option<bool> {
        None
    }

    /// Adds a field of text, and gives its name.
    fn add_field(&self) -> String;

    /// Gives the field that was added another name, which is given back.
    fn rename_field(&self, name: &str) -> String;

    /// Takes the field that was added away.
    fn remove_field(&self, name: &str);

    /// Hides a field from whoever signs in, or shows it again.
    fn hide_field(&self, name: &str, is_hidden: bool);

    /// Says in the source's file that a person knows of a field that has gone.
    fn accept_gone(&self, _name: &str) {}

    /// Values of every type, adding the fields that are missing for them.
    fn samples(&self) -> Vec<Sample>;

    /// Arms a form of trouble for these requests for pages (`2`, `2-4`, `2+`).
    fn arm(&self, form: &str, calls: &str);

    /// Refuses these requests for pages, asking for that long a pause.
    fn ask_for_pause(&self, _secs: u64, _calls: &str) -> Option<()> {
        None
    }

    /// Makes the next request for a page wait.
    fn stall(&self) -> Stall;

    /// Forgets all trouble.
    fn disarm(&self);

    /// Forgets what is kept for a reader between two pages, if anything is.
    fn forget_places(&self) {}

    /// Ends the session with the `nth` request for a page.
    fn expire(&self, nth: u64);

    /// Withdraws the credential.
    fn revoke(&self);

    /// Gives the source another credential.
    fn admit(&self);

    /// Lets the source ask for so little a day that a first load of ten pages stops on the way; `false` takes that back.
    /// Only asked of a system that knows how ([`Ability::Ration`]).
    fn ration(&self, is_rationed: bool);

    /// The records as they are now, those that can be seen.
    fn truth(&self) -> Truth;

    /// The same at an instant, as the stamps tell it.
    fn truth_at(&self, instant: Timestamp) -> Truth;

    /// The requests answered since [`World::clear_calls`].
    fn calls(&self) -> Vec<Seen>;

    /// Forgets them.
    fn clear_calls(&self);
}

impl dyn World + '_ {
    /// Changes the note of a record.
    pub(crate) fn edit(&self, key: &str, note: &str) -> bool {
        self.update(key, &[(self.note(), note.into())])
    }

    /// Adds a record with that note.
    pub(crate) fn add(&self, note: &str) -> String {
        self.insert(&[(self.note(), note.into())])
    }

    /// The keys of all records, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.truth().into_keys().collect()
    }

    /// How many requests of that kind were answered.
    pub(crate) fn count(&self, call: Call) -> usize {
        self.calls().iter().filter(|seen| seen.call == call).count()
    }
}

/// Makes an edit just before each of these requests for pages (rising, the first is 1) is answered. Whoever asks for it
/// must see afterwards that it happened: `is_finished`.
pub(crate) fn before_pages(
    world: &Arc<dyn World>,
    pages: impl IntoIterator<Item = u64>,
    mut edit: impl FnMut(&dyn World) + Send + 'static,
) -> JoinHandle<()> {
    let pages: Vec<u64> = pages.into_iter().collect();
    let world = Arc::clone(world);
    let mut gate = world.stall();
    tokio::spawn(async move {
        let last = pages.last().copied().unwrap_or_default();
        for page in 1..=last {
            gate.reached().await;
            if pages.contains(&page) {
                edit(&*world);
            }
            let next = if page < last { world.stall() } else { gate.clone() };
            gate.open();
            gate = next;
        }
    })
}
