//! The command line of quiescence with this library.

fn main() -> std::process::ExitCode {
    quiescence::cli::main(check::registry().versioned(env!("CARGO_PKG_VERSION")))
}
