//! The `contrail` binary; everything is in the library.

fn main() -> std::process::ExitCode {
    contrail::cli::main()
}
