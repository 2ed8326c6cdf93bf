//! PAM stacks: read as libpam reads them, judged over every answer the module can give, changed so that no step can
//! lock anybody out.
//!
//! # Layout
//! - [`codes`], [`control`], [`syntax`]: the words of a pam.d file
//! - [`tree`]: the files, and who may have written them; [`stack`]: a service's lines in order, inclusions in place
//! - [`dispatch`]: how libpam gets from answers to a result; [`modules`]: what each module may answer;
//!   [`judge`]: what a stack does in each case; [`ways`]: how root still gets in
//! - [`edit`], [`diff`], [`vault`]: a changed text, shown, written, and put back
//! - [`dry_run`]: the same cases through the real libpam; [`options`]: the words after the module's name

pub(crate) mod codes;
pub(crate) mod control;
pub(crate) mod diff;
pub(crate) mod dispatch;
pub(crate) mod dry_run;
pub(crate) mod edit;
pub(crate) mod judge;
pub(crate) mod modules;
pub(crate) mod options;
pub(crate) mod stack;
pub(crate) mod syntax;
pub(crate) mod tree;
pub(crate) mod vault;
pub(crate) mod ways;

/// The module's file name.
pub(crate) const MODULE: &str = "pam_pose.so";
