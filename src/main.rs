//! The `quiescence` command: the command line with the strategies of this crate.

fn main() -> std::process::ExitCode {
    quiescence::cli::main(quiescence::catalogue::Registry::standard())
}
