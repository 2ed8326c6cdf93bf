//! `posectl completions` and `posectl man`: made from the command line's own definition.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args::Cli;
use crate::exit::{Exit, Failure};

/// `posectl completions SHELL`.
pub(crate) fn completions(shell: Shell) -> Exit {
    clap_complete::generate(shell, &mut Cli::command(), "posectl", &mut io::stdout());
    Exit::Done
}

/// `posectl man DIR`: `posectl.1` and one page a command, those of `posectl pam` too.
pub(crate) fn man(dir: &Path) -> Result<Exit, Failure> {
    let writing = |e: io::Error| {
        Failure::new(
            Exit::Input,
            format_args!("{}: {e}", dir.display()),
            "name a folder that you may write to",
        )
    };
    fs::create_dir_all(dir).map_err(writing)?;
    let mut root = Cli::command();
    root.build();
    fs::write(dir.join("posectl.1"), page(&root, "posectl", true).map_err(writing)?).map_err(writing)?;
    for command in root.get_subcommands() {
        let name = format!("posectl-{}", command.get_name());
        fs::write(dir.join(format!("{name}.1")), page(command, &name, false).map_err(writing)?)
            .map_err(writing)?;
        for inner in command.get_subcommands() {
            let name = format!("{name}-{}", inner.get_name());
            fs::write(dir.join(format!("{name}.1")), page(inner, &name, false).map_err(writing)?)
                .map_err(writing)?;
        }
    }
    Ok(Exit::Done)
}

fn page(command: &clap::Command, name: &str, exit_codes: bool) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command.clone().version(env!("CARGO_PKG_VERSION"))).title(name).render(&mut text)?;
    if exit_codes {
        let mut roff = Roff::new();
        roff.control("SH", ["EXIT STATUS"]);
        for (code, words) in Exit::TABLE {
            roff.control("TP", []);
            roff.text([roman((code as u8).to_string())]);
            roff.text([roman(words)]);
        }
        roff.to_writer(&mut text)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of this project that a page or the unit names, as `name(section)`.
    fn named(text: &str) -> Vec<String> {
        let words = text.replace(" (", "(").replace("\\-", "-");
        let ends = |word: &str| word.trim_end_matches([',', '.', ';']).trim_start_matches("man:").to_owned();
        let ours = |word: &String| {
            word.ends_with(')') && ["posectl", "pose-", "pam_pose"].iter().any(|p| word.starts_with(p))
        };
        words.split_whitespace().map(ends).filter(ours).collect()
    }

    #[test]
    fn every_page_that_is_named_is_there() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let folder = tempfile::tempdir().expect("a folder");
        man(folder.path()).expect("written");
        for page in fs::read_dir(top.join("docs")).expect("docs").flatten() {
            if page.path().extension().is_some_and(|end| end == "8") {
                fs::copy(page.path(), folder.path().join(page.file_name())).expect("copied");
            }
        }
        let unit = fs::read_to_string(top.join("systemd/pose-helperd.service")).expect("the unit");
        let pages = fs::read_dir(folder.path()).expect("pages").flatten().map(|page| page.path());
        let texts = pages.map(|page| fs::read_to_string(page).expect("a page"));
        let all: Vec<String> = texts.chain([unit]).flat_map(|text| named(&text)).collect();
        assert!(all.iter().any(|name| name == "pose-helperd(8)"), "{all:?}");
        for name in all {
            let file = name.replace('(', ".").replace(')', "");
            assert!(folder.path().join(&file).is_file(), "{name} is named and not there");
        }
    }
}
