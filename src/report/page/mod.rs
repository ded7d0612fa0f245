//! Pages: HTML files that say the same as the terminal, and show more.
//!
//! Invariant: a page is one file. It asks for nothing outside itself, and its policy
//! forbids the browser to: only the script and the style of this module run, known by
//! their hashes. Every text of strategies, clients and files is escaped by the template
//! library; nothing here writes markup as text. A page can be read without its script.
//!
//! The hashes are those of the files beside this one:
//! `openssl dgst -sha256 -binary FILE | openssl base64`.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::history::escape;

mod beside;
pub mod case;
mod diagram;
pub mod index;
mod lattice;
mod plot;
pub mod recording;
pub mod results;
mod ring;

/// What pages say of who wrote them, near their beginning.
pub const GENERATOR: &str = "quiescence: report";

/// How pages look.
const STYLE: &str = include_str!("style.css");

/// The hash of [`STYLE`].
const STYLE_HASH: &str = "/voYaFJrnTCmNCUP+0/KtRuwJKepRvCGWeRl4yBSzbw=";

/// A script of a page, with its hash.
struct Script {
    text: &'static str,
    hash: &'static str,
}

/// What copies a command or a file by a click.
const COPY: Script =
    Script { text: include_str!("copy.js"), hash: "QbW3GxBek+O0ogVUU+U7Sm+49uPbLQsFxtxkWxTWP5Y=" };

/// A whole page.
fn document(title: &str, scripts: &[Script], body: &Markup) -> String {
    let known: Vec<_> = scripts.iter().map(|it| format!("'sha256-{}'", it.hash)).collect();
    let known = if known.is_empty() { "'none'".to_owned() } else { known.join(" ") };
    let policy = format!(
        "default-src 'none'; script-src {known}; style-src 'sha256-{STYLE_HASH}'; \
         base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="generator" content=(GENERATOR);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (escape::line(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                @for script in scripts { script { (PreEscaped(script.text)) } }
            }
        }
    };
    page.into_string()
}
