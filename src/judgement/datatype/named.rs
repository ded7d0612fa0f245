//! What datatypes are called, and what their names mean, in words.

use thiserror::Error;

use crate::history::nearest::{nearest, suggestion};

use super::{
    ANSWERING_COUNTER, CAS_REGISTER, Counter, DELETABLE_REGISTER, Datatype, Flag, Lock, Log, Map,
    MaxRegister, MultiRegister, MvRegister, Opaque, Queue, Register, ReplicatedSet, Semaphore,
    Sequence, Set, Stack, Text, UniqueId, UnorderedQueue,
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
pub static DESCRIBED: [Described; 32] = [
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
        datatype: &DELETABLE_REGISTER,
        operations: "read · write v · delete",
        about: "The value of the last visible write, by arbitration; null if there is none, or if \
                that was a delete, which writes null.",
        formula: "value of max_ar V",
        examples: &[],
    },
    Described {
        names: &["cas-register"],
        datatype: &CAS_REGISTER,
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
        about: "A list of the values of the visible writes that no other visible write had seen, \
                each value once.",
        formula: "{ value of w | w ∈ V ∧ ¬∃ w' ∈ V: w vis w' }",
        examples: &[],
    },
    Described {
        names: &["counter", "pn-counter"],
        datatype: &Counter,
        operations: "read · add n · inc · dec · add-and-get n · get-and-add n",
        about: "The sum of the visible changes. `add-and-get` and `get-and-add` answer the sum \
                after and before their own.",
        formula: "Σ n over V",
        examples: &[],
    },
    Described {
        names: &["answering-counter"],
        datatype: &ANSWERING_COUNTER,
        operations: "read · add-and-get n",
        about: "A counter of which clients ask `add-and-get` in searches.",
        formula: "Σ n over V, and the own n",
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
        operations: "read · add e · remove e · add-if-absent e",
        about: "The elements with a visible add that no visible remove had seen: of a concurrent \
                add and remove the add wins (observed-remove set). `add-if-absent` adds an \
                element and answers 1 if it sees that it is not there, and 0 otherwise.",
        formula: "{ e | ∃ a ∈ V: ¬∃ r ∈ V: a vis r }",
        examples: &[(
            "[add]z=1 [add]s=1 rq=[]|[add]q=1 [remove]s=1 rz=[]|rs=[]! @ 00000011111122",
            "set:remove-wins",
        )],
    },
    Described {
        names: &["set:remove-wins", "rw-set"],
        datatype: &ReplicatedSet::RemoveWins,
        operations: "read · add e · remove e · add-if-absent e",
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
        operations: "read · add e · remove e · add-if-absent e",
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
        operations: "read · add e · remove e · add-if-absent e",
        about: "The elements with a visible add and no visible remove: what was removed never \
                comes back.",
        formula: "{ e | (∃ a ∈ V) ∧ ¬∃ r ∈ V }",
        examples: &[("[remove]s=1 [add]s=1|rs=[1]! @ 000011", "set:add-wins")],
    },
    Described {
        names: &["set:grow-only", "g-set"],
        datatype: &ReplicatedSet::GrowOnly,
        operations: "read · add e · add-if-absent e",
        about: "All elements with a visible add.",
        formula: "{ e | ∃ a ∈ V }",
        examples: &[],
    },
    Described {
        names: &["map:register", "lww-map"],
        datatype: &Map::REGISTERS,
        operations: "read · write [k, v] · remove k",
        about: "A pair of each key with a visible write that no visible remove of it had seen, and \
                the value of the last of them, by arbitration.",
        formula: "{ (k, value of max_ar S) | S = { w of k ∈ V | ¬∃ r of k ∈ V: w vis r } ≠ ∅ }",
        examples: &[],
    },
    Described {
        names: &["map:mv-register", "map", "or-map"],
        datatype: &Map::MV_REGISTERS,
        operations: "read · write [k, v] · remove k",
        about: "A pair of each key with a visible write that no visible remove of it had seen, and \
                a list of the values of those that no other of them had seen.",
        formula: "{ (k, mv-register of S) | S = { w of k ∈ V | ¬∃ r of k ∈ V: w vis r } ≠ ∅ }",
        examples: &[],
    },
    Described {
        names: &["map:counter"],
        datatype: &Map::COUNTERS,
        operations: "read · add [k, n] · inc [k] · dec [k] · remove k",
        about: "A pair of each key with a visible change that no visible remove of it had seen, \
                and the sum of those.",
        formula: "{ (k, Σ n over S) | S = { u of k ∈ V | ¬∃ r of k ∈ V: u vis r } ≠ ∅ }",
        examples: &[],
    },
    Described {
        names: &["map:set:add-wins", "map:set"],
        datatype: &Map::SETS,
        operations: "read · add [k, e] · remove [k, e] · remove k",
        about: "A pair of each key with a visible update that no visible remove of it had seen, \
                and the set that those make, as `set:add-wins` says.",
        formula: "{ (k, set:add-wins of S) | S = { u of k ∈ V | ¬∃ r of k ∈ V: u vis r } ≠ ∅ }",
        examples: &[],
    },
    Described {
        names: &["log"],
        datatype: &Log,
        operations: "read · append v",
        about: "All values whose append is visible, in the order of arbitration, which is the same \
                for all reads and extends session order and visibility. No value is appended twice.",
        formula: "V in the order ar ⊇ so ∪ vis",
        examples: &[],
    },
    Described {
        names: &["text", "list"],
        datatype: &Sequence::Strong,
        operations: "read · insert [e, position] · delete e",
        about: "The elements whose insert is visible and that no visible delete had seen, in an \
                order that is the same for all answers. No element is inserted twice. Inserts and \
                deletes answer nothing, or the list that their author sees then.",
        formula: "{ e | i ∈ V ∧ ¬∃ d ∈ V: i vis d } in an order ≺ of all elements",
        examples: &[(
            "[insert]t=[1,0]|[insert]t=[2,0]|[insert]t=[3,0]|rt=[1,2]|rt=[2,3]|rt=[3,1] @ 001122334455",
            "text:weak",
        )],
    },
    Described {
        names: &["text:weak"],
        datatype: &Sequence::Weak,
        operations: "read · insert [e, position] · delete e",
        about: "As `text`, but only any two answers have the elements that they share in the same \
                order.",
        formula: "{ e | i ∈ V ∧ ¬∃ d ∈ V: i vis d } in an order ≺ for each pair of answers",
        examples: &[],
    },
    Described {
        names: &["text:together"],
        datatype: &Sequence::Together,
        operations: "read · insert [e, position] · delete e",
        about: "As `text`, and what was typed in one go stays together, forward and backward: \
                nothing else stands between an element and those that were inserted to its right, \
                and to the right of these in turn; and likewise to the left, among those with the \
                same left neighbour. What was inserted by somebody whose answer lacks an element \
                that is deleted anywhere is not looked at: it may have stood beside that one.",
        formula: "as text, where what was inserted to the right of each element is one run of ≺",
        examples: &[],
    },
    Described {
        names: &["set"],
        datatype: &Set,
        operations: "read · add e · remove e · add-if-absent e",
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
        names: &["unordered-queue", "bag", "multiset"],
        datatype: &UnorderedQueue,
        operations: "enqueue v · dequeue",
        about: "A dequeue takes any element and answers it: each as often as it was enqueued, and \
                not before. One that finds nothing (null) says nothing.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["stack"],
        datatype: &Stack,
        operations: "push v · pop",
        about: "A pop takes what was pushed last and answers it; null if there is nothing.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["lock", "mutex"],
        datatype: &Lock,
        operations: "acquire · release · acquire who · release who",
        about: "An acquire takes the lock if it is free, a release frees it if it is held (by who \
                acquired it, if that is said). If an acquire answers a number, this is a fencing \
                token: larger than all before.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["semaphore"],
        datatype: &Semaphore,
        operations: "acquire n · release n",
        about: "An acquire takes n permits if so many are free, a release gives n back; 1 without \
                an argument. `--initial` says how many there are; otherwise there is one.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["unique-id"],
        datatype: &UniqueId,
        operations: "generate",
        about: "Each generate answers what none has answered before.",
        formula: "",
        examples: &[],
    },
    Described {
        names: &["multi-register"],
        datatype: &MultiRegister,
        operations: "txn [[\"r\", x, null], [\"w\", y, v], …]",
        about: "Several registers. A transaction reads and writes some of them at one instant, and \
                answers its list with what the reads saw. Linearizable is then what is called \
                strictly serializable. `--initial` is a list of pairs, [[\"x\", 0], …]; the rest \
                holds null.",
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
    Described {
        names: &["opaque"],
        datatype: &Opaque,
        operations: "any",
        about: "Nothing is known of what it answers. Only agreement is judged: \
                `strong-convergence`, and whether reads at quiescence agree.",
        formula: "",
        examples: &[],
    },
];

/// There is no datatype of this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no datatype `{name}`; {}", suggestion(.nearest.as_deref(), &listed()))]
pub struct UnknownDatatype {
    /// What was asked for.
    pub name: String,
    /// The name that is nearest to it, if one is near.
    pub nearest: Option<String>,
}

/// What names there are.
fn listed() -> String {
    let names: Vec<_> = DESCRIBED.iter().map(|one| one.names[0]).collect();
    format!("there is {}", names.join(", "))
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
        let mut names = DESCRIBED.iter().flat_map(|one| one.names);
        // Of `set:add-wins`, who says how a conflict ends may have left out of what.
        let ends = names.clone().filter_map(|name| Some(name.split_once(':')?.1));
        let meant = nearest(text, names.clone()).or_else(|| {
            let end = nearest(text, ends)?;
            names.find(|name| name.split_once(':').is_some_and(|(_, other)| other == end))
        });
        UnknownDatatype { name: text.to_owned(), nearest: meant.map(|&name| name.to_owned()) }
    })
}

/// The name of a datatype with its indefinite article: `a queue`, `an unordered-queue`.
pub fn with_article(name: &str) -> String {
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u']) && !name.starts_with("uni");
    format!("{} {name}", if vowel { "an" } else { "a" })
}
