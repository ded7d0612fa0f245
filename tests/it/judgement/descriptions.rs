//! Models of orders are described in one place. The code that judges reads the
//! descriptions and does not distinguish models itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use quiescence::judgement::Model;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// The files below a folder of src/ that name at least this many models of
/// orders.
fn naming(folder: &str, at_least: usize) -> Vec<String> {
    let models = Model::all().chain([Model::KAtomic(1), Model::DeltaAtomic(0)]);
    let words: BTreeSet<String> = models
        .filter(|model| !matches!(model, Model::Grid(_)))
        .map(|model| format!("{model:?}").split('(').next().expect("a name").to_owned())
        .collect();
    assert_eq!(words.len(), 17);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&root.join(folder)) {
        let text = fs::read_to_string(&path).expect("a source file can be read");
        let named: BTreeSet<&str> = text
            .split("Model::")
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().expect("a word"))
            .filter(|word| words.contains(*word))
            .collect();
        if named.len() >= at_least {
            let name = path.strip_prefix(&root).expect("below src").display();
            found.push(format!("{name} names {named:?}"));
        }
    }
    found
}

#[test]
fn at_most_four_files_tell_models_of_orders_apart() {
    let found = naming("", 4);
    assert!(!found.is_empty() && found.len() <= 4, "{}", found.join("\n"));
}

#[test]
fn no_reader_of_the_descriptions_tells_models_apart() {
    for folder in ["judgement/checker", "judgement/verdict", "judgement/oracle"] {
        let found = naming(folder, 4);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
