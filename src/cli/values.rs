//! The values of options, from text.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::time::Duration;

use clap::ValueEnum;

use crate::history::Key;
use crate::history::nearest::{nearest, suggestion};
use crate::hunt::property::Property;
use crate::judgement::datatype::{Datatype, named};
use crate::judgement::{Model, UnknownModel};
use crate::report::human::Human;
use crate::report::json::Json;
use crate::report::json_lines::JsonLines;
use crate::report::listing::Listing;
use crate::report::page::results;
use crate::report::reporter::Reporter;
use crate::report::{Look, github, junit, markdown};
use crate::search::exhaustive::Reduce;
use crate::world::{FaultKind, Faults, InboxOnCrash, Network, Routing};

/// The output format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[value(alias = "text")]
    Human,
    /// One JSON document, for programs
    Json,
    /// One JSON object a line, for programs
    Jsonl,
    /// A JUnit file, for continuous integration
    Junit,
    /// Annotations of GitHub Actions
    Github,
    /// A summary in Markdown
    Markdown,
    /// A page for the browser
    Html,
}

impl Format {
    /// The reporter that writes this format.
    pub fn reporter(self, look: Look) -> Box<dyn Reporter> {
        match self {
            Format::Human => Box::new(Human(look)),
            Format::Json => Box::new(Json::new(look)),
            Format::Jsonl => Box::new(JsonLines(look)),
            Format::Junit => Box::new(Listing::new(look, junit::text)),
            Format::Github => Box::new(Listing::new(look, github::text)),
            Format::Markdown => Box::new(Listing::new(look, markdown::text)),
            Format::Html => Box::new(Listing::new(look, results::page)),
        }
    }
}

/// The output format of what is no list of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlainFormat {
    /// Text for people
    #[value(alias = "text")]
    Human,
    /// One JSON document, for programs
    Json,
}

/// Which searches to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SearchArg {
    /// Every run in a small scope
    Exhaustive,
    /// Random runs in a larger scope
    Random,
    /// The first, then the second for properties that were not violated
    Both,
}

impl SearchArg {
    /// Whether every run in a small scope is searched.
    pub fn is_exhaustive(self) -> bool {
        self != SearchArg::Random
    }

    /// Whether random runs are done.
    pub fn is_random(self) -> bool {
        self != SearchArg::Exhaustive
    }
}

/// A network, as on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum InboxArg {
    /// They are lost with it
    Lost,
    /// They wait until it is back
    Kept,
}

impl From<InboxArg> for InboxOnCrash {
    fn from(arg: InboxArg) -> Self {
        match arg {
            InboxArg::Lost => InboxOnCrash::Lost,
            InboxArg::Kept => InboxOnCrash::Kept,
        }
    }
}

/// The order that a network keeps.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum NetworkArg {
    /// Messages on a link arrive in the order in which they were sent
    Fifo,
    /// Messages arrive in any order
    Unordered,
}

impl From<NetworkArg> for Network {
    fn from(arg: NetworkArg) -> Network {
        match arg {
            NetworkArg::Fifo => Network::Fifo,
            NetworkArg::Unordered => Network::Unordered,
        }
    }
}

/// A routing, as on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoutingArg {
    /// A session stays at its node
    Sticky,
    /// Each operation may go to another node
    Roaming,
}

impl From<RoutingArg> for Routing {
    fn from(arg: RoutingArg) -> Routing {
        match arg {
            RoutingArg::Sticky => Routing::Sticky,
            RoutingArg::Roaming => Routing::Roaming,
        }
    }
}

/// `0x5eed` or a number.
pub fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(&hex.replace('_', ""), 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "a seed is a number like 42 or 0x5eed".to_owned())
}

/// `60s`, `500ms`, `2m`, or seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || "a time is a number with a unit like 500ms, 60s or 2m".to_owned();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// `drop=1,crash=2`, or `none`.
pub fn faults(text: &str) -> Result<Faults, String> {
    let mut faults = Faults::NONE;
    for word in text.split(',').filter(|word| !word.is_empty() && *word != "none") {
        let (kind, number) = word.split_once('=').unwrap_or((word, "1"));
        let kind = kind.replace('-', "_");
        let kind = FaultKind::named(&kind).ok_or_else(|| {
            let names = FaultKind::ALL.map(FaultKind::name);
            let otherwise = format!("there is {}", names.join(", "));
            let meant = suggestion(nearest(&kind, names), &otherwise);
            format!("there is no fault `{kind}`; {meant}")
        })?;
        faults[kind] = number
            .parse()
            .map_err(|_| format!("`{number}` is not a number of faults from 0 to 65535"))?;
    }
    Ok(faults)
}

/// How far clocks are off from the start, and how far they may be apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// By node. In units, or in ticks if clocks tick by themselves.
    pub offsets: Vec<i32>,
    /// Whether they may be at most so many ticks apart; if nothing is said, as it was.
    pub bounded: Option<Option<NonZeroU16>>,
}

/// `1,0,-1`, `bounded=1`, `free`, or a bound and offsets: `bounded=2,0,1`.
pub fn clocks(text: &str) -> Result<Clocks, String> {
    /// More would leave the range of clocks.
    const FAR: i32 = 5;
    let mut words: Vec<_> = text.split(',').map(str::trim).collect();
    let bounded = match words[0].split_once('=') {
        _ if words[0] == "free" => Some(None),
        Some(("bounded", bound)) => {
            let bound = bound.parse::<NonZeroU16>();
            Some(Some(bound.map_err(|_| format!("`{}` is not like bounded=1", words[0]))?))
        }
        _ => None,
    };
    if bounded.is_some() {
        words.remove(0);
    }
    let offset = |word: &str| {
        let offset = word.trim().parse().ok().filter(|offset| (-FAR..=FAR).contains(offset));
        offset.ok_or_else(|| format!("`{word}` is not an offset from -{FAR} to {FAR}"))
    };
    let offsets: Vec<i32> = words.into_iter().map(offset).collect::<Result<_, _>>()?;
    // Clocks without an offset are not off.
    let all = || offsets.iter().copied().chain([0]);
    let wide = all().max().unwrap_or(0).abs_diff(all().min().unwrap_or(0));
    match bounded {
        Some(Some(bound)) if wide > u32::from(bound.get()) => {
            Err(format!("offsets that are {wide} apart break the bound of {bound}"))
        }
        _ => Ok(Clocks { offsets, bounded }),
    }
}

/// A model by name or alias, or a property as case files name it.
pub fn property(text: &str) -> Result<Property, String> {
    text.parse()
}

/// A datatype that was named.
#[derive(Clone, Copy)]
pub struct Said(pub &'static dyn Datatype);

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

/// A datatype by name.
pub fn datatype(text: &str) -> Result<Said, String> {
    named(text).map(|found| Said(found.datatype)).map_err(|error| error.to_string())
}

/// What the operations of a recording mean.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// On all keys that are not named.
    pub all: Option<Said>,
    /// On some keys.
    pub of: Vec<(Key, Said)>,
}

impl Meaning {
    /// What is said of these keys, and of others that are not named.
    pub fn on(&self, keys: &BTreeSet<&Key>) -> Meaning {
        let of = self.of.iter().filter(|(key, _)| keys.contains(key)).cloned().collect();
        Meaning { of, ..self.clone() }
    }

    /// Whether something is said of this key.
    pub fn knows(&self, key: &Key) -> bool {
        self.all.is_some() || self.of.iter().any(|(other, _)| other == key)
    }
}

/// `T`, `T,key=T,…` or `key=T,…`.
pub fn meaning(text: &str) -> Result<Meaning, String> {
    let mut meaning = Meaning::default();
    for part in text.split(',') {
        match part.rsplit_once('=') {
            Some((key, name)) => {
                let key = Key::new(key);
                if meaning.of.iter().any(|(other, _)| *other == key) {
                    return Err(format!("the datatype of {key} is given twice"));
                }
                meaning.of.push((key, datatype(name)?));
            }
            None if meaning.all.is_some() => {
                return Err("the datatype of all other keys is given twice".to_owned());
            }
            None => meaning.all = Some(datatype(part)?),
        }
    }
    Ok(meaning)
}

/// A model by name or alias.
pub fn model(text: &str) -> Result<Model, String> {
    text.parse().map_err(|error: UnknownModel| error.to_string())
}

/// `macro,persistent`, `all` or `none`.
pub fn reduce(text: &str) -> Result<Reduce, String> {
    let mut reduce = Reduce::NONE;
    for word in text.split(',').filter(|word| !word.is_empty() && *word != "none") {
        if word == "all" {
            reduce = Reduce::ALL;
            continue;
        }
        *reduce.flag_mut(word).ok_or_else(|| {
            format!(
                "there is no reduction `{word}`; the reductions are none, all, {}",
                Reduce::NAMES.join(", ")
            )
        })? = true;
    }
    Ok(reduce)
}

/// `4GiB`, `500MB`, or bytes.
pub fn memory(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || "a size is a number with a unit like 500MB or 4GiB".to_owned();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}

/// A number of things, which may be 0.
pub fn amount(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= 1_000);
    number.ok_or_else(|| "a number from 0 to 1000 is needed".to_owned())
}

/// A number of nodes.
pub fn nodes(text: &str) -> Result<u16, String> {
    let most = crate::replication::Cluster::NODES_MAX;
    text.parse()
        .ok()
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| format!("a cluster has 1 to {most} nodes"))
}

/// A size of a workload, from 1.
pub fn size(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000).contains(number));
    number.ok_or_else(|| "a number from 1 to 1000 is needed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_hexadecimal_or_decimal() {
        assert_eq!(seed("0x5eed"), Ok(0x5eed));
        assert_eq!(seed("42"), Ok(42));
        assert!(seed("ten").is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        assert!(time("1h").is_err());
        assert!(time("99999999999999999999s").is_err());
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(memory("4GiB"), Ok(4 << 30));
        assert_eq!(memory("500MB"), Ok(500_000_000));
        assert!(memory("4 parsecs").is_err());
        assert!(memory("99999999999999999GiB").is_err());
    }

    #[test]
    fn reductions_are_listed_by_name() {
        assert_eq!(reduce("all"), Ok(Reduce::ALL));
        assert_eq!(reduce("none"), Ok(Reduce::NONE));
        assert_eq!(reduce("macro,forget").map(|r| r.to_string()), Ok("macro, forget".into()));
        assert!(reduce("mikro").is_err());
    }

    #[test]
    fn a_misspelt_fault_is_answered_with_the_nearest_one() {
        assert_eq!(
            faults("drop=2,give-up=1").map(|f| f.to_string()),
            Ok("drop 2, give_up 1".into())
        );
        assert_eq!(
            faults("crush=1"),
            Err("there is no fault `crush`; did you mean `crash`?".into())
        );
        let told = faults("lin=1").expect_err("no fault is near");
        assert!(told.starts_with("there is no fault `lin`; there is drop, "), "{told}");
        assert!(faults("drop=70000").is_err());
    }
}
