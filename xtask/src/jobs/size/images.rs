//! What is weighed: one image a thing, as text for `xtask/size-probe`.

/// An image: its name in the table and the body of its program.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) name: String,
    pub(super) text: String,
}

impl Image {
    /// Of typed phases and nothing that drives them.
    pub(super) fn is_typed(&self) -> bool {
        self.name.starts_with("phase") || self.name.starts_with("typed")
    }
}

fn image(name: &str, body: &str) -> Image {
    let text = format!(
        "#[allow(unused_imports)] use crate::{{board::Call, forms::*}};\n\
         #[allow(unused_imports)] use core::hint::black_box;\n\
         #[allow(unused_imports)] use presam::*;\n\
         #[allow(unused_variables)]\n\
         #[inline(always)]\n\
         pub fn run(call: &mut Call) -> Result<(), Error> {{ {body} }}\n"
    );
    Image { name: name.to_owned(), text }
}

/// Only the board.
pub(super) fn empty() -> Image {
    image("empty", "Ok(())")
}

/// An index that some length takes out of bounds.
pub(super) fn planted() -> Image {
    image("planted", "call.params[1] = call.grads[2]; Ok(())")
}

/// Rules without memory, with one plane and with two, as the second of an image.
const BESIDE: [&str; 3] = ["asam", "vasso", "info-asam"];
const ERASED: [&str; 3] = ["sam", "vasso", "info-asam"];

/// In the order of the table.
pub(super) fn all() -> Vec<Image> {
    let names = || presam::variants::ALL.iter().map(|info| info.name);
    let step = |rules: &str| format!("{rules} step_back(momentum(), call)");
    let perturb = |name| format!("perturb({}::default(), call)?;", type_of(name));
    let mut images = phases();
    images.extend(names().map(|name| image(&format!("typed {name}"), &step(&perturb(name)))));
    let beside = |name| format!("{}{}", perturb("sam"), perturb(name));
    images.extend(BESIDE.map(|name| image(&format!("typed sam and {name}"), &step(&beside(name)))));
    let erased = |name| format!("erased(&{}::default(), &momentum(), call)", type_of(name));
    images.extend(ERASED.map(|name| image(&format!("erased {name}"), &erased(name))));
    images.push(image("erased, any rule by name", "by_name(call)"));
    images.push(image("session sam", "session(Sam::new(), momentum(), call)"));
    images.push(image("owned sam", "owned(Sam::new(), momentum(), call)"));
    images
}

/// The phases of SAM, each alone.
fn phases() -> Vec<Image> {
    let sums = "let mut sums = PartialNorm::new(); black_box(&mut sums);";
    let scale = "let scale = black_box(Scale { prescale: 1.0, scale: 0.5, remember: true });";
    let bodies = [
        ("norm", format!("{sums} norm(Sam::new(), call, black_box(&mut sums))")),
        (
            "finish",
            format!("{sums} scale(Sam::new(), call, &sums).map(|scale| {{ black_box(scale); }})"),
        ),
        ("ascend", format!("{scale} ascend(Sam::new(), scale, call)")),
        ("ascend in place", format!("{scale} ascend_in_place(Sam::new(), scale, call)")),
        ("restore", "restore(call)".to_owned()),
        ("descend sgd", "descend(Sgd::default(), call)".to_owned()),
        ("descend sgd-momentum", "descend(momentum(), call)".to_owned()),
        ("descend adamw", "descend(AdamW::default(), call)".to_owned()),
    ];
    bodies.iter().map(|(name, body)| image(&format!("phase {name}"), body)).collect()
}

/// `InfoAsam` of `info-asam`.
fn type_of(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_weighed() {
        assert_eq!(type_of("info-asam"), "InfoAsam");
        let images = all();
        for info in presam::variants::ALL {
            let name = format!("typed {}", info.name);
            assert!(images.iter().any(|image| image.name == name), "{name}");
        }
    }
}
