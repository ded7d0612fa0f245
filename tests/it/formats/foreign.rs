//! What testers have: files that other tools wrote, and files in no format of ours.

use quiescence::history::formats::{self, Format, Options, Recording, Unit, edn, json_lines};
use quiescence::history::notation;

fn options() -> Options {
    Options::default()
}

fn with(ours: &str, theirs: &str, unit: Unit) -> Options {
    Options { columns: vec![(ours.to_owned(), theirs.to_owned())], unit, ..options() }
}

fn read(text: &str, options: &Options) -> Recording {
    formats::read(text.as_bytes(), options).unwrap_or_else(|refused| panic!("{text}\n{refused}"))
}

fn refused(text: &str, options: &Options) -> String {
    formats::read(text.as_bytes(), options).expect_err(text).to_string()
}

/// A write of 1 to x at 10 to 20, and a read of it at 30 to 40, as event lines.
const EVENTS: [&str; 4] = [
    r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":10}"#,
    r#"{"process":0,"type":"ok","f":"write","key":"x","value":1,"time":20}"#,
    r#"{"process":1,"type":"invoke","f":"read","key":"x","time":30}"#,
    r#"{"process":1,"type":"ok","f":"read","key":"x","value":1,"time":40}"#,
];

/// The same as operation lines.
const OPERATIONS: [&str; 2] = [
    r#"{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}"#,
    r#"{"process":1,"f":"read","key":"x","value":1,"invoke":30,"return":40}"#,
];

#[test]
fn the_same_history_is_read_from_lines_arrays_tables_and_objects_over_several_lines() {
    let expected = read(&EVENTS.join("\n"), &options());
    assert_eq!(notation::write(&expected.history), "wx1|rx1 @ 0011");
    let spread = |lines: &[&str]| lines.join("\n").replace(",\"", ",\n  \"").replace('{', "{\n");
    let table = "process,type,f,key,value,time\n0,invoke,write,x,1,10\n0,ok,write,x,1,20\n\
                 1,invoke,read,x,,30\n1,ok,read,x,1,40\n";
    let rows = "process\tf\tkey\tvalue\tinvoke\treturn\n1\tread\tx\t1\t30\t40\n\
                0\twrite\tx\t1\t10\t20\n";
    for (text, format) in [
        (format!("[{}]", EVENTS.join(",")), Format::Events),
        (format!("[\n{}\n]\n", EVENTS.join(",\n")), Format::Events),
        (format!("[{}]", OPERATIONS.join(",")), Format::Operations),
        (spread(&EVENTS), Format::Events),
        (spread(&OPERATIONS), Format::Operations),
        (table.to_owned(), Format::Table),
        (table.replace(',', "\t"), Format::Table),
        (rows.to_owned(), Format::Table),
        (rows.replace('\t', " , "), Format::Table),
        (table.replace(",x,", ",\"x\",").replace('\n', "\r\n"), Format::Table),
    ] {
        let found = read(&text, &options());
        assert_eq!((&found.history, found.format), (&expected.history, format), "{text}");
    }
}

#[test]
fn a_first_line_of_any_length_that_a_line_may_have_says_what_it_is() {
    let long = "v".repeat(200_000);
    let operation = |value: &str, open: &str| {
        format!(
            r#"{{{open}"value":"{value}","process":0,"f":"write","key":"x","return":20,"invoke":10}}"#
        )
    };
    let event = format!(
        r#"{{"value":"{long}","error":{{"invoke":1}},"process":0,"f":"write","key":"x","type":"invoke"}}"#
    );
    let rest = r#"{"process":1,"f":"read","key":"x","value":null,"invoke":30,"return":40}"#;
    for (text, format, length) in [
        (format!("{}\n{rest}\n", operation(&long, "")), Format::Operations, 2),
        (operation(&long, "\n"), Format::Operations, 1),
        (
            format!("{}\n{rest}", operation(&long, " ").replace("\",", "\",\n")),
            Format::Operations,
            2,
        ),
        (format!("[{},{rest}]", operation(&long, "")), Format::Operations, 2),
        (event, Format::Events, 1),
    ] {
        let found = read(&text, &options());
        assert_eq!((found.format, found.history.len()), (format, length));
    }
    let endless = operation(&"v".repeat(17 << 20), "");
    assert_eq!(refused(&endless, &options()), "line 1: the line is longer than 16 MiB");
}

#[test]
fn cells_are_what_they_say_and_keys_are_texts() {
    let text = "process,type,f,key,value,final\n0,invoke,write,007,\"[1,\"\"a\"\"]\",\n\
                0,ok,write,007,\"[1,\"\"a\"\"]\",\n1,invoke,read,7,,\n1,ok,read,7,,true\n\
                2,invoke,write,1.5,true story,\n2,info,write,1.5,true story,\n";
    let found = read(text, &options());
    let wanted = r#"w"007"=[1,"a"]|r"7"0!|w"1.5"="true story"? @ 00112"#;
    let wanted = notation::parse(wanted).expect("well formed");
    assert_eq!(notation::write(&found.history), notation::write(&wanted));
}

#[test]
fn times_have_units_and_decimals() {
    let seconds = EVENTS.join("\n").replace("0}", "0.000000003}");
    let found = read(&seconds, &Options { unit: Unit::Seconds, ..options() });
    let times: Vec<_> = found.history.operations().iter().map(|op| op.invoked).collect();
    assert_eq!(times, [10_000_000_003, 30_000_000_003]);
    let said = refused(&seconds, &options());
    assert!(said.contains("line 1: `10.000000003` has parts of a nanosecond"), "{said}");
    for (unit, text, expected) in [
        (Unit::Microseconds, "1.5", Some(1_500)),
        (Unit::Milliseconds, "2e3", Some(2_000_000_000)),
        (Unit::Nanoseconds, "3.0", Some(3)),
        (Unit::Seconds, "18446744073.7095", Some(18_446_744_073_709_500_000)),
        (Unit::Seconds, "18446744074", None),
        (Unit::Seconds, "-1", None),
        (Unit::Seconds, "1e400", None),
    ] {
        let line = format!(
            "process,f,key,value,invoke,return\n0,read,x,1,0,{text}\n1,write,x,1,0,{text}\n"
        );
        let found = formats::read(line.as_bytes(), &Options { unit, ..options() });
        let time = found.map(|found| found.history.operations()[0].returned);
        match expected {
            Some(expected) => assert_eq!(time, Ok(Some(expected)), "{text}"),
            None => assert!(time.is_err(), "{text}"),
        }
    }
}

#[test]
fn times_keep_all_their_digits_in_every_format() {
    let (begun, ended) = ("1716548040.123456789", "1716548040.1234567905");
    let event = |kind: &str, time: &str| {
        format!(r#"{{"process":0,"type":"{kind}","f":"read","key":"x","time":{time}}}"#)
    };
    let whole = |begun: &str, ended: &str| {
        format!(r#"{{"process":0,"f":"read","key":"x","invoke":{begun},"return":{ended}}}"#)
    };
    let edn = |begun: &str, ended: &str| {
        format!(
            "{{:process 0 :type :invoke :f :read :time {begun}}}\n\
             {{:process 0 :type :ok :f :read :time {ended}}}\n"
        )
    };
    let text = |time: &str| format!("\"{time}\"");
    for recorded in [
        format!("{}\n{}\n", event("invoke", begun), event("ok", ended)),
        format!("{}\n{}\n", event("invoke", &text(begun)), event("ok", &text(ended))),
        format!("[{},{}]", event("invoke", begun), event("ok", ended)),
        whole(begun, ended),
        whole(&text(begun), "1.7165480401234567905e9"),
        format!("process,type,f,key,time\n0,invoke,read,x,{begun}\n0,ok,read,x,\"{ended}\"\n"),
        format!("process,f,key,invoke,return\n0,read,x,{begun},{ended}\n"),
        edn(begun, ended),
        edn(&text(begun), &format!("{ended}M")),
        edn("1.716548040123456789E9", "1716548040123456790e-9"),
    ] {
        let found = read(&recorded, &Options { unit: Unit::Seconds, ..options() });
        let [operation] = found.history.operations() else { panic!("{recorded}") };
        assert_eq!(operation.invoked, 1_716_548_040_123_456_789, "{recorded}");
        assert_eq!(operation.returned, Some(1_716_548_040_123_456_790), "{recorded}");
        let said = refused(&recorded, &options());
        assert!(said.contains("has parts of a nanosecond; is it in another unit?"), "{said}");
    }
    let renamed = event("invoke", begun).replace("time", "ts");
    let found = read(&renamed, &with("time", "ts", Unit::Seconds));
    assert_eq!(found.history.operations()[0].invoked, 1_716_548_040_123_456_789);
    for (time, expected) in [
        ("18446744074", "`18446744074` is no time: a number from 0, less than 2^64 nanoseconds"),
        ("1e999", "`1e999` is no time"),
        ("true", "`time` is a number, not true"),
        ("\"soon\"", "`soon` is no time"),
        ("[1,{\"a\":2}]", "`time` is a number, not [1,{\"a\":2}]"),
        ("01", "line 1: column"),
        ("\"\\ud800\"", "line 1: column"),
    ] {
        let said = refused(&event("invoke", time), &Options { unit: Unit::Seconds, ..options() });
        assert!(said.contains(expected), "{time}: {said}");
    }
}

#[test]
fn fields_of_other_names_are_said_and_all_unknown_ones_are_told_at_once() {
    let theirs = OPERATIONS.join("\n").replace("process", "client").replace("invoke", "start_us");
    let theirs = theirs.replace("return", "end_us").replacen('{', r#"{"pod":"a","#, 1);
    let theirs = theirs.replace("\"f\"", "\"latency\":7,\"f\"");
    let said = refused(&format!("[{theirs}]").replace("}\n{", "},{"), &options());
    let wanted = "line 1: the fields `client`, `end_us`, `latency`, `pod`, `start_us` are not \
                  known here; `client` may be `process`: --columns process=client; `end_us` may \
                  be `return`: --columns return=end_us --time-unit us; `start_us` may be \
                  `invoke`: --columns invoke=start_us --time-unit us; --ignore-field latency \
                  --ignore-field pod reads on without";
    assert_eq!(said, wanted);
    let columns = [("process", "client"), ("invoke", "start_us"), ("return", "end_us")];
    let columns = columns.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).into();
    let renamed = Options { columns, unit: Unit::Microseconds, ..options() };
    let said = refused(&theirs, &renamed);
    let wanted = "the fields `latency`, `pod` are not known here; --ignore-field latency \
                  --ignore-field pod reads on without";
    assert!(said.contains(wanted), "{said}");
    let ignored = vec!["pod".to_owned(), "latency".to_owned()];
    let found = read(&theirs, &Options { ignored, ..renamed });
    assert_eq!(notation::write(&found.history), "wx1|rx1 @ 0011");
    assert_eq!(found.history.operations()[0].invoked, 10_000);
    let hint = OPERATIONS.join("\n").replace("return", "end_ms");
    let said = refused(&hint, &options());
    assert!(
        said.contains("`end_ms` may be `return`: --columns return=end_ms --time-unit ms"),
        "{said}"
    );
    let tabled = "client,f,key,value,invoke,return\n0,read,x,,1,2\n";
    let said = refused(tabled, &options());
    assert!(said.contains("no column `process`, only client, f, key"), "{said}");
    let found = read(tabled, &with("process", "client", Unit::Nanoseconds));
    assert_eq!(notation::write(&found.history), "rx0 @ 00");
}

#[test]
fn one_object_needs_no_key_and_values_may_hold_it_as_jepsen_writes_them() {
    let without = |lines: &[&str]| lines.join("\n").replace(r#""key":"x","#, "");
    for text in [without(&EVENTS), without(&OPERATIONS)] {
        assert_eq!(notation::write(&read(&text, &options()).history), "wx1|rx1 @ 0011");
    }
    let mixed = format!("{}\n{}", without(&EVENTS[..2]), EVENTS[2]);
    assert!(refused(&mixed, &options()).contains("line 3: `key` stands on some lines only"));
    let mixed = format!("{}\n{}", without(&OPERATIONS[..1]), OPERATIONS[1]);
    assert!(refused(&mixed, &options()).contains("line 2: `key` stands on some lines only"));
    let jepsen = r#"{"type":"invoke","f":"write","value":["k",3],"process":0,"time":1,"index":0}
        {"type":"info","f":"start","value":"partition","process":"nemesis","time":2,"index":1}
        {"type":"ok","f":"write","value":["k",3],"process":0,"time":3,"index":2}
        {"type":"invoke","f":"read","value":["k",null],"process":1,"time":4,"index":3}
        {"type":"ok","f":"read","value":["k",3],"process":1,"time":5,"index":4}"#;
    let found = read(jepsen, &options());
    assert_eq!(notation::write(&found.history), "wk3|rk3 @ 0011");
    assert_eq!((found.marks_seen, found.marks[0].0), (1, 2));
    // Whoever is no client does not say whether objects have names.
    let (first, rest) = jepsen.split_once('\n').expect("there are lines");
    let (nemesis, rest) = rest.split_once('\n').expect("there are lines");
    let found = read(&format!("{nemesis}\n{first}\n{rest}"), &options());
    assert_eq!(notation::write(&found.history), "wk3|rk3 @ 0011");
}

#[test]
fn processes_may_have_names() {
    let named = |zero: &str, one: &str| {
        let text = EVENTS.join("\n").replace(r#""process":0"#, &format!(r#""process":"{zero}""#));
        read(&text.replace(r#""process":1"#, &format!(r#""process":"{one}""#)), &options())
    };
    let of = |found: &Recording| {
        let all = found.history.operations().iter().map(|op| op.process.0);
        (all.collect::<Vec<_>>(), found.processes.clone().into_iter().collect::<Vec<_>>())
    };
    let name = |number: u32, name: &str| (number, name.to_owned());
    let found = named("c7", "c3");
    assert_eq!(of(&found), (vec![7, 3], vec![name(3, "c3"), name(7, "c7")]));
    let found = named("alice", "bob");
    assert_eq!(of(&found), (vec![0, 1], vec![name(0, "alice"), name(1, "bob")]));
    let found = named("c1", "c01");
    assert_eq!(of(&found), (vec![1, 0], vec![name(0, "c01"), name(1, "c1")]));
    let mixed = EVENTS.join("\n").replace(r#""process":1"#, r#""process":"c1""#);
    assert!(refused(&mixed, &options()).contains("line 3: `process` is a number on some lines"));
}

#[test]
fn the_order_of_events_counts_where_times_run_backwards() {
    let text = EVENTS.join("\n").replace(":30}", ":5}");
    let found = read(&text, &options());
    assert_eq!((notation::write(&found.history).as_str(), found.backwards), ("wx1|rx1 @ 0011", 1));
    let times: Vec<_> = found.history.operations().iter().map(|op| op.invoked).collect();
    assert_eq!(times, [10, 21], "right after what is before it in the file");
    let strict = Options { strict_time: true, ..options() };
    assert!(refused(&text, &strict).contains("line 3: time runs backwards"));
    let lenient = Options { lenient: true, ..strict };
    assert_eq!((read(&text, &lenient).skipped, read(&text, &lenient).backwards), (1, 0));
}

#[test]
fn a_lenient_reader_skips_what_only_looks_like_a_beginning() {
    let lenient = Options { lenient: true, ..options() };
    let events = EVENTS.join("\n");
    let operations = OPERATIONS.join("\n");
    for strange in [
        "Running test, seed 5",
        "{\"process\":7,\"type\":\"inv",
        "{\"process\":7,\"invoke\":1,\"ret",
        "{\"level\":\"info\",\"text\":\"seed 5\"}",
        "{",
        "<log>",
    ] {
        for rest in [&events, &operations] {
            let found = read(&format!("{strange}\n{rest}\n"), &lenient);
            assert_eq!(notation::write(&found.history), "wx1|rx1 @ 0011", "{strange}");
            assert_eq!(found.skipped, 1, "{strange}");
        }
    }
    let none = refused("{\"process\":7,\"odd\":1}\nwhat\n", &lenient);
    assert!(none.contains("none of the 2 lines or entries here tells"), "{none}");
}

#[test]
fn a_line_that_is_skipped_decides_nothing_for_the_others() {
    let lenient = Options { lenient: true, ..options() };
    let edn = "{:process \"c0\" :type :invoke :f :write :value 1 :time 1}\n\
               {:process \"c0\" :type :ok :f :write :value 1 :time 2}\n\
               {:process \"c1\" :type :invoke :f :read :value nil :time 3}\n\
               {:process \"c1\" :type :ok :f :read :value 1 :time 4}\n";
    let whole = "{:process \"c0\" :type :ok :f :write :value 1 :start 1 :end 2}\n\
                 {:process \"c1\" :type :ok :f :read :value 1 :start 3 :end 4}\n";
    let with_names = |text: &str| {
        let named = text.replace("\"process\":0", "\"process\":\"c0\"");
        named.replace("\"process\":1", "\"process\":\"c1\"")
    };
    let (events, operations) = (EVENTS.join("\n"), OPERATIONS.join("\n"));
    let numbered = edn.replace("\"c0\"", "0").replace("\"c1\"", "1");
    let keyless = events.replace("\"key\":\"x\",", "");
    for (strange, text) in [
        // No function, no type, an answer to nothing, no such value, no time.
        ("{:process 7 :type :invoke :value 1}", edn),
        ("{:process 7 :value 1}", edn),
        ("{:process 7 :type :ok :f :read :value 1}", edn),
        ("{:process 7 :type :info :f :read :time 0}", edn),
        ("{:process \"c7\" :type :invoke :f :read :value #{[}", &numbered),
        ("{:process \"c7\" :type :ok :f :read :value 1}", &numbered),
        ("{:process \"c7\" :type :invoke :key 3}", &numbered),
        ("{:process 7 :type :ok :f :write :value 1 :start 3}", whole),
        ("{:process 7 :type :maybe :f :write :value 1 :start 1}", whole),
        (r#"{"process":7,"type":"ok","value":1}"#, &with_names(&events)),
        (r#"{"process":7,"type":"invoke","key":"x"}"#, &with_names(&events)),
        (r#"{"process":7,"type":"invoke","key":"x","time":0}"#, &keyless),
        (r#"{"process":"c7","type":"ok","value":1}"#, &events),
        (r#"{"process":"c7","type":"invoke","f":"read","key":"x","value":1,"time":0}"#, &events),
        (r#"{"process":7,"f":"read","invoke":1,"type":"ok"}"#, &with_names(&operations)),
        (r#"{"process":"c7","f":"read","key":"x","invoke":1,"type":"ok"}"#, &operations),
    ] {
        let found = read(&format!("{strange}\n{text}"), &lenient);
        assert_eq!(notation::write(&found.history), "wx1|rx1 @ 0011", "{strange} {text}");
        assert_eq!(found.skipped + found.marks_seen, 1, "{strange} {text}");
        let names = found.history.processes();
        let names: Vec<_> = names.into_iter().map(|it| found.name_of(it)).collect();
        let expected = if text.contains("c0") { ["c0", "c1"] } else { ["0", "1"] };
        assert_eq!(names, expected, "{strange} {text}");
    }
}

#[test]
fn many_names_and_many_fields_take_no_longer_than_their_number() {
    let line = |at: usize| {
        format!(r#"{{"process":"{at}th","f":"read","key":"x","invoke":{at},"return":{at}}}"#)
    };
    let named: Vec<_> = (0..50_000).map(line).collect();
    let found = read(&named.join("\n"), &options());
    assert_eq!((found.history.processes().len(), found.processes.len()), (50_000, 50_000));
    let field = |at: usize| format!(r#"{{"process":0,"type":"ok","odd{at}":1}}"#);
    let strange: Vec<_> = (0..50_000).map(field).collect();
    let said = refused(&strange.join("\n"), &options());
    assert_eq!(said.matches("--ignore-field").count(), 20, "{said}");
    let field = |at: usize| format!(r#""odd{at}":1"#);
    let wide: Vec<_> = (0..50_000).map(field).collect();
    let said = refused(&format!("{{{}}}", wide.join(",")), &options());
    assert_eq!(said.matches("--ignore-field").count(), 20, "{said}");
    let twice = r#"{"process":0,"type":"ok","value":1,"value":2}"#;
    assert!(refused(twice, &options()).contains("there are two fields `value`"));
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    let long = format!("[{{\"a\":\"{}", "x".repeat(17 << 20));
    for (text, expected) in [
        ("[\n{\"process\":0}\n", "line 2: `type` is missing"),
        ("[{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"},\n", "line 1: the file ends inside"),
        ("{\"process\":0,\n\"type\":", "line 1: the file ends inside the object"),
        ("process,type,f\n0,invoke\n", "line 2: the row has 2 cells, and the table 3 columns"),
        ("process,type,f\n0,maybe,read\n", "line 2: there is no type `maybe`"),
        ("process,type,f\nx\u{fffd},ok,read\n", "line 2: process 0 completes"),
        ("f,b\n1,2\n", "line 1: this table has no column `process`, only f, b; --columns"),
        ("a,b\n1,2\n", "line 1: this is neither a JSON event"),
        (&"{\"a\":".repeat(200), "line 1: column 636: what is here nests too deep"),
        ("{:process :nemesis, :type :info, :f :start}\n", "line 1: none of the 1 lines or"),
        (&long, "line 1: the object is longer than 16 MiB"),
    ] {
        let said = refused(text, &options());
        assert!(said.contains(expected), "{}: {said}", &text[..text.len().min(60)]);
    }
}

#[test]
fn stacks_and_unique_ids_are_read_as_queues_are_in_every_format() {
    let texts = [
        r#"{"process":0,"type":"invoke","f":"PUT","key":"x","value":5}
           {"process":0,"type":"ok","f":"PUT","key":"x","value":5}
           {"process":1,"type":"invoke","f":"GET","key":"x"}
           {"process":1,"type":"ok","f":"GET","key":"x","value":5}"#,
        r#"{"process":0,"type":"invoke","f":"PUT","value":["x",5]}
           {"process":0,"type":"ok"}
           {"process":1,"type":"invoke","f":"GET","value":["x",null]}
           {"process":1,"type":"ok","value":["x",5]}"#,
        r#"{"process":0,"f":"PUT","key":"x","value":5,"invoke":1,"return":2}
           {"process":1,"f":"GET","key":"x","value":5,"invoke":3,"return":4}"#,
        "{:process 0 :type :invoke :f :PUT :value nil}\n{:process 0 :type :ok :f :PUT :value 5}
         {:process 1 :type :invoke :f :GET :value nil}\n{:process 1 :type :ok :f :GET :value 5}",
        r#"{:process 0 :type :invoke :f :PUT :value ["x" 5]} {:process 0 :type :ok}
           {:process 1 :type :invoke :f :GET :value ["x" nil]}
           {:process 1 :type :ok :f :GET :value ["x" 5]}"#,
        "{:process 1 :type :ok :f :GET :value 5 :start 3 :end 4}
         {:process 0 :type :ok :f :PUT :value 5 :start 1 :end 2}",
        "0\t:invoke\t:PUT\t5\n0\t:ok\t:PUT\t5\n1\t:invoke\t:GET\tnil\n1\t:ok\t:GET\t5\n",
        "process,f,key,value,invoke,return\n1,GET,x,5,3,4\n0,PUT,x,5,1,2\n",
    ];
    for (put, get) in [("enqueue", "dequeue"), ("push", "pop"), ("write", "generate")] {
        for text in texts {
            let text = text.replace("PUT", put).replace("GET", get);
            let history = read(&text, &options()).history;
            let put = if put == "write" { "wx5".to_owned() } else { format!("[{put}]x=5") };
            let expected = format!("{put}|[{get}]x=null:5 @ 0011");
            assert_eq!(notation::write(&history), expected, "{text}");
            for text in [json_lines::write(&history), edn::write(&history)] {
                assert_eq!(read(&text, &options()).history, history, "{text}");
            }
        }
        let asked = format!(r#"{{"process":0,"type":"invoke","f":"{get}","key":"x","value":1}}"#);
        let said = refused(&asked, &options());
        assert!(said.contains(&format!("the invocation of a {get} has no value")), "{said}");
    }
}
