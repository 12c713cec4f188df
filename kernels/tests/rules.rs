//! Which kernels each rule has, and that rules whose kernels are the same text share them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use presam::{AnyBase, AnyVariant, BaseInfo, VariantInfo};
use presam_kernels::entries;

#[test]
fn every_rule_has_kernels_and_its_configuration_in_words() {
    for VariantInfo { name, .. } in presam::variants::ALL {
        assert_eq!(entries::variant(name).unwrap().variant, *name);
        let words = entries::variant_words(&AnyVariant::by_name(name).unwrap());
        let keys = presam::variants::ALL.iter().find(|info| info.name == *name).unwrap().keys;
        assert!(words.len() >= keys.len(), "{name}: {words:?}");
    }
    for BaseInfo { name, keys, .. } in presam::base::ALL {
        assert_eq!(entries::base(name).unwrap().base, *name);
        let words = entries::base_words(&AnyBase::by_name(name).unwrap());
        assert!(words.len() >= keys.len(), "{name}: {words:?}");
    }
    let asam = AnyVariant::by_name("asam").unwrap().set("eta", 0.5).unwrap();
    assert!(entries::variant_words(&asam).contains(&0.5_f32.to_bits()));
    let sgd = AnyBase::by_name("sgd").unwrap().set("learning_rate", 0.25).unwrap();
    assert!(entries::base_words(&sgd).contains(&0.25_f32.to_bits()));
}

#[test]
fn a_stranger_s_rule_has_none() {
    let variant = entries::variant("proportional").unwrap_err().to_string();
    assert!(
        variant.starts_with("no variant with kernels has that name; expected one of: sam, asam,"),
        "{variant}"
    );
    let base = entries::base("lion").unwrap_err().to_string();
    assert!(
        base.starts_with("no base optimizer with kernels has that name; expected one of: sgd,"),
        "{base}"
    );
}

#[test]
fn twins_are_one_kernel_and_every_kernel_is_named_once() {
    let [sam, ssam, vasso] = ["sam", "ssam", "vasso"].map(|name| entries::variant(name).unwrap());
    assert!(std::ptr::eq(sam.finish, vasso.finish) && sam.finish.name == "finish_sam");
    assert_eq!(ssam.accumulate[0].name, "accumulate_sam_f32");
    assert_ne!(ssam.ascend[0].name, sam.ascend[0].name);
    let names: Vec<&str> = entries::all().map(|kernel| kernel.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    let compiled: BTreeSet<&str> = entries::compiled().map(|(name, _)| name).collect();
    let rules = entries::VARIANTS.iter().flat_map(entries::VariantKernels::all);
    let rules = rules.chain(entries::BASES.iter().flat_map(entries::BaseKernels::all));
    let called: BTreeSet<&str> = rules.map(|kernel| kernel.name).collect();
    assert!(called.is_subset(&compiled) && called.len() < compiled.len());
    let all: BTreeSet<&str> = names.into_iter().collect();
    assert!(called.is_subset(&all) && all.contains("second_adamw") && all.contains("finish_sam"));
}
