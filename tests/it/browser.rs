//! A browser without a window, for tests of pages: Chromium, told what to do through a pipe
//! (the Chrome DevTools Protocol, messages that end in a zero byte).
//!
//! It waits for events of the browser, never for a time. Debian's package is `chromium`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    last: u64,
    session: Option<String>,
    /// Events that nobody has asked for yet.
    events: Vec<Json>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one whose page is so large, in pixels. `None` if there is none on this machine:
    /// that is said on the terminal, and where `QUIESCENCE_BROWSER=required` it is a failure.
    pub fn start(width: u32, height: u32) -> Option<Browser> {
        let found = Command::new("chromium").arg("--version").stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            assert!(
                std::env::var_os("QUIESCENCE_BROWSER").is_none_or(|how| how != "required"),
                "there is no `chromium`, and QUIESCENCE_BROWSER=required: apt-get install chromium"
            );
            // Past the capture of the test runner, which hides what passing tests print.
            let told = "\n!!! there is no `chromium`: pages are NOT tested in a browser !!!\n";
            std::io::stderr().write_all(told.as_bytes()).expect("standard error is open");
            return None;
        }
        let profile = tempfile::tempdir().expect("there is room for a profile");
        let pipe = |name: &str| profile.path().join(name);
        let made = Command::new("mkfifo").args([pipe("to"), pipe("from")]).status();
        assert!(made.is_ok_and(|status| status.success()), "two pipes can be made");
        // The browser reads from descriptor 3 and writes to descriptor 4. It is ended if it
        // hangs, so that a test fails instead of waiting for ever.
        let child = Command::new("timeout")
            .args(["600", "sh", "-c", r#"exec 3<"$0" 4>"$1"; shift; exec chromium "$@""#])
            .args([pipe("to"), pipe("from")])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--remote-debugging-pipe", "--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser can be started");
        let to = OpenOptions::new().write(true).open(pipe("to")).expect("it reads");
        let from = File::open(pipe("from")).expect("it writes");
        let mut browser = Browser {
            child,
            to,
            from: BufReader::new(from),
            last: 0,
            session: None,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let asked = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", asked);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, json!({}));
        }
        browser.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
        browser.resize(width, height);
        Some(browser)
    }

    /// Makes the page so large.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Opens a page, and returns once it is there with all its scripts run.
    pub fn open(&mut self, address: &str) {
        self.events.retain(|event| event["method"] != "Page.loadEventFired");
        let went = self.call("Page.navigate", json!({ "url": address }));
        assert!(went["errorText"].is_null(), "{address}: {}", went["errorText"]);
        // Another place on the same page is there at once.
        if went["loaderId"].is_null() {
            return;
        }
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.message();
            self.events.push(event);
        }
    }

    /// What this expression gives on the page.
    pub fn eval(&mut self, expression: &str) -> Json {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What this expression gives, as a text.
    pub fn text(&mut self, expression: &str) -> String {
        let found = self.eval(expression);
        found.as_str().unwrap_or_else(|| panic!("{expression} is {found}, no text")).to_owned()
    }

    /// Presses a key: `ArrowLeft`, `Tab`.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            other => panic!("{other} has no code here"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if key == "Enter" && kind == "keyDown" { "\r" } else { "" };
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Clicks with the mouse on the middle of the first element that this selects.
    pub fn click(&mut self, selector: &str) {
        let middle = self.eval(&format!(
            "(() => {{ const one = document.querySelector({selector:?}); \
             one.scrollIntoView({{ block: 'center' }}); const box = one.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Shows pages to those who prefer `light` or `dark`.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": "", "features": features }));
    }

    /// Shows the page as it is printed.
    pub fn put_on_paper(&mut self) {
        self.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    }

    /// What can be seen of the page, as a PNG file.
    pub fn picture(&mut self) -> Vec<u8> {
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        bytes_of(shot["data"].as_str().expect("a picture"))
    }

    /// Whatever was written to the console, policies that were broken and errors included.
    pub fn console(&mut self) -> Vec<String> {
        let noisy = ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"];
        let events = self.events.iter();
        let said = events.filter(|event| noisy.iter().any(|method| event["method"] == *method));
        said.map(|event| event["params"].to_string()).collect()
    }

    fn call(&mut self, method: &str, asked: Json) -> Json {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": asked });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let answer = self.message();
            if answer["id"] == json!(self.last) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn message(&mut self) -> Json {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).expect("the browser answers");
        assert_eq!(bytes.pop(), Some(0), "the browser ended");
        serde_json::from_slice(&bytes).expect("it speaks JSON")
    }
}

/// The bytes that a text in base64 stands for.
fn bytes_of(base64: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut many) = (Vec::new(), 0_u32, 0);
    for letter in base64.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        (bits, many) = (bits << 6 | u32::from(value), many + 6);
        if many >= 8 {
            many -= 8;
            bytes.push((bits >> many & 0xff) as u8);
        }
    }
    bytes
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends with its pipe, too; this is only faster.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
