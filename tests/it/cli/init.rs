//! `init`: what it writes is accepted, and what it prints works.

use super::runner::{Place, read};

/// What `init` shows as a test of one's own, word for word.
mod shown {
    #[test]
    fn what_is_promised_holds() {
        let all = quiescence::catalogue::Registry::standard();
        let check = "primary-backup:reads=local --model eventual --runs 500 --states 20000";
        quiescence::cli::assert_holds(&all, check);
    }
}

/// The lines that it shows to be copied.
fn copied(out: &str) -> Vec<&str> {
    out.lines().filter_map(|line| line.strip_prefix("    ")).collect()
}

#[test]
fn the_test_that_it_shows_is_one() {
    let said = Place::new().run("init");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.starts_with("wrote quiescence.toml, with the profiles"), "{}", said.out);
    let lines = copied(&said.out);
    let test: Vec<_> =
        lines.iter().copied().take_while(|line| !line.starts_with("quiescence ")).collect();
    assert_eq!(test.len(), 6, "{}", said.out);
    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let there = trimmed(include_str!("init.rs")).contains(&trimmed(&test.join("\n")));
    assert!(there, "not in this file: {test:#?}");
}

#[test]
fn the_commands_that_it_shows_work_with_the_file_that_it_writes() {
    let (place, _) = Place::with_case();
    let out = place.run("init").out;
    let lines = copied(&out);
    let commands = lines.iter().filter_map(|line| line.strip_prefix("quiescence "));
    let commands: Vec<_> = commands.map(|line| line.split_once(" > ").expect("a file").0).collect();
    assert_eq!(commands.len(), 2, "{out}");
    for line in commands {
        // (Every promise takes long: less of each search is enough here.)
        let mut command = place.command(&line.split_whitespace().collect::<Vec<_>>());
        let short = [("QUIESCENCE_CHECK_RUNS", "5"), ("QUIESCENCE_CHECK_SEARCH", "random")];
        let said = place.run_by(command.envs(short));
        assert!(matches!(said.code, Some(0 | 1 | 3)), "{line}: {said:?}");
        roxmltree::Document::parse(&said.out).expect("a JUnit file");
    }
}

#[test]
fn each_profile_and_each_line_that_is_commented_out_is_accepted() {
    let place = Place::new();
    assert_eq!(place.run("init").code, Some(0));
    for profile in ["default", "ci", "deep"] {
        let said = place.run(&format!("list --profile {profile}"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    }
    let text = read(&place.path("quiescence.toml"));
    let settings = text.lines().filter(|line| line.starts_with("# ") && line.contains(" = "));
    assert_eq!(settings.count(), 6, "{text}");
    let all = text.lines().map(|line| match line.contains(" = ") {
        true => line.strip_prefix("# ").unwrap_or(line),
        false => line,
    });
    place.write("quiescence.toml", all.collect::<Vec<_>>().join("\n"));
    let said = place.run("list");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.is_ascii(), "`ascii = true` counts");
}

#[test]
fn nothing_that_is_there_is_written_over() {
    let place = Place::new();
    let path = place.write("quiescence.toml", "mine");
    for line in ["init", "init .", "--profile ci init"] {
        let said = place.run(line);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.starts_with("error: there is a quiescence.toml already\n  "), "{said:?}");
        assert_eq!(read(&path), "mine");
    }
    let said = place.run("init new/below");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.starts_with("wrote new/below/quiescence.toml"), "{said:?}");
    let said = place.run("init quiescence.toml");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("quiescence.toml/quiescence.toml cannot be written"), "{said:?}");
    assert_eq!(std::fs::read_dir(place.path("")).expect("a directory").count(), 2);
}
