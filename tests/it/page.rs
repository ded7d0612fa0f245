//! Pages: that they are one file, that foreign text stays text, and, in a real browser,
//! that they do what they promise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::Browser;
use crate::documents::root;

/// Runs the program, and returns what it wrote to standard output.
fn output(arguments: &[&str], within: &Path) -> String {
    let program = env!("CARGO_BIN_EXE_quiescence");
    let done = Command::new(program).args(arguments).current_dir(within).output();
    let done = done.expect("the program can be run");
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("a page is text")
}

fn committed(name: &str) -> PathBuf {
    root().join("tests/cases/v1").join(name)
}

/// The page of a committed case, and the browser's address of it.
fn page(case: &Path) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("there is room for a page");
    let path = folder.path().join("page.html");
    output(
        &["report", case.to_str().expect("a path of ours"), "-o", path.to_str().expect("so too")],
        folder.path(),
    );
    (folder, format!("file://{}", path.display()))
}

/// All committed cases.
fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/cases/v1")).expect("there are cases");
    let mut all: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    all.sort();
    all
}

const STORING: &str = "notebook-storing-eventual-sticky.json";

#[test]
fn every_case_has_a_small_page_that_asks_for_nothing() {
    // One case of each strategy: their pages differ in what replicas hold.
    let mut seen = std::collections::BTreeSet::new();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let first = |path: &PathBuf| name(path).split('-').next().unwrap_or_default().to_owned();
    for case in cases().into_iter().filter(|path| seen.insert(first(path))) {
        let page = output(&["report", case.to_str().expect("ours"), "-o", "-"], root());
        assert!(page.len() < 200_000, "{}: {} bytes", case.display(), page.len());
        assert!(page.starts_with("<!DOCTYPE html>"), "{}", case.display());
        for outside in ["http:", "https:", "src=", "@import", "url(h", "<link", "<iframe", "<img"] {
            assert!(!page.contains(outside), "{}: {outside}", case.display());
        }
        assert!(!page.contains(" style="), "{}: the policy forbids it", case.display());
        assert_eq!(page.matches("<script").count(), 1, "{}", case.display());
    }
    assert!(seen.len() > 20, "{}", seen.len());
}

#[test]
fn a_page_is_the_same_each_time() {
    let case = committed(STORING);
    let page = || output(&["report", case.to_str().expect("ours"), "-o", "-"], root());
    assert_eq!(page(), page());
}

#[test]
fn the_violation_is_on_the_first_screen_and_steps_can_be_shown() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_folder, address) = page(&committed(STORING));
    browser.open(&address);
    for shown in ["h1", ".why", ".finals .bad", "#step", "svg.run [data-step=\"4\"] .dot"] {
        let bottom = browser
            .eval(&format!("document.querySelector({shown:?}).getBoundingClientRect().bottom"));
        let bottom = bottom.as_f64().unwrap_or_else(|| panic!("{shown}: {bottom}"));
        assert!((1.0..800.0).contains(&bottom), "{shown} ends at {bottom}");
    }
    let replicas = "document.getElementById('replicas').innerText";
    let now = browser.text(replicas);
    assert!(now.contains("+ x = 2") && now.contains("x = 1"), "{now}");
    // Back by keys, by the button, and to a step by its link.
    browser.press("ArrowLeft");
    let before = browser.text(replicas);
    assert!(before.contains("+ x = 1") && before.contains("n1"), "{before}");
    browser.click("#back");
    assert_eq!(browser.text("document.getElementById('number').value"), "2 of 4");
    browser.press("Home");
    let boot = browser.text(replicas);
    assert_eq!(boot.matches("holds nothing").count(), 2, "{boot}");
    // The listener of the page was there before this one, so it has been told.
    let linked = "new Promise(done => { \
                  addEventListener('hashchange', \
                      () => done(document.getElementById('number').value), { once: true }); \
                  location.hash = '#step=1'; })";
    assert_eq!(browser.text(linked), "1 of 4");
    assert!(browser.text(replicas).contains("+ x = 1"));
    browser.open(&format!("{address}#step=2"));
    browser.eval(
        "(() => { const it = document.getElementById('step'); it.value = 3; \
                  it.dispatchEvent(new Event('input')); })()",
    );
    assert_eq!(browser.text("location.hash"), "#step=3");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_reason_lights_its_operations_and_messages() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_folder, address) = page(&committed(STORING));
    browser.open(&address);
    let lit = "[...document.querySelectorAll('svg .lit')].map(it => it.dataset.step).join()";
    assert_eq!(browser.text(lit), "");
    // What A wrote: the request at step 1, and its message at step 3.
    browser.click(".reasons li:first-child button");
    assert_eq!(browser.text(lit), "1,3");
    browser.click(".reasons li:first-child button");
    browser.click("h1");
    assert_eq!(browser.text(lit), "");
    // By the keyboard alone.
    browser.eval("document.querySelector('.reasons li:first-child button').focus()");
    browser.press("Tab");
    assert_eq!(browser.text(lit), "2,4");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn pages_fit_narrow_and_wide_screens() {
    let Some(mut browser) = Browser::start(360, 640) else { return };
    for case in [STORING, "raft-conflicts-unseen-always-on-a-majority-roaming.json"] {
        let (_folder, address) = page(&committed(case));
        browser.open(&address);
        for width in [360, 800, 1280, 2560] {
            browser.resize(width, 800);
            let scroll = browser.eval("document.documentElement.scrollWidth");
            assert!(scroll.as_f64().is_some_and(|it| it <= f64::from(width)), "{width}: {scroll}");
        }
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn hostile_keys_and_names_stay_text() {
    let key = "<script>document.title='taken'</script>\u{202e}\"'&";
    let case = fs::read_to_string(committed(STORING)).expect("it is committed");
    let quoted = serde_json::to_string(key).expect("a text");
    let case = case.replace("\"key\": \"x\"", &format!("\"key\": {quoted}")).replace(
        "wx1|wx2|rx2!|rx1!",
        &{
            let told =
                serde_json::to_string(&format!("w{quoted}1|w{quoted}2|r{quoted}2!|r{quoted}1!"));
            let told = told.expect("a text");
            told[1..told.len() - 1].to_owned()
        },
    );
    let folder = tempfile::tempdir().expect("there is room for a case");
    let path = folder.path().join("<b>bold<script>.json");
    fs::write(&path, &case).expect("it can be written");
    let (_page, address) = page(&path);
    let text = fs::read_to_string(address.trim_start_matches("file://")).expect("it is there");
    assert!(!text.contains("<script>document") && !text.contains("<b>bold"));
    assert!(!text.contains('\u{202e}'), "a bidi mark is shown as an escape");
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    browser.open(&address);
    let title = browser.text("document.title");
    assert!(title.contains("notebook:storing"), "{title}");
    let replicas = browser.text("document.getElementById('replicas').innerText");
    assert!(replicas.contains("<script>document.title='taken'</script>\\u{202e}"), "{replicas}");
    assert_eq!(browser.console(), Vec::<String>::new());
}
