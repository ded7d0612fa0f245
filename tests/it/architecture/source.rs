//! Parses the sources: what every file declares, and every path that it names.
//!
//! A path counts wherever it occurs: in `use`, types, expressions, patterns,
//! attributes, and among the tokens of a macro call. Only items under
//! `#[cfg(test)]` and `#[cfg(all(test, ..))]` are left out, because only those
//! are certainly not built.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, Token, UseTree};

/// Names, outermost first: `crate`, `hunt`, `case`. The first name is empty if
/// the path began with `::`.
pub type Path = Vec<String>;

/// The way in which a path is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By a `use` or an `extern crate`.
    Import,
    /// By a `use` that ends in `*`.
    Glob,
    /// As a macro that is called.
    Macro,
    /// Anywhere else.
    Path,
}

/// One path, and where it occurs.
#[derive(Debug)]
pub struct Mention {
    pub scope: usize,
    /// The top-level item of the module in which it occurs; `None` for the
    /// `use` lines of the module itself.
    pub item: Option<String>,
    pub path: Path,
    pub kind: Kind,
    pub line: usize,
}

/// The meaning of a name in a scope.
#[derive(Clone, Debug)]
pub enum Bound {
    Module,
    Item,
    Alias(Path),
}

/// A module, or a block that declares items.
#[derive(Debug)]
pub struct Scope {
    pub file: usize,
    pub module: Path,
    /// The scope that encloses a block; `None` for modules.
    pub around: Option<usize>,
    pub names: BTreeMap<String, Vec<Bound>>,
    pub globs: Vec<Path>,
}

/// A source file.
pub struct File {
    /// From the root of the repository, with `/`.
    pub name: String,
    pub module: Path,
    pub text: String,
    pub syntax: syn::File,
    /// Whether it is a module that exists only in tests.
    pub is_test: bool,
}

/// Something that is refused wherever it occurs.
#[derive(Debug)]
pub struct Oddity {
    pub file: usize,
    pub line: usize,
    pub kind: OddityKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    /// Code from a place outside the module tree.
    Included,
    /// A macro, which could build paths that are never written out.
    MacroRules,
    /// A lint that is switched off.
    Suppression,
}

/// All sources of the crate.
pub struct Tree {
    pub files: Vec<File>,
    pub scopes: Vec<Scope>,
    pub modules: BTreeMap<Path, usize>,
    pub mentions: Vec<Mention>,
    pub oddities: Vec<Oddity>,
}

/// The module of a file below `src`. `src/main.rs` is the root of a crate of
/// its own, here called `main`.
fn module_of(name: &str) -> Path {
    let inner = name.strip_prefix("src/").expect("a source file lies below src");
    let inner = inner.strip_suffix(".rs").expect("a source file ends in .rs");
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    match inner {
        "lib" => vec!["crate".into()],
        "main" => vec!["main".into()],
        _ => std::iter::once("crate").chain(inner.split('/')).map(str::to_owned).collect(),
    }
}

impl Tree {
    /// Parses files, given by their names from the root of the repository and
    /// texts.
    pub fn read(texts: impl IntoIterator<Item = (String, String)>) -> Tree {
        let mut files: Vec<File> = texts
            .into_iter()
            .map(|(name, text)| {
                let syntax = syn::parse_file(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
                File { module: module_of(&name), name, text, syntax, is_test: false }
            })
            .collect();
        let mut tests = BTreeSet::new();
        for file in &files {
            test_modules(&file.module, &file.syntax.items, false, &mut tests);
        }
        for file in &mut files {
            file.is_test = (1..=file.module.len()).any(|end| tests.contains(&file.module[..end]));
        }

        let mut tree = Tree {
            files: Vec::new(),
            scopes: Vec::new(),
            modules: BTreeMap::new(),
            mentions: Vec::new(),
            oddities: Vec::new(),
        };
        for (number, file) in files.iter().enumerate().filter(|(_, file)| !file.is_test) {
            let scope = tree.open(number, file.module.clone(), None);
            let mut reader = Reader { tree: &mut tree, file: number, scope, item: None };
            reader.visit_file(&file.syntax);
        }
        tree.files = files;
        tree
    }

    fn open(&mut self, file: usize, module: Path, around: Option<usize>) -> usize {
        let number = self.scopes.len();
        if around.is_none() {
            self.modules.insert(module.clone(), number);
        }
        let (names, globs) = (BTreeMap::new(), Vec::new());
        self.scopes.push(Scope { file, module, around, names, globs });
        number
    }
}

/// Collects the modules that exist only in tests.
fn test_modules(module: &Path, items: &[Item], is_test: bool, found: &mut BTreeSet<Path>) {
    for item in items {
        let Item::Mod(inner) = item else { continue };
        let is_test = is_test || only_in_tests(&inner.attrs);
        let path: Path = module.iter().cloned().chain([inner.ident.unraw().to_string()]).collect();
        if let Some((_, items)) = &inner.content {
            test_modules(&path, items, is_test, found);
        }
        if is_test {
            found.insert(path);
        }
    }
}

/// Whether these attributes exclude an item from everything but tests.
/// `any(test, ..)` and `not(test)` do not.
pub fn only_in_tests(attributes: &[Attribute]) -> bool {
    fn is_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => {
                let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
                inner.is_ok_and(|inner| inner.iter().any(is_test))
            }
            _ => false,
        }
    }
    let configured = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    configured
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .any(|meta| is_test(&meta))
}

/// The attributes of an item.
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item declares; for an `impl`, the name of its type.
fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Impl(item) => match &*item.self_ty {
            syn::Type::Path(of) if of.path.segments.len() == 1 => &of.path.segments[0].ident,
            _ => return Some("impl".to_owned()),
        },
        _ => return None,
    };
    Some(name.unraw().to_string())
}

struct Reader<'t> {
    tree: &'t mut Tree,
    file: usize,
    scope: usize,
    item: Option<String>,
}

impl Reader<'_> {
    fn mention(&mut self, path: Path, kind: Kind, line: usize) {
        let (scope, item) = (self.scope, self.item.clone());
        self.tree.mentions.push(Mention { scope, item, path, kind, line });
    }

    fn oddity(&mut self, kind: OddityKind, line: usize) {
        self.tree.oddities.push(Oddity { file: self.file, line, kind });
    }

    fn bind(&mut self, name: String, bound: Bound) {
        self.tree.scopes[self.scope].names.entry(name).or_default().push(bound);
    }

    fn within(&mut self, scope: usize, item: Option<String>, work: impl FnOnce(&mut Self)) {
        let outside = (self.scope, std::mem::replace(&mut self.item, item));
        self.scope = scope;
        work(self);
        (self.scope, self.item) = outside;
    }

    /// A `use` tree, leaf by leaf.
    fn import(&mut self, prefix: &Path, tree: &UseTree) {
        let extended = |name: &syn::Ident| -> Path {
            prefix.iter().cloned().chain([name.unraw().to_string()]).collect()
        };
        match tree {
            UseTree::Path(inner) => self.import(&extended(&inner.ident), &inner.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(prefix, tree)),
            UseTree::Name(leaf) => self.import_leaf(prefix, &leaf.ident, &leaf.ident),
            UseTree::Rename(leaf) => self.import_leaf(prefix, &leaf.ident, &leaf.rename),
            UseTree::Glob(glob) => {
                self.tree.scopes[self.scope].globs.push(prefix.clone());
                self.mention(prefix.clone(), Kind::Glob, glob.star_token.spans[0].start().line);
            }
        }
    }

    fn import_leaf(&mut self, prefix: &Path, name: &syn::Ident, alias: &syn::Ident) {
        let mut path = prefix.clone();
        if name != "self" || prefix.is_empty() {
            path.push(name.unraw().to_string());
        }
        let alias =
            if alias == "self" { path.last().cloned() } else { Some(alias.unraw().to_string()) };
        self.mention(path.clone(), Kind::Import, name.span().start().line);
        self.bind(alias.unwrap_or_default(), Bound::Alias(path));
    }

    /// Records the paths among tokens. In the group after `a::{` every path
    /// begins with `prefix`.
    fn tokens(&mut self, tokens: TokenStream, prefix: &Path) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let punct = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(found)) if found.as_char() == sign);
        let colons = |at: usize| punct(at, ':') && punct(at + 1, ':');
        let mut at = 0;
        while at < tokens.len() {
            let begins = at == 0 || punct(at - 1, ',');
            let mut path = if begins { prefix.clone() } else { Path::new() };
            let line = tokens[at].span().start().line;
            if let TokenTree::Group(group) = &tokens[at] {
                self.tokens(group.stream(), &Path::new());
                at += 1;
                continue;
            }
            // A field, a method or a lifetime is not a path.
            let is_member = at > 0
                && (punct(at - 1, '\'') || punct(at - 1, '.') && !(at > 1 && punct(at - 2, '.')));
            // What follows `>::` continues a type that was already recorded.
            let goes_on = colons(at) && at > 0 && punct(at - 1, '>');
            if colons(at) {
                path.push(String::new());
                at += 2;
            }
            while let Some(TokenTree::Ident(name)) = tokens.get(at) {
                path.push(name.unraw().to_string());
                at += 1;
                if !colons(at) {
                    break;
                }
                match tokens.get(at + 2) {
                    Some(TokenTree::Ident(_)) => at += 2,
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                        self.tokens(group.stream(), &path);
                        at += 3;
                        break;
                    }
                    Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                        self.mention(path.clone(), Kind::Glob, line);
                        at += 3;
                        break;
                    }
                    _ => break,
                }
            }
            if path.iter().any(|name| !name.is_empty()) && !is_member && !goes_on {
                let is_macro = punct(at, '!') && !punct(at + 1, '=');
                let kind = if is_macro { Kind::Macro } else { Kind::Path };
                self.mention(path, kind, line);
            } else if path.is_empty() {
                at += 1;
            }
        }
    }

    /// Records the paths in strings of an attribute, as in
    /// `serde(with = "a::b")`.
    fn strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let line = literal.span().start().line;
                    let syn::Lit::Str(text) = syn::Lit::new(literal) else { continue };
                    let Ok(path) = text.parse::<syn::Path>() else { continue };
                    if path.segments.len() > 1 {
                        self.mention(names(&path), Kind::Path, line);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The names of a path.
fn names(path: &syn::Path) -> Path {
    let start = path.leading_colon.as_ref().map(|_| String::new());
    start
        .into_iter()
        .chain(path.segments.iter().map(|part| part.ident.unraw().to_string()))
        .collect()
}

fn line_of(path: &syn::Path) -> usize {
    path.segments.first().map_or(1, |part| part.ident.span().start().line)
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if only_in_tests(attributes(item)) {
            return;
        }
        let name = name_of(item);
        let own = if self.tree.scopes[self.scope].around.is_none() { name.clone() } else { None };
        let own = own.or_else(|| self.item.clone());
        match item {
            Item::Use(item) => {
                let start = item.leading_colon.as_ref().map(|_| String::new());
                self.import(&start.into_iter().collect(), &item.tree);
            }
            Item::ExternCrate(item) => {
                let name = item.ident.unraw().to_string();
                let path = if name == "self" {
                    vec!["crate".into()]
                } else {
                    vec![String::new(), name.clone()]
                };
                let alias =
                    item.rename.as_ref().map_or(name, |(_, alias)| alias.unraw().to_string());
                self.mention(path.clone(), Kind::Import, item.ident.span().start().line);
                self.bind(alias, Bound::Alias(path));
            }
            Item::Mod(inner) => {
                let name = inner.ident.unraw().to_string();
                self.bind(name.clone(), Bound::Module);
                inner.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
                if let Some((_, items)) = &inner.content {
                    let mut module = self.tree.scopes[self.scope].module.clone();
                    module.push(name);
                    let scope = self.tree.open(self.file, module, None);
                    self.within(scope, None, |reader| {
                        items.iter().for_each(|item| reader.visit_item(item));
                    });
                }
            }
            _ => {
                if let (Some(name), false) = (name, matches!(item, Item::Impl(_))) {
                    self.bind(name, Bound::Item);
                }
                self.within(self.scope, own, |reader| visit::visit_item(reader, item));
            }
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !only_in_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        if !block.stmts.iter().any(|statement| matches!(statement, syn::Stmt::Item(_))) {
            return visit::visit_block(self, block);
        }
        let module = self.tree.scopes[self.scope].module.clone();
        let scope = self.tree.open(self.file, module, Some(self.scope));
        self.within(scope, self.item.clone(), |reader| visit::visit_block(reader, block));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention(names(path), Kind::Path, line_of(path));
        visit::visit_path(self, path);
    }

    // `pub(in a::b)` can name only modules around the item.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let (path, line) = (names(&call.path), line_of(&call.path));
        match path.last().map(String::as_str) {
            Some("macro_rules") => self.oddity(OddityKind::MacroRules, line),
            Some("include") => self.oddity(OddityKind::Included, line),
            _ => {}
        }
        self.mention(path, Kind::Macro, line);
        self.tokens(call.tokens.clone(), &Path::new());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let line = line_of(attribute.path());
        self.mention(names(attribute.path()), Kind::Path, line);
        let is = |name: &str| attribute.path().is_ident(name);
        if is("path") {
            self.oddity(OddityKind::Included, line);
        }
        if is("allow") || is("expect") {
            self.oddity(OddityKind::Suppression, line);
        }
        match &attribute.meta {
            Meta::Path(_) => {}
            Meta::NameValue(pair) => self.visit_expr(&pair.value),
            Meta::List(list) => {
                let words = list.tokens.to_string();
                if is("cfg_attr") {
                    let has = |word| words.split(|c: char| !c.is_alphanumeric()).any(|w| w == word);
                    if has("path") {
                        self.oddity(OddityKind::Included, line);
                    }
                    if has("allow") || has("expect") {
                        self.oddity(OddityKind::Suppression, line);
                    }
                }
                self.tokens(list.tokens.clone(), &Path::new());
                self.strings(list.tokens.clone());
            }
        }
    }
}
