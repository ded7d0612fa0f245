//! Finds loops over hash tables by name.
//!
//! Hash tables are only for looking up; a loop over one would make the result
//! depend on hash order. clippy.toml forbids their iterating methods by type.
//! This module looks for what clippy cannot see (`into_iter`, `extend`): in one
//! file, a name that is declared as a table must not be iterated.

use std::collections::BTreeSet;

use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Expr, FnArg, GenericArgument, Pat, PathArguments, ReturnType, Type};

use super::source::{File, only_in_tests};

const TABLES: [&str; 6] = ["FxHashMap", "FxHashSet", "HashMap", "HashSet", "HashTable", "IndexMap"];

const LOOPS: [&str; 14] = [
    "iter",
    "iter_mut",
    "into_iter",
    "keys",
    "into_keys",
    "values",
    "values_mut",
    "into_values",
    "drain",
    "retain",
    "extract_if",
    "union",
    "intersection",
    "difference",
];

/// Methods that return a table if they are called on one.
const SAME: [&str; 8] =
    ["as_ref", "as_mut", "clone", "unwrap", "expect", "unwrap_or_default", "borrow", "borrow_mut"];

/// The names of all types that are hash tables, including aliases in any file.
pub fn table_types(files: &[File]) -> BTreeSet<String> {
    struct Aliases {
        known: BTreeSet<String>,
    }
    impl<'ast> Visit<'ast> for Aliases {
        fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
            if is_table(&self.known, &item.ty) {
                self.known.insert(item.ident.to_string());
            }
        }
        fn visit_use_rename(&mut self, item: &'ast syn::UseRename) {
            if self.known.contains(&item.ident.to_string()) {
                self.known.insert(item.rename.to_string());
            }
        }
    }
    let mut aliases = Aliases { known: TABLES.map(str::to_owned).into() };
    loop {
        let before = aliases.known.len();
        files.iter().for_each(|file| aliases.visit_file(&file.syntax));
        if aliases.known.len() == before {
            return aliases.known;
        }
    }
}

/// The lines of a file that iterate a table, and what they iterate.
pub fn loops(file: &File, types: &BTreeSet<String>) -> Vec<(usize, String)> {
    let mut declared = Declared { types, names: BTreeSet::new() };
    declared.visit_file(&file.syntax);
    let mut found = Loops { names: declared.names, found: Vec::new() };
    found.visit_file(&file.syntax);
    found.found
}

/// Whether a type is a hash table, itself or behind a reference or a box.
fn is_table(types: &BTreeSet<String>, of: &Type) -> bool {
    match of {
        Type::Reference(inner) => is_table(types, &inner.elem),
        Type::Paren(inner) => is_table(types, &inner.elem),
        Type::Array(inner) => is_table(types, &inner.elem),
        Type::Slice(inner) => is_table(types, &inner.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            let inner = match &last.arguments {
                PathArguments::AngleBracketed(inner) => inner.args.first(),
                _ => None,
            };
            let wraps = ["Option", "Box", "Rc", "RefCell", "Cell", "Mutex"].contains(&&*name);
            types.contains(&name)
                || wraps
                    && matches!(inner, Some(GenericArgument::Type(inner)) if is_table(types, inner))
        }),
        _ => false,
    }
}

/// Names that are declared as tables.
struct Declared<'t> {
    types: &'t BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Declared<'_> {
    fn name(&mut self, pattern: &Pat) {
        if let Pat::Ident(name) = pattern {
            self.names.insert(name.ident.unraw().to_string());
        }
    }

    fn typed(&mut self, pattern: &Pat, of: &Type) {
        match (pattern, of) {
            (Pat::Tuple(names), Type::Tuple(types)) => {
                names.elems.iter().zip(&types.elems).for_each(|(name, of)| self.typed(name, of));
            }
            _ if is_table(self.types, of) => self.name(pattern),
            _ => {}
        }
    }

    fn begins_as(&mut self, pattern: &Pat, value: &Expr) {
        match (pattern, value) {
            (Pat::Tuple(names), Expr::Tuple(values)) => names
                .elems
                .iter()
                .zip(&values.elems)
                .for_each(|(name, value)| self.begins_as(name, value)),
            (_, Expr::Call(call)) => {
                let Expr::Path(function) = &*call.func else { return };
                let mut names = function.path.segments.iter().map(|part| part.ident.to_string());
                if names.any(|name| self.types.contains(&name) || self.names.contains(&name)) {
                    self.name(pattern);
                }
            }
            (_, Expr::MethodCall(call)) => {
                let collected = call.turbofish.iter().flat_map(|turbofish| &turbofish.args);
                for argument in collected {
                    if matches!(argument, GenericArgument::Type(of) if is_table(self.types, of)) {
                        self.name(pattern);
                    }
                }
            }
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Declared<'_> {
    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let (Some(name), true) = (&field.ident, is_table(self.types, &field.ty)) {
            self.names.insert(name.unraw().to_string());
        }
    }

    fn visit_fn_arg(&mut self, argument: &'ast FnArg) {
        if let FnArg::Typed(argument) = argument {
            self.typed(&argument.pat, &argument.ty);
        }
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let ReturnType::Type(_, of) = &signature.output
            && is_table(self.types, of)
        {
            self.names.insert(signature.ident.unraw().to_string());
        }
        visit::visit_signature(self, signature);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        match (&local.pat, &local.init) {
            (Pat::Type(typed), _) => self.typed(&typed.pat, &typed.ty),
            (pattern, Some(init)) => self.begins_as(pattern, &init.expr),
            _ => {}
        }
        visit::visit_local(self, local);
    }
}

struct Loops {
    names: BTreeSet<String>,
    found: Vec<(usize, String)>,
}

impl Loops {
    /// The line and the name of the table that an expression stands for, if
    /// any.
    fn table(&self, value: &Expr) -> Option<(usize, String)> {
        let name = match value {
            Expr::Reference(inner) => return self.table(&inner.expr),
            Expr::Paren(inner) => return self.table(&inner.expr),
            Expr::Try(inner) => return self.table(&inner.expr),
            Expr::Unary(inner) => return self.table(&inner.expr),
            Expr::Index(inner) => return self.table(&inner.expr),
            Expr::Call(call) => return self.table(&call.func),
            Expr::MethodCall(call) if SAME.iter().any(|same| call.method == same) => {
                return self.table(&call.receiver);
            }
            Expr::MethodCall(call) => &call.method,
            Expr::Field(field) => match &field.member {
                syn::Member::Named(name) => name,
                syn::Member::Unnamed(_) => return None,
            },
            Expr::Path(path) => &path.path.segments.last()?.ident,
            _ => return None,
        };
        let (line, name) = (name.span().start().line, name.unraw().to_string());
        self.names.contains(&name).then_some((line, name))
    }
}

impl<'ast> Visit<'ast> for Loops {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !only_in_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_for_loop(&mut self, looped: &'ast syn::ExprForLoop) {
        self.found.extend(self.table(&looped.expr));
        visit::visit_expr_for_loop(self, looped);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if LOOPS.iter().any(|name| call.method == name) {
            self.found.extend(self.table(&call.receiver));
        }
        if call.method == "extend" {
            let tables: Vec<_> = call.args.iter().filter_map(|given| self.table(given)).collect();
            self.found.extend(tables);
        }
        visit::visit_expr_method_call(self, call);
    }
}
