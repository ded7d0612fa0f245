//! Resolves paths, through renames, globs and re-exports, to the defining
//! module or to another crate.

use std::collections::BTreeSet;

use super::source::{Bound, Kind, Mention, Path, Tree};

/// The result of resolving a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A module of this crate, or an item that it defines.
    Inside { module: Path, item: Option<String> },
    /// Something of another crate, by its whole path.
    Outside(Path),
}

/// All results of resolving a path, and the modules that it goes through.
#[derive(Debug, Default)]
pub struct Led {
    pub ends: BTreeSet<End>,
    pub through: BTreeSet<Path>,
}

/// Resolves paths; `crates` are the names of other crates.
pub struct Names<'t> {
    tree: &'t Tree,
    crates: &'t BTreeSet<String>,
}

/// The names that are being resolved, so that a cycle of `use` lines ends.
type Asked = BTreeSet<(usize, String)>;

impl<'t> Names<'t> {
    pub fn new(tree: &'t Tree, crates: &'t BTreeSet<String>) -> Self {
        Names { tree, crates }
    }

    /// Resolves a path from the place where it occurs. The name of another
    /// crate's macro ends in `!`, to distinguish `std::env!` from `std::env`. A
    /// name that nothing declares (a local variable, a type parameter, a name
    /// of the prelude) has no result.
    pub fn follow(&self, mention: &Mention) -> Led {
        let mut led = Led::default();
        self.lead(mention.scope, &mention.path, &mut Asked::new(), &mut led);
        if mention.kind == Kind::Macro {
            led.ends = led.ends.into_iter().map(as_macro).collect();
            if let ([name], true) = (mention.path.as_slice(), led.ends.is_empty()) {
                led.ends.insert(as_macro(End::Outside(vec!["std".into(), name.clone()])));
            }
        }
        led
    }

    fn lead(&self, scope: usize, path: &[String], asked: &mut Asked, led: &mut Led) {
        let Some((first, rest)) = path.split_first() else { return };
        let module = &self.tree.scopes[scope].module;
        match first.as_str() {
            "" => self.outside(rest, asked, led),
            "crate" => self.inside(&module[..1], rest, asked, led),
            "self" => self.inside(module, rest, asked, led),
            "super" => self.inside(&module[..module.len().max(2) - 1], rest, asked, led),
            name => self.lexical(scope, name, rest, asked, led),
        }
    }

    /// Resolves a name from a place: in the enclosing blocks, in the module,
    /// then among the crates.
    fn lexical(&self, scope: usize, name: &str, rest: &[String], asked: &mut Asked, led: &mut Led) {
        let mut around = Some(scope);
        while let Some(at) = around {
            if self.declared(at, name, rest, asked, led) {
                return;
            }
            around = self.tree.scopes[at].around;
        }
        if self.crates.contains(name) {
            let path: Path = std::iter::once(name.to_owned()).chain(rest.iter().cloned()).collect();
            self.outside(&path, asked, led);
        }
    }

    /// Resolves a name that one scope declares or imports. Whether it does.
    fn declared(
        &self,
        scope: usize,
        name: &str,
        rest: &[String],
        asked: &mut Asked,
        led: &mut Led,
    ) -> bool {
        if !asked.insert((scope, name.to_owned())) {
            return false;
        }
        let here = &self.tree.scopes[scope];
        let before = led.ends.len();
        let bound = here.names.get(name).map_or(&[][..], Vec::as_slice);
        for bound in bound {
            let item = || End::Inside { module: here.module.clone(), item: Some(name.to_owned()) };
            match bound {
                Bound::Item => drop(led.ends.insert(item())),
                Bound::Module => {
                    let inner: Path = here.module.iter().cloned().chain([name.into()]).collect();
                    self.inside(&inner, rest, asked, led);
                }
                Bound::Alias(path) => {
                    let path: Path = path.iter().chain(rest).cloned().collect();
                    self.lead(scope, &path, asked, led);
                }
            }
        }
        if bound.is_empty() {
            for glob in &here.globs {
                // The glob opens a module. Look up the name in it.
                let mut opened = Led::default();
                self.lead(scope, glob, &mut asked.clone(), &mut opened);
                for end in opened.ends {
                    let End::Inside { module, item: None } = end else { continue };
                    let Some(&inner) = self.tree.modules.get(&module) else { continue };
                    if self.declared(inner, name, rest, asked, led) {
                        led.through.insert(module);
                        led.through.extend(opened.through.iter().cloned());
                    }
                }
            }
        }
        asked.remove(&(scope, name.to_owned()));
        !bound.is_empty() || led.ends.len() > before
    }

    fn inside(&self, module: &[String], rest: &[String], asked: &mut Asked, led: &mut Led) {
        led.through.insert(module.to_vec());
        let end = |item| End::Inside { module: module.to_vec(), item };
        let Some((name, rest)) = rest.split_first() else {
            led.ends.insert(end(None));
            return;
        };
        match name.as_str() {
            "super" => self.inside(&module[..module.len().max(2) - 1], rest, asked, led),
            "self" => self.inside(module, rest, asked, led),
            _ => {
                let scope = self.tree.modules.get(module);
                let found =
                    scope.is_some_and(|&scope| self.declared(scope, name, rest, asked, led));
                if !found {
                    led.ends.insert(end(Some(name.clone())));
                }
            }
        }
    }

    fn outside(&self, path: &[String], asked: &mut Asked, led: &mut Led) {
        let Some((first, rest)) = path.split_first() else { return };
        match first.as_str() {
            "quiescence" => self.inside(&["crate".to_owned()], rest, asked, led),
            // Everything in core and alloc is in std under the same name.
            "core" | "alloc" => {
                let path = std::iter::once("std".to_owned()).chain(rest.iter().cloned()).collect();
                led.ends.insert(End::Outside(path));
            }
            known if self.crates.contains(known) => {
                led.ends.insert(End::Outside(path.to_vec()));
            }
            // The rest of `<T>::name`.
            _ => {}
        }
    }
}

fn as_macro(end: End) -> End {
    match end {
        End::Outside(mut path) => {
            path.last_mut().into_iter().for_each(|name| name.push('!'));
            End::Outside(path)
        }
        inside => inside,
    }
}
