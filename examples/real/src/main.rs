//! The command line of quiescence with published libraries as strategies.

fn main() -> std::process::ExitCode {
    quiescence::cli::main(quiescence_real::registry().versioned(env!("CARGO_PKG_VERSION")))
}
