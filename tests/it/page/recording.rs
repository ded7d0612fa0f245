//! The page of a recording in a real browser: what is drawn, filtered and found by a click.

use std::fs;

use crate::browser::Browser;

use super::output;

const FAILOVER: &str = include_str!("../../recordings/failover.jsonl");

/// The page of a recording, and the browser's address of it.
fn page_of(recording: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("there is room for a page");
    fs::write(folder.path().join("r.jsonl"), recording).expect("it can be written");
    output(&["report", "r.jsonl"], folder.path());
    let address = format!("file://{}", folder.path().join("r.html").display());
    (folder, address)
}

/// Operations one after the other, by two processes on ten keys; the last read is stale.
fn long(operations: usize) -> String {
    let mut text = String::new();
    for at in 0..operations - 2 {
        let (process, start) = (at % 2, at * 100);
        let (key, value, end) = (at % 10, at + 1, start + 50);
        text.push_str(&format!(
            "{{\"process\":{process},\"f\":\"write\",\"key\":\"k{key}\",\"value\":{value},\
             \"invoke\":{start},\"return\":{end},\"type\":\"ok\"}}\n"
        ));
    }
    for (value, at) in [(operations - 2, operations - 2), (operations - 12, operations - 1)] {
        let (key, start) = ((value - 1) % 10, at * 100);
        text.push_str(&format!(
            "{{\"process\":0,\"f\":\"read\",\"key\":\"k{key}\",\"value\":{value},\
             \"invoke\":{start},\"return\":{},\"type\":\"ok\"}}\n",
            start + 50
        ));
    }
    text
}

#[test]
fn a_recording_is_shown_with_its_faults_and_violations() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_folder, address) = page_of(FAILOVER);
    browser.open(&address);
    let bottom =
        browser.eval("document.querySelector('.verdicts .fails').getBoundingClientRect().bottom");
    assert!(bottom.as_f64().is_some_and(|it| it < 800.0), "{bottom}");
    let page = browser.text("document.body.innerText");
    assert!(page.contains("2 acknowledged writes of cart (3, 4)"), "{page}");
    let marks = "[...document.querySelectorAll('text.mark')].map(it => it.textContent).join()";
    assert_eq!(browser.text(marks), "isolate n1,promote n2");
    let drawn = "document.querySelectorAll('#timeline .op').length";
    assert_eq!(browser.eval(drawn), 11);
    assert_eq!(browser.eval("document.querySelectorAll('.shown').length"), 0);
    browser.click(".violation button");
    assert_eq!(browser.eval("document.querySelectorAll('.shown').length"), 3);
    assert!(browser.text("document.getElementById('picked').textContent").contains("(line 21)"));
    // By node, by key, and by the keyboard.
    browser.eval(
        "(() => { const it = document.getElementById('lanes'); it.value = 'node'; \
                  it.dispatchEvent(new Event('change')); })()",
    );
    let names =
        "[...document.querySelectorAll('#timeline .name')].map(it => it.textContent).join()";
    assert_eq!(browser.text(names), "n1,n2");
    browser.eval("document.getElementById('frame').focus()");
    let tick = "document.querySelector('#timeline .tick:last-of-type').textContent";
    let before = browser.text(tick);
    browser.press("ArrowLeft");
    assert_ne!(browser.text(tick), before);
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// Filters the operations of a recording as a reader does: two choices, a name, and Enter.
fn filter(browser: &mut Browser, way: &str, part: &str, name: &str) {
    for (id, value) in [("way", way), ("part", part), ("name", name)] {
        browser.eval(&format!(
            "(() => {{ const it = document.getElementById('{id}'); it.value = {value:?}; \
                       it.dispatchEvent(new Event('change')); it.focus(); }})()"
        ));
    }
    browser.press("Enter");
}

#[test]
fn a_recording_is_filtered_and_what_is_hidden_is_counted() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let line = |process: u8, node, f: &str, key: &str, outcome, value: u32, at: u32| {
        format!(
            "{{\"process\":{process},\"node\":{node},\"f\":\"{f}\",\"key\":\"{key}\",\"value\":{value},\
             \"type\":\"{outcome}\",\"invoke\":{at}0,\"return\":{at}5}}\n"
        )
    };
    // What is drawn, and the number that is hidden, by hand.
    let text = [
        line(1, 0, "write", "x", "ok", 1, 1),
        line(2, 1, "write", "y", "ok", 2, 2),
        line(1, 0, "write", "x", "fail", 3, 3),
        line(2, 1, "read", "y", "ok", 2, 4),
        line(1, 1, "read", "x", "ok", 1, 5),
        line(3, 0, "cas", "hide me", "info", 6, 6),
    ];
    let (_folder, address) = page_of(&text.concat());
    browser.open(&address);
    let drawn = "[...document.querySelectorAll('#timeline .op')]\
                 .map(it => it.dataset.at).sort().join('')";
    let view = "document.getElementById('view').value";
    let filters = "document.getElementById('filters').innerText.replaceAll('\\n', '|')";
    assert_eq!(browser.text(drawn), "012345");
    for (way, part, name, left) in [
        ("hide", "outcome", "failed", "01345"),
        ("only", "key", "x", "04"),
        ("only", "key", "y", "0134"),
        ("hide", "node", "n2", "0"),
        // The same name again is another wish.
        ("only", "node", "n2", "134"),
        ("hide", "call", "write", "34"),
        ("only", "process", "1", "4"),
    ] {
        filter(&mut browser, way, part, name);
        assert_eq!(browser.text(drawn), left, "{way} {part} {name}");
        let hidden = format!(", {} hidden by filters", 6 - left.len());
        assert!(browser.text(view).ends_with(&hidden), "{}", browser.text(view));
    }
    assert_eq!(
        browser.text(filters),
        "hide outcome failed remove|show only key x remove|show only key y remove|\
         show only node n2 remove|hide call write remove|show only process 1 remove"
    );
    // What nothing has is not taken, and is told.
    let refused = "document.getElementById('refused').value";
    filter(&mut browser, "only", "key", "hide");
    assert_eq!(browser.text(refused), "no operation has the key \"hide\"");
    assert_eq!(browser.text(drawn), "4");
    for _ in 0..6 {
        browser.click("#filters button");
    }
    assert_eq!(browser.text(drawn), "012345");
    assert!(!browser.text(view).contains("hidden"), "{}", browser.text(view));
    filter(&mut browser, "only", "key", "hide me");
    assert_eq!((browser.text(drawn), browser.text(refused)), ("5".to_owned(), String::new()));
    filter(&mut browser, "hide", "call", "cas");
    assert_eq!(browser.text(drawn), "");
    // What may be typed follows what is filtered.
    filter(&mut browser, "only", "node", "");
    let offered = "[...document.querySelectorAll('#names option')].map(it => it.value).join()";
    assert_eq!(browser.text(offered), "n1,n2");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn what_a_violation_is_made_of_is_not_hidden() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_folder, address) = page_of(FAILOVER);
    browser.open(&address);
    for call in ["read", "write"] {
        filter(&mut browser, "hide", "call", call);
    }
    let view = "document.getElementById('view').value";
    assert_eq!(browser.text(view), "0 operations in view, 11 hidden by filters");
    browser.click(".violation button");
    assert_eq!(browser.eval("document.querySelectorAll('.shown').length"), 3);
    assert!(browser.text(view).ends_with("8 hidden by filters"), "{}", browser.text(view));
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_long_recording_is_drawn_with_few_elements() {
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let (_folder, address) = page_of(&long(20_000));
    browser.open(&address);
    let elements = "document.querySelectorAll('#timeline *').length";
    let view = "document.getElementById('view').value";
    let far = browser.text(view);
    assert!(far.starts_with("20,000 operations in view: darker"), "{far}");
    assert!(browser.eval(elements).as_u64().is_some_and(|it| it < 200), "{far}");
    for _ in 0..4 {
        browser.click("#in");
        assert!(browser.eval(elements).as_u64().is_some_and(|it| it < 10_000));
    }
    let near = browser.text(view);
    assert!(near.starts_with("1,25") && near.ends_with("operations in view"), "{near}");
    // One click leads to the violation.
    browser.click(".violation button");
    let picked = browser.text("document.getElementById('picked').textContent");
    assert!(picked.contains("(line 20000)") && picked.contains("read k7 → 19988"), "{picked}");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn hostile_recordings_stay_text() {
    let key =
        serde_json::to_string("<script>document.title='taken'</script>\u{202e}").expect("text");
    let text = format!(
        "{{\"process\":\"<b>bold</b>\",\"f\":\"write\",\"key\":{key},\"value\":\"</div><i>\",\"invoke\":0,\"return\":5,\"type\":\"ok\"}}\n\
         {{\"process\":\"p\",\"f\":\"read\",\"key\":{key},\"value\":null,\"invoke\":6,\"return\":9,\"type\":\"ok\"}}\n"
    );
    let (folder, address) = page_of(&text);
    let page = fs::read_to_string(folder.path().join("r.html")).expect("it is there");
    for markup in ["<script>document", "<b>bold", "<i>", "\u{202e}"] {
        assert!(!page.contains(markup), "{markup}");
    }
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    browser.open(&address);
    assert_eq!(browser.text("document.title"), "r.jsonl · quiescence");
    browser.click(".violation button");
    let picked = browser.text("document.getElementById('picked').textContent");
    assert!(picked.contains("<script>document.title='taken'</script>\\u{202e}"), "{picked}");
    filter(&mut browser, "hide", "process", "<b>bold</b>");
    let filters = browser.text("document.getElementById('filters').innerText");
    assert!(filters.starts_with("hide process <b>bold</b>"), "{filters}");
    assert_eq!(browser.eval("document.querySelectorAll('#filters b').length"), 0);
    assert_eq!(browser.console(), Vec::<String>::new());
}
