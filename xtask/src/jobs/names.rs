//! One word for one thing: identifiers that the house does not use (CONTRIBUTING.md has the list).

use super::house::sources;
use crate::command::{Outcome, read, root};
use crate::words::words;

/// The forbidden identifier and what to write.
const FORBIDDEN: [(&str, &str); 13] = [
    ("eps", "norm_guard, eta or denominator_guard"),
    ("epsilon", "norm_guard, eta or denominator_guard"),
    ("e_w", "perturbation"),
    ("adv", "perturbed"),
    ("adv_grad", "perturbed_grads"),
    ("grad2", "perturbed_grads"),
    ("dw", "grads"),
    ("old_p", "backup"),
    ("precond", "objective_preconditioner or constraint_preconditioner"),
    ("first_step", "ascend"),
    ("second_step", "descend"),
    ("beta1", "mean_decay"),
    ("beta2", "square_decay"),
];

/// Sources of the libraries and the program. Tests compare with peers, whose words they use.
const FOLDERS: [&str; 6] =
    ["core/src/", "model/src/", "kernels/src/", "cuda-host/src/", "program/src/", "capi/src/"];

/// Two faults, and the same words where they are allowed.
const PLANTED: &str = r##"
    // eps in a comment, /* and "e_w" */
    /* old_p /* nested beta1 */ precond */
    const DOC: (&str, &str, char) = ("eps \" eps", r#"e_w "dw" "#, '"');
    fn ascend<'dw>(steps: &'dw str, first_steps: u32) { let eps = 1e-12; first_step(eps_like); }
"##;

pub(crate) fn names() -> Outcome {
    let caught: Vec<_> = faults(PLANTED)?.iter().map(|&(line, name, _)| (line, name)).collect();
    if caught != [(5, "eps"), (5, "first_step")] {
        return Err(format!("planted faults: expected eps and first_step, caught {caught:?}"));
    }
    let mut files = sources()?;
    files.retain(|file| FOLDERS.iter().any(|folder| file.starts_with(folder)));
    let mut found = String::new();
    for file in &files {
        let faults = faults(&read(&root().join(file))?).map_err(|why| format!("{file}: {why}"))?;
        for (line, name, instead) in faults {
            found += &format!("\n  {file}:{line}: `{name}`; write {instead}");
        }
    }
    if files.is_empty() || !found.is_empty() {
        return Err(format!("{} files, forbidden names:{found}", files.len()));
    }
    eprintln!("planted faults caught; {} files, no forbidden name", files.len());
    Ok(())
}

type Fault = (usize, &'static str, &'static str);

/// Line, forbidden identifier, and what to write instead; in order of lines.
fn faults(text: &str) -> Result<Vec<Fault>, String> {
    let words = words(text)?;
    let mut faults = Vec::new();
    let mut before = "";
    for (word, line) in &words {
        let known = FORBIDDEN.iter().find(|(name, _)| word == name);
        // A lifetime is no name of a thing.
        faults.extend(known.filter(|_| before != "'").map(|&(name, why)| (*line, name, why)));
        before = word;
    }
    Ok(faults)
}
