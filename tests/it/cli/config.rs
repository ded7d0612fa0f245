//! `quiescence.toml` and the environment: what counts if several say something, and how
//! files that are none are refused.

use super::runner::{Place, Said};

/// A place with this file of settings.
fn with(text: impl AsRef<[u8]>) -> Place {
    let place = Place::new();
    place.write("quiescence.toml", text);
    place
}

/// Runs a command line with these variables.
fn run(place: &Place, variables: &[(&str, &str)], line: &str) -> Said {
    let mut command = place.command(&line.split_whitespace().collect::<Vec<_>>());
    place.run_by(command.envs(variables.iter().copied()))
}

/// A short search, which says how many runs it did.
const CHECK: &str = "check multi-primary-lww --model ryw --search random --seed 1";

/// How many runs were done, and how many searches at a time.
fn runs(said: &Said) -> String {
    assert!(said.err.is_empty(), "{said:?}");
    let again = said.out.lines().find(|it| it.contains("quiescence check ")).unwrap_or_default();
    let words = again.split_whitespace().filter_map(|it| it.strip_prefix("--runs="));
    words.collect::<Vec<_>>().join(",")
}

/// What one command line and these variables make of an option.
fn format_of(place: &Place, variables: &[(&str, &str)], line: &str) -> &'static str {
    let said = run(place, variables, line);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    match said.out.chars().next() {
        Some('{') => "json",
        _ => "human",
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_told_which_profile_changes_something() {
    let place = with("[default.check]\nruns = 5\n[ci]\n");
    let shown = |more: &str| {
        let line = format!("{} {CHECK} {more}", env!("CARGO_BIN_EXE_quiescence"));
        place.run_by(std::process::Command::new("script").args(["-qec", &line, "/dev/null"])).out
    };
    for (more, told) in [
        ("", Some("settings: quiescence.toml, profile default\r\n")),
        ("--profile ci", Some("settings: quiescence.toml, profile ci\r\n")),
        ("--runs 5", None),
        ("--runs 5 --no-config", None),
    ] {
        let out = shown(more);
        assert!(out.contains("--runs"), "{out}");
        let is_as_told = told.map_or(!out.contains("settings: "), |told| out.contains(told));
        assert!(is_as_told, "{more}: {out}");
    }
}

/// Every pair of the four that may say something of an option.
#[test]
fn an_option_counts_before_a_variable_a_profile_and_the_default_profile() {
    let both = with("[default.list]\nformat = \"json\"\n[ci.list]\nformat = \"human\"\n");
    let variable = |value| [("QUIESCENCE_LIST_FORMAT", value)];
    for (variables, line, expected) in [
        (&[][..], "list", "json"),
        (&[], "list --profile ci", "human"),
        (&[], "list --profile default", "json"),
        (&[("QUIESCENCE_PROFILE", "ci")], "list", "human"),
        (&[("QUIESCENCE_PROFILE", "ci")], "list --profile default", "json"),
        (&[("QUIESCENCE_PROFILE", "")], "list", "json"),
        (&variable("human"), "list", "human"),
        (&variable("json"), "list --profile ci", "json"),
        (&variable(""), "list", "json"),
        (&[], "list --format human", "human"),
        (&[], "--profile ci list --format json", "json"),
        (&variable("human"), "list --format json", "json"),
        (&[], "list --no-config", "human"),
        (&variable("json"), "list --no-config", "json"),
        (&[("QUIESCENCE_PROFILE", "ci")], "list --no-config", "human"),
    ] {
        assert_eq!(format_of(&both, variables, line), expected, "{variables:?} {line}");
    }
    assert_eq!(format_of(&Place::new(), &[], "list"), "human");
    // What a profile says nothing of is as in the profile `default`.
    let inherited = with("[default.list]\nformat = \"json\"\n[ci]\nascii = true\n");
    assert_eq!(format_of(&inherited, &[], "list --profile ci"), "json");
}

#[test]
fn a_switch_is_set_and_set_back() {
    let place = with("[default]\nascii = true\n[fine]\nascii = false\n");
    let ascii = |variables: &[_], line: &str| {
        let said = run(&place, variables, &format!("{line} explain causal"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        said.out.is_ascii()
    };
    assert!(ascii(&[], ""));
    assert!(!ascii(&[], "--profile fine"));
    assert!(ascii(&[], "--profile fine --ascii"));
    assert!(ascii(&[("QUIESCENCE_ASCII", "1")], "--profile fine"));
    assert!(!ascii(&[("QUIESCENCE_ASCII", "false")], ""));
    let said = run(&place, &[("QUIESCENCE_ASCII", "no")], "list");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("QUIESCENCE_ASCII: `no` is neither on nor off"), "{said:?}");
}

#[test]
fn what_a_command_cannot_take_beside_what_was_typed_is_left_out() {
    let place = with(
        "[default.check]\nruns = 50\nstates = 500\n[default.verify]\nmodel = [\"ryw\", \"mr\"]\nwindow = 5\n",
    );
    // --deep and --runs exclude each other.
    let said = place.run(&format!("{CHECK} --deep --time 1ms"));
    assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
    assert_eq!(runs(&said), "");
    assert_eq!(runs(&place.run(CHECK)), "50", "{:?}", place.run(CHECK));
    // A list is the option several times; a longer list is not added to what was typed.
    let judged = |line: &str| {
        let said = place.run_words(&[&["verify", "wx1|rx1"], &*words(line)].concat());
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        let models = said.out.lines().filter(|line| line.contains("holds"));
        models.count()
    };
    assert_eq!(judged(""), 2);
    assert_eq!(judged("--model causal"), 1);
    assert!(judged("--all") > 10);
    // What needs an option that nobody set is left out, and else it counts.
    place.write("quiescence.toml", "[default.verify]\nwindow = 5\nfollow = true\n");
    place.write("growing.jsonl", "");
    let said = place.run("verify growing.jsonl --time 1ms");
    assert_ne!(said.code, Some(2), "{said:?}");
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Words after `--`, values of options before the subcommand, and a name that is a command's.
#[test]
fn what_is_added_stands_where_options_stand() {
    let place = with(
        "[default]\nascii = true\n[list.explain]\nformat = \"json\"\n".replace("list.", "lists."),
    );
    let said =
        place.run_words(&["--color", "never", "--profile", "lists", "explain", "--", "causal"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.starts_with('{'), "{said:?}");
}

#[test]
fn the_file_is_the_nearest_one_as_far_as_the_top_of_the_repository() {
    let place = with("[default.list]\nformat = \"json\"\n");
    let deep = place.path("a/b");
    std::fs::create_dir_all(&deep).expect("it can be made");
    let at = |below: &str, line: &str| {
        let mut command = place.command(&words(line));
        let output = command.current_dir(place.path(below)).output().expect("it can be run");
        String::from_utf8(output.stdout).expect("UTF-8").starts_with('{')
    };
    assert!(at("a/b", "list"));
    place.write("a/quiescence.toml", "[default.list]\nformat = \"human\"\n");
    assert!(!at("a/b", "list"));
    assert!(at("a/b", "list --config ../../quiescence.toml"));
    std::fs::remove_file(place.path("a/quiescence.toml")).expect("it is there");
    place.write("a/.git", "");
    assert!(!at("a/b", "list"));
    assert!(!at("a", "list"));
    place.write("a/quiescence.toml", "[default.list]\nformat = \"json\"\n");
    assert!(at("a/b", "list"), "the top of the repository itself is looked at");
    place.write("a/quiescence.toml", "oops");
    let mut command = place.command(&["list"]);
    let output = command.current_dir(deep).output().expect("it can be run");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(err.starts_with("error: ../quiescence.toml:1:"), "{err}");
}

/// What is refused, where, and with which remedy.
#[test]
fn what_is_no_setting_is_refused_with_its_place_and_a_remedy() {
    for (text, place, remedy) in [
        ("[default.check]\nrun = 5\n", ":2:1: `check` has no option `run`", "did you mean `runs`?"),
        ("[ci.chek]\nruns = 5\n", ":1:5: there is no command `chek`", "did you mean `check`?"),
        ("[ci]\ncolour = 5\n", ":2:1: there is no command `colour`", "did you mean `color`?"),
        ("[check]\nruns = 5\n", ":1:2: `check` is a command", "`[default.check]`"),
        ("color = \"never\"\n", ":1:1: `color` is in no profile", "`[default]`"),
        ("[defualt.check]\nruns = 5\n", ":1:2: `defualt`", "did you mean `default`?"),
        ("[default]\ncheck = 5\n", ":2:9: `check` is a command", "`[default.check]`"),
        ("[default]\nprofile = \"ci\"\n", ":2:1: there is no command `profile`", "color, ascii"),
        ("[x.check]\nruns = \"many\"\n", ":2:9: invalid value 'many' for '--runs", "check --help"),
        ("[x.check]\nruns = 5.0\n", ":2:8: invalid value '5.0' for '--runs", "check --help"),
        ("[x.check]\nruns = true\n", ":2:8: `runs` is a text or a number", "runs = …"),
        ("[x.check]\nruns = [5]\n", ":2:8: `runs` is a text or a number", "runs = …"),
        ("[x.check]\ndeep = \"yes\"\n", ":2:9: `deep` is true or false", "deep = …"),
        ("[x.check]\nmodel = [[]]\n", ":2:9: `model` is a text, a number, or a list", "model = …"),
        ("[x.check]\nmodel = \"casual\"\n", ":2:10: invalid value 'casual'", "check --help"),
        ("[x.check]\nformat = \"yaml\"\n", ":2:11: invalid value 'yaml'", "check --help"),
        ("[x]\ncolor = \"red\"\n", ":2:10: invalid value 'red'", "--help"),
        ("[default.list]\n\n[default.list]\n", ":3:", "settings are TOML"),
        ("[default.check]\nruns = \n", ":2:", "settings are TOML"),
        ("[default.check]\nruns = 99999999999999999999\n", ":2:8:", "settings are TOML"),
        ("[default.check", ":1:", "settings are TOML"),
        ("[default.check]\ntime = \"60s", ":2:", "settings are TOML"),
        ("[default.check]\n\"ru\\u001bns\" = 5\n", ":2:2: `check` has no option `ru", "runs"),
        ("[default.check]\nru\u{1b}ns = 5\n", ":2:3:", "settings are TOML"),
        ("\u{feff}[default.check]\nrun = 5\n", ":2:1: `check` has no option `run`", "`runs`"),
        ("\u{feff}color = 5\n", ":1:1: `color` is in no profile", "`[default]`"),
    ] {
        let said = with(text).run("list");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{text:?}: {said:?}");
        let (first, rest) = said.err.split_once('\n').expect("there is a remedy");
        let first = first.strip_prefix("error: quiescence.toml").expect("a place");
        assert!(first.starts_with(place), "{text:?}: {}", said.err);
        assert!(rest.contains(remedy) && rest.lines().count() == 1, "{text:?}: {}", said.err);
        assert!(!said.err.contains('\u{1b}'), "{text:?}: {:?}", said.err);
    }
    let said = with("\u{feff}[default.list]\nformat = \"json\"\n").run("list");
    assert!(said.out.starts_with('{'), "a mark of the order of bytes is no error: {said:?}");
}

#[test]
fn options_of_one_profile_do_not_contradict_each_other() {
    let said = with("[default.check]\ndeep = true\nruns = 5\n").run("check notebook");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.starts_with("error: quiescence.toml:3:8: "), "{said:?}");
    assert!(said.err.contains("cannot be used with"), "{said:?}");
}

#[test]
fn what_is_no_file_of_settings_is_refused() {
    let long = format!("# {}\n", "x".repeat(1 << 20));
    let nested = format!("x = {}", "[".repeat(100_000));
    for (contents, message) in [
        (long.as_bytes(), "quiescence.toml has more than 1 MiB"),
        (nested.as_bytes(), "quiescence.toml:1:"),
        (b"[default]\nx = \"\xff\xfe\"", "quiescence.toml:2:6: this is not UTF-8"),
        (b"\x00\x01\x02", "quiescence.toml:1:1: "),
        (b"\x7fELF\x02\x01\x01\x00", "quiescence.toml:1:1: "),
    ] {
        let said = with(contents).run("list");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.starts_with(&format!("error: {message}")), "{said:?}");
        assert_eq!(said.err.lines().count(), 2, "{said:?}");
    }
    let place = Place::new();
    std::fs::create_dir(place.path("quiescence.toml")).expect("it can be made");
    let said = place.run("list");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("quiescence.toml is a directory"), "{said:?}");
    assert!(said.err.contains("`--no-config` reads none"), "{said:?}");
    assert_eq!(place.run("list --no-config").code, Some(0));
    let said = place.run("list --config other.toml");
    assert!(said.err.contains("there is no file other.toml"), "{said:?}");
}

#[cfg(unix)]
#[test]
fn nothing_is_waited_for_and_no_link_is_overlooked() {
    let place = Place::new();
    let path = place.path("quiescence.toml");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("a mkfifo");
    assert!(made.success());
    let said = place.run("list");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("is not a regular file"), "{said:?}");
    std::fs::remove_file(&path).expect("it is there");
    std::os::unix::fs::symlink("nowhere", &path).expect("it can be made");
    let said = place.run("list");
    assert!(said.err.contains("there is no file quiescence.toml"), "{said:?}");
}

#[test]
fn a_profile_that_is_not_there_is_refused_with_one_that_is() {
    let place = with("[ci.check]\nruns = 5\n[deep.check]\ndeep = true\n");
    let said = place.run("list --profile c1");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("quiescence.toml has no profile `c1`"), "{said:?}");
    assert!(said.err.contains("did you mean `ci`?"), "{said:?}");
    let said = run(&place, &[("QUIESCENCE_PROFILE", "nightly")], "list");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("its profiles are ci, deep"), "{said:?}");
    // Without a file the option is a mistake; the variable may be meant for other directories.
    let said = Place::new().run("list --profile ci");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("there is no quiescence.toml here or above"), "{said:?}");
    assert_eq!(run(&Place::new(), &[("QUIESCENCE_PROFILE", "ci")], "list").code, Some(0));
}

#[test]
fn a_variable_that_names_no_option_or_no_value_is_refused() {
    let place = Place::new();
    let said = run(&place, &[("QUIESCENCE_LIST_FROMAT", "json")], "list");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("did you mean `QUIESCENCE_LIST_FORMAT`?"), "{said:?}");
    assert_eq!(run(&place, &[("QUIESCENCE_LIST_FROMAT", "json")], "explain causal").code, Some(0));
    let said = run(&place, &[("QUIESCENCE_LIST_FORMAT", "yaml")], "list");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.starts_with("error: QUIESCENCE_LIST_FORMAT: invalid value 'yaml'"),
        "{said:?}"
    );
}

/// What can be copied has all that was decided, wherever it is run.
#[test]
fn the_command_to_repeat_has_what_the_file_said() {
    let place = with("[default.check]\nruns = 50\nsearch = \"random\"\n");
    let said = place.run("check multi-primary-lww --model ryw --seed 1");
    assert_eq!(runs(&said), "50", "{said:?}");
}

#[test]
fn a_help_and_what_writes_no_results_need_no_good_file() {
    let place = with("oops");
    for line in ["--help", "check --help", "completions bash", "man", "--version"] {
        assert_eq!(place.run(line).code, Some(0), "{line}");
    }
}
