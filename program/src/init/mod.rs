//! Adapters for `presam verify --exec`, to be filled in: a right SAM stands in each, so that it runs at once.

/// Language and text; each begins with how to run it.
pub const TEMPLATES: [(&str, &str); 4] = [
    ("python", include_str!("python.py")),
    ("torch", include_str!("torch.py")),
    ("c", include_str!("c.c")),
    ("rust", include_str!("rust.rs")),
];

/// The adapter for this language.
#[must_use]
pub fn template(language: &str) -> Option<&'static str> {
    TEMPLATES.iter().find(|(name, _)| *name == language).map(|(_, text)| *text)
}
