//! Adapters for `presam verify --exec`, to be filled in: a right SAM stands in each, so that it runs at once.

/// Language and text; each begins with how to run it.
pub const TEMPLATES: [(&str, &str); 3] = [
    ("python", include_str!("python.py")),
    ("torch", include_str!("torch.py")),
    ("c", include_str!("c.c")),
];

/// The adapter for this language.
///
/// # Errors
/// The languages there are; for Rust, what needs no adapter.
pub fn template(language: &str) -> Result<&'static str, String> {
    let found = TEMPLATES.iter().find(|(name, _)| *name == language);
    found.map(|(_, text)| *text).ok_or_else(|| match language {
        "rust" => "expected python, torch or c; Rust needs no pipe: the crate presam-conformance checks a \
                   function in a test of yours (twenty lines, in its README)"
            .into(),
        _ => "expected python, torch or c".into(),
    })
}
