//! Histories in files. Formats read from anything that implements
//! [`std::io::BufRead`]; opening files is the command line's business.
