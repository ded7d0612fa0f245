//! The table of tools, formats and workloads in docs/verify.md: each row has a sample here.

use std::path::Path;

use super::runner::{Place, read};

/// What comes of a recording.
enum Comes {
    /// It is judged: this sample holds, and with the second text for the last of the first it
    /// fails.
    Judged(&'static str, &'static str),
    /// It is refused, or not judged, by this name.
    Refused(&'static str),
}

struct Row {
    tool: &'static str,
    format: &'static str,
    workload: &'static str,
    options: &'static str,
    sample: &'static str,
    comes: Comes,
}

const fn row(
    (tool, format, workload): (&'static str, &'static str, &'static str),
    options: &'static str,
    comes: Comes,
    sample: &'static str,
) -> Row {
    Row { tool, format, workload, options, sample, comes }
}

use Comes::{Judged, Refused};

const ROWS: &[Row] = &[
    row(
        ("your own", "JSON event lines", "registers"),
        "",
        Judged(r#""value":1}"#, r#""value":3}"#),
        r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1}
{"process":0,"type":"ok"}
{"process":1,"type":"invoke","f":"read","key":"x"}
{"process":1,"type":"ok","value":1}
"#,
    ),
    row(
        ("your own", "JSON operation lines", "registers with compare-and-set"),
        "",
        Judged(r#""value":2,"invoke":5"#, r#""value":1,"invoke":5"#),
        r#"{"process":0,"f":"write","key":"x","value":1,"invoke":1,"return":2}
{"process":1,"f":"cas","key":"x","value":[1,2],"invoke":3,"return":4}
{"process":2,"f":"read","key":"x","value":2,"invoke":5,"return":6}
"#,
    ),
    row(
        ("your own", "table with commas", "registers"),
        "--columns process=client,invoke=start_us,return=end_us --time-unit us",
        Judged("b,read,x,1", "b,read,x,2"),
        "client,f,key,value,start_us,end_us
a,write,x,1,10,20
b,read,x,1,30,40
",
    ),
    row(
        ("your own", "JSON event lines", "stacks"),
        "",
        Judged(r#""value":5}"#, r#""value":6}"#),
        r#"{"process":0,"type":"invoke","f":"push","key":"s","value":5}
{"process":0,"type":"ok"}
{"process":1,"type":"invoke","f":"pop","key":"s"}
{"process":1,"type":"ok","value":5}
"#,
    ),
    row(
        ("your own", "JSON operation lines", "semaphores"),
        "--datatype semaphore --initial 2",
        Judged(r#""value":1,"invoke":3"#, r#""value":2,"invoke":3"#),
        r#"{"process":0,"f":"acquire","key":"s","value":1,"invoke":1,"return":2}
{"process":1,"f":"acquire","key":"s","value":1,"invoke":3,"return":4}
"#,
    ),
    row(
        ("Jepsen", "`history.edn`", "registers of several keys"),
        "",
        Judged("[9 1], :time 4", "[9 2], :time 4"),
        "{:type :invoke, :f :write, :value [9 1], :time 1, :process 0, :index 0}
{:type :ok, :f :write, :value [9 1], :time 2, :process 0, :index 1}
{:type :invoke, :f :read, :value [9 nil], :time 3, :process 1, :index 2}
{:type :ok, :f :read, :value [9 1], :time 4, :process 1, :index 3}
",
    ),
    row(
        ("Jepsen", "`history.edn`", "sets"),
        "",
        Judged("#{1 2}", "#{1}"),
        "{:type :invoke, :f :add, :value 1, :process 0}
{:type :ok, :f :add, :value 1, :process 0}
{:type :invoke, :f :add, :value 2, :process 1}
{:type :ok, :f :add, :value 2, :process 1}
{:type :invoke, :f :read, :value nil, :process 0}
{:type :ok, :f :read, :value #{1 2}, :process 0}
",
    ),
    row(
        ("Jepsen", "`history.edn`", "counters"),
        "",
        Judged(":value 3, :process 2", ":value 4, :process 2"),
        "{:type :invoke, :f :add, :value 1, :process 0}
{:type :ok, :f :add, :value 1, :process 0}
{:type :invoke, :f :add, :value 2, :process 1}
{:type :ok, :f :add, :value 2, :process 1}
{:type :invoke, :f :read, :value nil, :process 2}
{:type :ok, :f :read, :value 3, :process 2}
",
    ),
    row(
        ("Jepsen", "`history.edn`", "queues"),
        "",
        Judged(":ok, :f :dequeue, :value 1", ":ok, :f :dequeue, :value 2"),
        "{:type :invoke, :f :enqueue, :value 1, :process 0}
{:type :ok, :f :enqueue, :value 1, :process 0}
{:type :invoke, :f :enqueue, :value 2, :process 0}
{:type :ok, :f :enqueue, :value 2, :process 0}
{:type :invoke, :f :dequeue, :value nil, :process 1}
{:type :ok, :f :dequeue, :value 1, :process 1}
",
    ),
    row(
        ("Jepsen", "`history.edn`", "queues without an order"),
        "--datatype unordered-queue",
        Judged(":ok, :f :dequeue, :value 2", ":ok, :f :dequeue, :value 3"),
        "{:type :invoke, :f :enqueue, :value 1, :process 0}
{:type :ok, :f :enqueue, :value 1, :process 0}
{:type :invoke, :f :enqueue, :value 2, :process 0}
{:type :ok, :f :enqueue, :value 2, :process 0}
{:type :invoke, :f :dequeue, :value nil, :process 1}
{:type :ok, :f :dequeue, :value 2, :process 1}
",
    ),
    row(
        ("Jepsen", "`history.edn`", "locks"),
        "",
        Judged(":ok, :f :release", ":fail, :f :release"),
        "{:type :invoke, :f :acquire, :value nil, :process 0}
{:type :ok, :f :acquire, :value nil, :process 0}
{:type :invoke, :f :release, :value nil, :process 0}
{:type :ok, :f :release, :value nil, :process 0}
{:type :invoke, :f :acquire, :value nil, :process 1}
{:type :ok, :f :acquire, :value nil, :process 1}
",
    ),
    row(
        ("Jepsen", "`history.edn`", "unique names"),
        "",
        Judged(":value 11", ":value 10"),
        "{:type :invoke, :f :generate, :value nil, :process 0}
{:type :ok, :f :generate, :value 10, :process 0}
{:type :invoke, :f :generate, :value nil, :process 1}
{:type :ok, :f :generate, :value 11, :process 1}
",
    ),
    row(
        ("Jepsen", "`history.txt`", "registers"),
        "",
        Judged("0\t:ok\t:read\t7", "0\t:ok\t:read\t8"),
        "0\t:invoke\t:write\t7
0\t:ok\t:write\t7
0\t:invoke\t:read\tnil
0\t:ok\t:read\t7
",
    ),
    row(
        ("Jepsen", "`jepsen.log`", "registers"),
        "--lenient",
        Judged("worker 1 - jepsen.util 1\t:ok\t:read\t7", "worker 1 - jepsen.util 1\t:ok\t:read\t8"),
        "2024-05-24 10:00:00,000{GMT}\tINFO\t[main] jepsen.core: Running test
2024-05-24 10:00:01,000{GMT}\tINFO\t[jepsen worker 0] jepsen worker 0 - jepsen.util 0\t:invoke\t:write\t7
2024-05-24 10:00:02,000{GMT}\tINFO\t[jepsen worker 0] jepsen worker 0 - jepsen.util 0\t:ok\t:write\t7
2024-05-24 10:00:03,000{GMT}\tINFO\t[jepsen worker 1] jepsen worker 1 - jepsen.util 1\t:invoke\t:read\tnil
2024-05-24 10:00:04,000{GMT}\tINFO\t[jepsen worker 1] jepsen worker 1 - jepsen.util 1\t:ok\t:read\t7
",
    ),
    row(
        ("Jepsen, Knossos", "`history.edn`", "multi-registers"),
        "--datatype multi-register",
        Judged("[:r 1 2]]", "[:r 1 3]]"),
        "{:type :invoke, :f :txn, :value [[:w 0 1] [:w 1 2]], :process 0}
{:type :ok, :f :txn, :value [[:w 0 1] [:w 1 2]], :process 0}
{:type :invoke, :f :txn, :value [[:r 0 nil] [:r 1 nil]], :process 1}
{:type :ok, :f :txn, :value [[:r 0 1] [:r 1 2]], :process 1}
",
    ),
    row(
        ("Jepsen, Elle", "`history.edn`", "transactions (list-append, read-write)"),
        "",
        Refused("is a transaction, a list of micro-operations"),
        "{:type :invoke, :f :txn, :value [[:append 0 1] [:r 0 nil]], :process 0}
{:type :ok, :f :txn, :value [[:append 0 1] [:r 0 [1]]], :process 0}
",
    ),
    row(
        ("Jepsen", "`history.edn`", "bank transfers"),
        "",
        Refused("is a map, as in a transaction on several objects"),
        "{:type :invoke, :f :transfer, :value {:from 0, :to 1, :amount 2}, :process 0}
{:type :ok, :f :transfer, :value {:from 0, :to 1, :amount 2}, :process 0}
{:type :invoke, :f :read, :value nil, :process 1}
{:type :ok, :f :read, :value {0 8, 1 12}, :process 1}
",
    ),
    row(
        ("Maelstrom", "`history.edn`", "broadcasts, and other functions that no datatype knows"),
        "",
        Refused("no datatype here knows `broadcast"),
        "{:type :invoke, :f :broadcast, :value 1, :process 0}
{:type :ok, :f :broadcast, :value 1, :process 0}
{:type :invoke, :f :read, :value nil, :process 1}
{:type :ok, :f :read, :value [1], :process 1}
",
    ),
    row(
        ("Porcupine", "log of its etcd test", "registers with compare-and-set"),
        "",
        Judged(":ok :read 7", ":ok :read 8"),
        "INFO  jepsen.util - 0 :invoke :write 7
INFO  jepsen.util - 0 :ok :write 7
INFO  jepsen.util - 1 :invoke :read nil
INFO  jepsen.util - 1 :ok :read 7
",
    ),
    row(
        ("Porcupine", "log of its key-value test", "texts (`get`, `put`, `append`)"),
        "",
        Judged(r#":f :get, :key "0", :value "x 0 0 y""#, r#":f :get, :key "0", :value "x 0 1 y""#),
        r#"{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}
{:process 0, :type :ok, :f :append, :key "0", :value "x 0 0 y"}
{:process 1, :type :invoke, :f :get, :key "0", :value nil}
{:process 1, :type :ok, :f :get, :key "0", :value "x 0 0 y"}
"#,
    ),
];

#[test]
fn every_fault_is_explained_with_its_flag_and_its_words() {
    let list = Place::new().run("list").out;
    let (_, faults) = list.split_once("\nfaults\n").expect("faults are listed");
    let names: Vec<_> = faults.lines().filter_map(|it| it.split_whitespace().next()).collect();
    assert_eq!(names.len(), 12, "{faults}");
    for name in names {
        let said = Place::new().run(&format!("explain {name}"));
        assert_eq!(said.code, Some(0), "{said:?}");
        for word in
            [format!("{name}: a fault"), format!("--faults {name}=1"), format!("\"{name}\": 1")]
        {
            assert!(said.out.contains(&word), "{word}: {}", said.out);
        }
        let dashed = Place::new().run(&format!("explain {}", name.replace('_', "-")));
        assert_eq!(dashed.out, said.out);
    }
}

#[test]
fn every_tool_in_the_table_is_judged_or_refused_by_name() {
    let place = Place::new();
    let run = |text: &str, options: &str| {
        place.write("recording", text);
        place.run(&format!("verify recording {options}"))
    };
    for Row { tool, format, workload, options, sample, comes } in ROWS {
        let name = format!("{tool}, {format}, {workload}");
        let said = run(sample, options);
        match comes {
            Judged(right, wrong) => {
                assert_eq!(said.code, Some(0), "{name}: {said:?}");
                let (before, after) = sample.rsplit_once(right).expect("it is in the sample");
                let said = run(&format!("{before}{wrong}{after}"), options);
                assert_eq!(said.code, Some(1), "{name}: {said:?}");
            }
            Refused(why) => {
                assert!(matches!(said.code, Some(2 | 3)), "{name}: {said:?}");
                let told = format!("{}{}", said.out, said.err).replace("\n ", " ");
                let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(told.contains(why), "{name}: {said:?}");
            }
        }
    }
}

#[test]
fn the_documents_have_the_table_of_tools() {
    let text = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.md"));
    let head = "| recorded by | format | workload | options | what comes of it |";
    let (_, table) = text.split_once(head).expect("the table is there");
    let told: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let rows = ROWS.iter().map(|row| {
        let options = match row.options {
            "" => String::new(),
            options => format!(" `{options}`"),
        };
        let comes = match row.comes {
            Judged(..) => "judged",
            Refused(_) => "refused by name",
        };
        format!("| {} | {} | {} |{options} | {comes} |", row.tool, row.format, row.workload)
    });
    let rows: Vec<String> = rows.collect();
    assert_eq!(told, rows, "{}", rows.join("\n"));
}
