//! Pages: that they are one file, that foreign text stays text, and, in a real browser,
//! that they do what they promise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::Browser;
use crate::documents::root;

mod recording;

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
        assert_eq!(page.matches("<script").count(), 2, "{}", case.display());
    }
    assert!(seen.len() > 20, "{}", seen.len());
}

#[test]
fn the_step_that_gives_the_failing_answer_is_marked() {
    let case = committed("abd-write-back-never-linearizable-roaming.json");
    let page = output(&["report", case.to_str().expect("ours"), "-o", "-"], root());
    assert_eq!(page.matches("class=\"step fails\"").count(), 1);
    assert!(page.contains("✗ 14<"), "not by colour alone");
    // The mark of its operation is on the line of the words, however long they are.
    assert!(page.contains("\">✗ B read x at n2 and saw nothing</button>"), "{page}");
    // What holds has no mark.
    let holds = committed("abd-available-sticky.json");
    let page = output(&["report", holds.to_str().expect("ours"), "-o", "-"], root());
    assert!(!page.contains("class=\"step fails\""));
}

#[test]
fn only_a_page_is_replaced_unless_the_file_is_named() {
    let folder = tempfile::tempdir().expect("there is room for a page");
    fs::copy(committed(STORING), folder.path().join("notes.json")).expect("it can be copied");
    let notes = folder.path().join("notes.html");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quiescence"));
        let done = command.arg("report").args(arguments).current_dir(folder.path()).output();
        done.expect("the program can be run").status.code()
    };
    fs::write(&notes, "<!DOCTYPE html>my own").expect("it can be written");
    assert_eq!(run(&["notes.json"]), Some(2));
    assert_eq!(fs::read_to_string(&notes).expect("it is there"), "<!DOCTYPE html>my own");
    assert_eq!(run(&["notes.json", "-o", "notes.html"]), Some(0));
    assert_eq!(run(&["notes.json"]), Some(0), "a page is replaced by a newer one");
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

/// The cycles that are drawn on the page of a case, as XML.
fn cycles(case: &Path) -> Vec<String> {
    let page = output(&["report", case.to_str().expect("ours"), "-o", "-"], root());
    let parts = page.split("<svg class=\"ring\"").skip(1);
    let whole = |part: &str| {
        let (drawn, _) = part.split_once("</svg>").expect("it ends");
        format!("<svg{drawn}</svg>")
    };
    parts.map(whole).collect()
}

/// What is drawn of one: the operation in each box, and the operations of each arrow.
fn checked_cycle(drawn: &str, name: &str) -> (Vec<usize>, Vec<Vec<usize>>) {
    let document = roxmltree::Document::parse(drawn).expect("well formed");
    let number = |node: roxmltree::Node<'_, '_>, of: &str| -> f64 {
        node.attribute(of).and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{name}: {of}"))
    };
    let svg = document.root_element();
    let (wide, high) = (number(svg, "width"), number(svg, "height"));
    assert_eq!(svg.attribute("viewBox"), Some(&format!("0 0 {wide} {high}")[..]), "{name}");
    let (mut boxes, mut arrows, mut free) = (Vec::new(), Vec::new(), 0.0);
    for group in svg.children() {
        let ops = group.attribute("data-ops").expect("what it is about").split(' ');
        let ops: Vec<usize> = ops.map(|op| op.parse().expect("a position")).collect();
        let rect = group.children().find(|it| it.has_tag_name("rect"));
        if let Some(rect) = rect {
            assert!(number(rect, "y") >= free, "{name}: boxes overlap");
            assert!(number(rect, "x") + number(rect, "width") <= wide, "{name}");
            free = number(rect, "y");
            boxes.push(ops[0]);
        } else {
            arrows.push(ops);
            let closes = group.attribute("class") == Some("closes");
            assert_eq!(closes, group.next_sibling().is_none(), "{name}: the last one alone");
        }
        for line in group.children().filter(|it| it.has_tag_name("text")) {
            assert!(number(line, "y") >= free + 14.0, "{name}: lines overlap");
            free = number(line, "y");
        }
        free = rect.map_or(free + 2.0, |rect| number(rect, "y") + number(rect, "height"));
        assert!(free <= high, "{name}: {free} of {high}");
    }
    (boxes, arrows)
}

#[test]
fn the_cycle_of_orders_is_drawn_where_there_is_one() {
    let mut many = 0;
    for case in cases() {
        let name = case.display().to_string();
        for drawn in cycles(&case) {
            many += 1;
            let (boxes, arrows) = checked_cycle(&drawn, &name);
            assert!(boxes.len() > 1 && boxes.len() == arrows.len(), "{name}");
            for (at, ops) in arrows.iter().enumerate() {
                assert_eq!(ops[..2], [boxes[at], boxes[(at + 1) % boxes.len()]], "{name}");
            }
        }
    }
    assert!(many > 35, "{many}");
    // A read that misses what it must see is no cycle of orders.
    assert!(cycles(&committed(STORING)).is_empty());
    let said = |case: &str| cycles(&committed(case)).concat();
    for (case, told) in [
        (
            "abd-write-back-never-linearizable-roaming.json",
            "a cycle: A wrote x=1 at n1, before B read x at n1 and saw 1 (read by); \
             B read x at n1 and saw 1, before B read x at n2 and saw nothing (session order); \
             B read x at n2 and saw nothing, before A wrote x=1 at n1 (does not see)\"",
        ),
        (
            "cops-dependencies-none-ccv-roaming.json",
            "a cycle: A wrote x=2 at n1, before A wrote x=1 at n3 \
             (overwritten by, see B read x at n2 and saw 1); \
             A wrote x=1 at n3, before A wrote x=2 at n1 (session order)\"",
        ),
    ] {
        assert!(said(case).contains(told), "{}", said(case));
    }
    // A case of the proof for each source that the answer may have.
    assert_eq!(cycles(&committed("gossip-eventual-rt-sticky.json")).len(), 2);
}

#[test]
fn a_reason_lights_its_arrows_too() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_folder, address) = page(&committed("abd-write-back-never-linearizable-roaming.json"));
    browser.open(&address);
    let lit = "[...document.querySelectorAll('.ring .lit')].map(it => it.dataset.ops).join()";
    assert_eq!(browser.text(lit), "");
    let first = browser.text("document.querySelector('.ring g').dataset.ops");
    browser.click(".reasons li:first-child button");
    let told = browser.text(lit);
    assert_eq!(told.split(',').count(), 3, "its box and two arrows: {told}");
    assert!(told.split(',').all(|ops| ops.split(' ').any(|op| op == first)), "{told}");
    // The letters of this browser fit as well.
    let out = "[...document.querySelectorAll('.ring text')].filter(it => { \
                   const [box, all] = [it.getBBox(), it.ownerSVGElement.viewBox.baseVal]; \
                   return box.x + box.width > all.width || box.y + box.height > all.height; \
               }).length";
    assert_eq!(browser.eval(out), 0);
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn the_command_and_the_case_are_copied_by_a_click() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_folder, address) = page(&committed(STORING));
    browser.open(&address);
    browser.eval("document.querySelector('.file details').setAttribute('open', '')");
    for (button, copied) in
        [(".facts button.copy", "quiescence replay "), (".file button.copy", "{")]
    {
        browser.click(button);
        assert_eq!(
            browser.text(&format!("document.querySelector('{button}').innerText")),
            "copied"
        );
        let selected = browser.text("getSelection().toString()");
        assert!(selected.starts_with(copied), "{selected}");
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn pages_fit_narrow_and_wide_screens() {
    let Some(mut browser) = Browser::start(360, 640) else { return };
    let folder = tempfile::tempdir().expect("there is room for pages");
    let path = folder.path().join("page.html");
    for arguments in [
        &["report", STORING_PATH, "-o", "-"][..],
        &["report", WIDE_PATH, "-o", "-"],
        &["report", FAILOVER, "-o", "-"],
        &["report", "tests/cases/v1", "-o", "-"],
        &["test", STORING_PATH, WIDE_PATH, "--format", "html"],
    ] {
        fs::write(&path, output(arguments, root())).expect("it can be written");
        browser.open(&format!("file://{}", path.display()));
        for width in [360, 800, 1280, 2560] {
            browser.resize(width, 800);
            let scroll = browser.eval("document.documentElement.scrollWidth");
            let fits = scroll.as_f64().is_some_and(|it| it <= f64::from(width));
            assert!(fits, "{arguments:?} at {width}: {scroll}");
        }
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn what_is_folded_is_on_paper() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_page, address) = page(&committed(STORING));
    browser.open(&address);
    let shown = "[...document.querySelectorAll('details:not([open]) > :not(summary, .copy)')]\
                 .map(it => it.checkVisibility()).join()";
    let on_screen = browser.text(shown);
    assert!(on_screen.contains("false") && !on_screen.contains("true"), "{on_screen}");
    browser.put_on_paper();
    assert_eq!(browser.text(shown), on_screen.replace("false", "true"));
}

#[test]
fn nothing_is_cut_on_paper() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let folder = tempfile::tempdir().expect("there is room for pages");
    let path = folder.path().join("page.html");
    // Two clients after the other write to many lanes.
    let recording = folder.path().join("lanes.jsonl");
    let line = |process| {
        format!(
            "{{\"process\":{process},\"f\":\"write\",\"key\":\"x\",\"value\":{process},\"invoke\":{process}0,\"return\":{process}5}}\n"
        )
    };
    fs::write(&recording, (1..150).map(line).collect::<String>()).expect("it can be written");
    for subject in [committed("sloppy-quorum-mr-sticky.json"), recording] {
        let subject = subject.to_str().expect("a path of ours");
        fs::write(&path, output(&["report", subject, "-o", "-"], root())).expect("a page");
        browser.open(&format!("file://{}", path.display()));
        let cut = "[...document.querySelectorAll('.scroll, pre')]\
                   .filter(it => it.scrollHeight > it.clientHeight + 1).length.toString()";
        assert_ne!(browser.text(cut), "0", "{subject} is scrolled on a screen");
        browser.put_on_paper();
        assert_eq!(browser.text(cut), "0", "{subject}");
        browser.prefer("light");
    }
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

#[test]
fn a_directory_is_an_index_newest_first() {
    let folder = tempfile::tempdir().expect("there is room for cases");
    let names = [STORING, "notebook-echo-eventual-sticky.json", "abd-available-sticky.json"];
    for (age, name) in (0..).zip(names) {
        let path = folder.path().join(name);
        fs::copy(committed(name), &path).expect("it can be copied");
        let file = fs::File::options().append(true).open(&path).expect("it is there");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age);
        file.set_modified(time).expect("files have times");
    }
    fs::write(folder.path().join("<b>none.json"), "{}").expect("it can be written");
    let page = output(&["report", ".", "-o", "-"], folder.path());
    let places: Vec<_> = names.iter().filter_map(|name| page.find(name)).collect();
    assert!(places.len() == 3 && places.is_sorted(), "{places:?}");
    assert!(page.contains("&lt;b&gt;none.json") && !page.contains("<b>none"));
    assert!(page.contains("script-src 'none'") && !page.contains("<script"));
    // The table leads to each of them.
    for nth in 1..=3 {
        let (link, place) = (format!("href=\"#case-{nth}\""), format!("id=\"case-{nth}\""));
        assert!(page.contains(&link) && page.contains(&place), "{nth}");
    }
}

#[test]
fn a_violation_leads_to_its_case() {
    let folder = tempfile::tempdir().expect("there is room for cases");
    let place = |name: &str| folder.path().join(name);
    fs::create_dir_all(place("tests/cases/v #1")).expect("a directory can be made");
    // One node and no fault: smaller than the setting in which the bug is known.
    let [smaller, same] =
        ["notebook-call-error-eventual-sticky", STORING.trim_end_matches(".json")];
    for name in [smaller, same] {
        let file = format!("{name}.json");
        fs::copy(committed(&file), place(&format!("tests/cases/v #1/{file}"))).expect("it can");
    }
    // A page stands beside one of them; a file that is none beside the other.
    let case = format!("tests/cases/v #1/{same}");
    let page = format!("{case}.html");
    output(&["report", &format!("{case}.json"), "-o", &page], folder.path());
    fs::write(place(&format!("tests/cases/v #1/{smaller}.html")), "my own").expect("it can");
    let small = ["--runs", "50", "--states", "500", "--seed", "1", "--format", "html"];
    let exam = [&["check", "--mutants", "notebook"], &small[..]].concat();
    let exam = output(&exam, folder.path());
    assert_eq!(exam.matches("<details class=\"case\">").count(), 2, "{exam}");
    assert_eq!(exam.matches("its page").count(), 1, "{exam}");
    for command in ["replay", "report"] {
        let command = format!("quiescence {command} &#39;{case}.json&#39;");
        let command = command.replace("&#39;", "'");
        assert!(exam.contains(&format!("<code>{command}</code>")), "{exam}");
    }
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    fs::write(place("exam.html"), &exam).expect("it can be written");
    let address = format!("file://{}", place("exam.html").display());
    browser.open(&address);
    let links = "[...document.querySelectorAll('.case a')].map(it => it.pathname)";
    for link in browser.eval(links).as_array().expect("links") {
        let path = link.as_str().expect("a path").replace("%20", " ").replace("%23", "#");
        assert!(Path::new(&path).exists(), "{path}");
    }
    browser.eval("document.querySelectorAll('.case').forEach(it => { it.open = true; })");
    browser.click(".case button.copy");
    assert_eq!(browser.text("document.querySelector('.case button.copy').innerText"), "copied");
    let selected = browser.text("getSelection().toString()");
    assert!(selected.starts_with("quiescence replay 'tests/cases/v #1/"), "{selected}");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_promised_violation_leads_to_its_case() {
    // Few runs of every promise: some find what is promised, and all of that is committed.
    let check = ["check", "--search", "random", "--runs", "1", "--seed", "1", "--format", "html"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_quiescence"));
    let done = command.args(check).current_dir(root()).output();
    let done = done.expect("the program can be run");
    let page = String::from_utf8(done.stdout).expect("a page is text");
    let (violated, leads) = ("<td>violated: ", "<details class=\"case\">");
    let rows = page.split("<tr>").filter(|row| row.contains(violated));
    let rows: Vec<_> = rows.filter(|row| row.contains("as promised")).collect();
    assert!(rows.len() > 10, "{}", rows.len());
    for row in rows {
        assert!(row.contains(leads), "{row}");
    }
}

/// The pictures that the command of docs/contributing.md makes: name, what makes the page, how
/// large, and for whom.
const PICTURES: [(&str, &[&str], [u32; 2], &str); 5] = [
    ("story", &["report", STORING_PATH, "-o", "-"], [1280, 720], "light"),
    ("story-dark", &["report", STORING_PATH, "-o", "-"], [1280, 720], "dark"),
    ("recording", &["report", FAILOVER, "-o", "-"], [1280, 1600], "light"),
    ("index", &["report", "tests/cases/v1", "-o", "-"], [1280, 800], "light"),
    ("results", &["check", "--ladder", "--format", "html"], [1280, 1000], "light"),
];

const WIDE_PATH: &str = "tests/cases/v1/raft-conflicts-unseen-always-on-a-majority-roaming.json";
const STORING_PATH: &str = "tests/cases/v1/notebook-storing-eventual-sticky.json";
const FAILOVER: &str = "tests/recordings/failover.jsonl";

/// With `QUIESCENCE_PICTURES=DIR` all of them go there; else only those of the case are made.
#[test]
fn pictures_of_pages() {
    let Some(mut browser) = Browser::start(1120, 720) else { return };
    let folder = tempfile::tempdir().expect("there is room for pages");
    let wanted = std::env::var_os("QUIESCENCE_PICTURES").map(|to| root().join(to));
    let (many, to) = match &wanted {
        Some(to) => (PICTURES.len(), to.as_path()),
        None => (2, folder.path()),
    };
    fs::create_dir_all(to).expect("a directory can be made");
    let mut made = Vec::new();
    for (name, arguments, [width, height], scheme) in &PICTURES[..many] {
        let path = folder.path().join(format!("{name}.html"));
        fs::write(&path, output(arguments, root())).expect("it can be written");
        browser.resize(*width, *height);
        browser.prefer(scheme);
        browser.open(&format!("file://{}", path.display()));
        browser.eval("document.querySelector('.case')?.setAttribute('open', '')");
        let picture = browser.picture();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() < 300_000, "{name}");
        assert_eq!(picture[16..24], [width.to_be_bytes(), height.to_be_bytes()].concat());
        fs::write(to.join(format!("{name}.png")), &picture).expect("it can be written");
        made.push(picture);
    }
    assert_ne!(made[0], made[1], "whoever prefers dark pages gets one");
    assert_eq!(browser.console(), Vec::<String>::new());
}
