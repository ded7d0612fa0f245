//! What datatypes are called, and what their names mean, in words.

use thiserror::Error;

use super::{
    Counter, Datatype, Flag, MaxRegister, MvRegister, Queue, Register, RegisterWith, ReplicatedSet,
    Set, Text,
};

/// A datatype of this crate, described.
pub struct Described {
    /// Its names; the first is the one that is shown.
    pub names: &'static [&'static str],
    /// What its operations mean.
    pub datatype: &'static dyn Datatype,
    /// Its operations.
    pub operations: &'static str,
    /// What a read answers, in words.
    pub about: &'static str,
    /// What a read answers as a formula over its context: `V` are the visible
    /// updates, `vis` visibility among them, `ar` arbitration, `a` an add (or
    /// enable) and `r` a remove (or disable) of the same element. Empty if
    /// concurrent updates have no meaning: then only models that ask for orders
    /// say anything about the type.
    pub formula: &'static str,
    /// Small histories that `ccv_ev` does not allow for the type and allows for
    /// another, which is named with each.
    pub examples: &'static [(&'static str, &'static str)],
}

/// The datatypes of this crate.
pub static DESCRIBED: [Described; 16] = [
    Described {
        names: &["register", "lww-register"],
        datatype: &Register,
        operations: "read · write v · cas [from, to]",
        about: "The value of the last visible write, by arbitration; null if there is none.",
        formula: "value of max_ar V",
        examples: &[],
    },
    Described {
        names: &["deletable-register"],
        datatype: &RegisterWith::Deletes,
        operations: "read · write v · delete",
        about: "The value of the last visible write, by arbitration; null if there is none, or if \
                that was a delete, which writes null.",
        formula: "value of max_ar V",
        examples: &[],
    },
    Described {
        names: &["cas-register"],
        datatype: &RegisterWith::CompareAndSets,
        operations: "read · write v · cas [from, to]",
        about: "What the register holds. A compare-and-set replaces `from` by `to`, and answers \
                `mismatch` where it finds another value.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["mv-register", "multi-value-register"],
        datatype: &MvRegister,
        operations: "read · write v",
        about: "A list of the values of the visible writes that no other visible write had seen.",
        formula: "{ value of w | w ∈ V ∧ ¬∃ w' ∈ V: w vis w' }",
        examples: &[],
    },
    Described {
        names: &["counter", "pn-counter"],
        datatype: &Counter,
        operations: "read · add n · inc · dec",
        about: "The sum of the visible changes.",
        formula: "Σ n over V",
        examples: &[],
    },
    Described {
        names: &["max-register"],
        datatype: &MaxRegister,
        operations: "read · write n",
        about: "The largest visible number; null if there is none.",
        formula: "max over V",
        examples: &[],
    },
    Described {
        names: &["flag:enable-wins", "ew-flag"],
        datatype: &Flag::EnableWins,
        operations: "read · enable · disable",
        about: "1 if some visible enable was seen by no visible disable, otherwise 0.",
        formula: "∃ a ∈ V: ¬∃ r ∈ V: a vis r",
        examples: &[(
            "[enable]z=null [enable]f=null rq=0|[enable]q=null [disable]f=null rz=0|rf=0! @ 00000011111122",
            "flag:disable-wins",
        )],
    },
    Described {
        names: &["flag:disable-wins", "dw-flag"],
        datatype: &Flag::DisableWins,
        operations: "read · enable · disable",
        about: "1 if something enables it and each visible disable was seen by a visible enable.",
        formula: "(∃ a ∈ V) ∧ ∀ r ∈ V: ∃ a' ∈ V: r vis a'",
        examples: &[(
            "[enable]z=null [enable]f=null rq=0|[enable]q=null [disable]f=null rz=0|rf=1! @ 00000011111122",
            "flag:enable-wins",
        )],
    },
    Described {
        names: &["set:add-wins", "or-set", "aw-set"],
        datatype: &ReplicatedSet::AddWins,
        operations: "read · add e · remove e",
        about: "The elements with a visible add that no visible remove had seen: of a concurrent \
                add and remove the add wins (observed-remove set).",
        formula: "{ e | ∃ a ∈ V: ¬∃ r ∈ V: a vis r }",
        examples: &[(
            "[add]z=1 [add]s=1 rq=[]|[add]q=1 [remove]s=1 rz=[]|rs=[]! @ 00000011111122",
            "set:remove-wins",
        )],
    },
    Described {
        names: &["set:remove-wins", "rw-set"],
        datatype: &ReplicatedSet::RemoveWins,
        operations: "read · add e · remove e",
        about: "The elements with a visible add, all of whose visible removes were seen by a \
                visible add: of a concurrent add and remove the remove wins.",
        formula: "{ e | (∃ a ∈ V) ∧ ∀ r ∈ V: ∃ a' ∈ V: r vis a' }",
        examples: &[(
            "[add]z=1 [add]s=1 rq=[]|[add]q=1 [remove]s=1 rz=[]|rs=[1]! @ 00000011111122",
            "set:add-wins",
        )],
    },
    Described {
        names: &["set:last-writer", "lww-set"],
        datatype: &ReplicatedSet::LastWriter,
        operations: "read · add e · remove e",
        about: "The elements whose last visible add or remove, by arbitration, is an add.",
        formula: "{ e | max_ar of the updates of e in V is an add }",
        examples: &[(
            "[add]s=1 [remove]s=2|[add]s=2 [remove]s=1|rs=[1,2]! @ 0000111122",
            "set:add-wins",
        )],
    },
    Described {
        names: &["set:two-phase", "2p-set"],
        datatype: &ReplicatedSet::TwoPhase,
        operations: "read · add e · remove e",
        about: "The elements with a visible add and no visible remove: what was removed never \
                comes back.",
        formula: "{ e | (∃ a ∈ V) ∧ ¬∃ r ∈ V }",
        examples: &[("[remove]s=1 [add]s=1|rs=[1]! @ 000011", "set:add-wins")],
    },
    Described {
        names: &["set:grow-only", "g-set"],
        datatype: &ReplicatedSet::GrowOnly,
        operations: "read · add e",
        about: "All elements with a visible add.",
        formula: "{ e | ∃ a ∈ V }",
        examples: &[],
    },
    Described {
        names: &["set"],
        datatype: &Set,
        operations: "read · add e · remove e",
        about: "What was added and not removed since. What a concurrent add and remove of one \
                element mean is not said.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["queue"],
        datatype: &Queue,
        operations: "enqueue v · dequeue",
        about: "A dequeue takes the first element and answers it; null if there is none.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["text-register", "text register"],
        datatype: &Text,
        operations: "get · put t · append t",
        about: "The text that was put last, with all that was appended since.",
        formula: "",
        examples: &[],
    },
];

/// There is no datatype of this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no datatype `{name}`; did you mean `{nearest}`?")]
pub struct UnknownDatatype {
    /// What was asked for.
    pub name: String,
    /// The name that is nearest to it.
    pub nearest: String,
}

/// The datatype with this name.
///
/// # Errors
/// If there is none.
///
/// ```
/// use quiescence::judgement::datatype::named;
///
/// assert_eq!(named("or-set").expect("a datatype").datatype.name(), "set:add-wins");
/// assert!(named("ad-wins").is_err());
/// ```
pub fn named(text: &str) -> Result<&'static Described, UnknownDatatype> {
    let found = DESCRIBED.iter().find(|one| one.names.contains(&text));
    found.ok_or_else(|| {
        let names = DESCRIBED.iter().flat_map(|one| one.names);
        let nearest = names.min_by_key(|name| strsim::damerau_levenshtein(text, name));
        let nearest = (*nearest.expect("there are datatypes")).to_owned();
        UnknownDatatype { name: text.to_owned(), nearest }
    })
}
