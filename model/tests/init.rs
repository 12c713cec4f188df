//! Seeded numbers keep their bits. The golden values come from a program written apart, in Python,
//! from the recipes in the documentation and the definition of ChaCha.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use presam_model::init::{below, he_uniform, redraw_labels, shuffle, streams};
use presam_model::{Error, Mlp};
use rand_core::Rng;

#[test]
fn streams_give_the_golden_words() {
    let golden = [
        (0, [0xb34b_8f2b, 0xca06_8379], [0x3f01_9d00, 0xf96a_f733], [0x3b9b_0afc, 0xc26f_e9ef]),
        (
            0x0123_4567_89ab_cdef,
            [0x08a9_c3fc, 0xeb85_13bf],
            [0x7b27_1264, 0xdcb6_2e10],
            [0xc0cd_ae63, 0x7ba4_0849],
        ),
    ];
    for (seed, initialisation, order, noise) in golden {
        let mut streams = streams(seed);
        assert_eq!(initialisation, [(); 2].map(|()| streams.initialisation.next_u32()));
        assert_eq!(order, [(); 2].map(|()| streams.shuffle.next_u32()));
        assert_eq!(noise, [(); 2].map(|()| streams.label_noise.next_u32()));
    }
}

#[test]
fn initialisation_gives_the_golden_bits() {
    let golden = [
        0x3ee0_c39c,
        0x3f22_2e7e,
        0xbcde_52f3,
        0x3f32_2266,
        0x3f28_8a92,
        0xbf06_ee24,
        0x3f6e_1b14,
        0x3e6f_b10d,
        0xbe83_78bb,
        0x3e8d_c4f4,
        0x3f89_d8eb,
        0xbeee_7035,
        0xbf44_dd95,
        0xbd15_dff7,
        0x3eda_fb45,
        0,
        0,
        0,
        0xbfab_63fa,
        0x3faf_2e30,
        0x3f1d_6cee,
        0x3fa5_58d5,
        0x3f44_7495,
        0xbf1a_13a4,
        0,
        0,
    ];
    let mlp = Mlp::new(&[5, 3, 2]).unwrap();
    let mut single = [9.0_f32; 26];
    he_uniform(&mlp, &mut single, &mut streams(0).initialisation).unwrap();
    assert_eq!(single.map(f32::to_bits), golden);
    let mut double = [9.0_f64; 26];
    he_uniform(&mlp, &mut double, &mut streams(0).initialisation).unwrap();
    assert_eq!(double, single.map(f64::from));
}

#[test]
fn initialisation_fills_its_interval_evenly() {
    let mlp = Mlp::new(&[150, 400]).unwrap();
    let mut params = vec![9.0_f32; mlp.param_count()];
    he_uniform(&mlp, &mut params, &mut streams(3).initialisation).unwrap();
    let weights: Vec<f64> = params[..60_000].iter().map(|w| f64::from(*w)).collect();
    assert!(weights.iter().all(|w| (-0.2..0.200_000_01).contains(w)));
    let mean = weights.iter().sum::<f64>() / 60_000.0;
    let variance = weights.iter().map(|w| w * w).sum::<f64>() / 60_000.0;
    // Standard errors: 0.2/sqrt(3 n) = 4.7e-4, and for the square 0.04 * sqrt(4/45/n) = 4.9e-5.
    assert!(mean.abs() < 2.4e-3, "{mean}");
    assert!((variance - 0.04 / 3.0).abs() < 2.5e-4, "{variance}");
}

#[test]
fn initialisation_refuses_another_length() {
    let mlp = Mlp::new(&[5, 3, 2]).unwrap();
    let mut params = [9.0_f32; 25];
    let mut rng = streams(0).initialisation;
    let refused = he_uniform(&mlp, &mut params, &mut rng);
    assert_eq!(refused, Err(Error::Length { what: "params", expected: 26, found: 25 }));
    assert_eq!((params, rng), ([9.0; 25], streams(0).initialisation));
}

#[test]
fn shuffle_gives_the_golden_order() {
    let mut order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    shuffle(&mut order, &mut streams(0).shuffle);
    assert_eq!(order, [1, 7, 4, 8, 2, 3, 6, 0, 5, 9]);
    for few in 0..2 {
        let mut rng = streams(0).shuffle;
        shuffle(&mut vec![5; few], &mut rng);
        assert_eq!(rng, streams(0).shuffle, "nothing to draw for {few}");
    }
}

#[test]
fn every_order_is_as_frequent() {
    let mut counts = [0_u32; 27];
    let mut rng = streams(1).shuffle;
    for _ in 0..6000 {
        let mut order = [0, 1, 2];
        shuffle(&mut order, &mut rng);
        counts[order[0] * 9 + order[1] * 3 + order[2]] += 1;
    }
    let seen: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
    // Six orders of 1000 each; the standard deviation of a count is 29.
    assert!(seen.len() == 6 && seen.iter().all(|count| count.abs_diff(1000) < 145), "{seen:?}");
}

/// Words in a list, two to a 64-bit draw.
struct Words(std::vec::IntoIter<u64>);

impl rand_core::TryRng for Words {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next().expect("a word more than the recipe draws"))
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        unreachable!("the recipes draw words")
    }
}

#[test]
fn uneven_words_are_drawn_again() {
    // 2^64 mod 3 = 1: only the word 0, whose product has low half 0, is one too many.
    let mut words = Words(vec![0, 0, u64::MAX].into_iter());
    assert_eq!(below(3, &mut words), 2);
    assert_eq!(words.0.len(), 0);
    // A power of two never draws again.
    assert_eq!(below(4, &mut Words(vec![0].into_iter())), 0);
    assert_eq!(below(1, &mut Words(vec![5].into_iter())), 0);
    assert_eq!(below(0, &mut Words(vec![5].into_iter())), 0);
}

fn classes(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i % 10) as u8).collect()
}

#[test]
fn noise_gives_the_golden_labels() {
    let mut labels = classes(20);
    assert_eq!(redraw_labels(&mut labels, 10, 0.4, &mut streams(0).label_noise), Ok(7));
    assert_eq!(labels, [3, 3, 6, 7, 4, 5, 8, 2, 8, 9, 0, 1, 2, 3, 3, 5, 6, 7, 8, 9]);
}

#[test]
fn noise_is_as_frequent_as_asked_and_nested() {
    let right = classes(20_000);
    let mut previous = right.clone();
    for (probability, wrong) in [(0.0, 0.0), (0.2, 3600.0), (0.4, 7200.0), (1.0, 18_000.0)] {
        let mut labels = right.clone();
        let rng = &mut streams(5).label_noise;
        let counted = redraw_labels(&mut labels, 10, probability, rng).unwrap();
        assert_eq!(counted, labels.iter().zip(&right).filter(|(a, b)| a != b).count());
        // Five standard deviations of at most sqrt(20000 / 4).
        assert!((counted as f64 - wrong).abs() <= 354.0, "{counted} wrong at {probability}");
        let kept = previous.iter().zip(&labels).zip(&right);
        assert!(kept.into_iter().all(|((old, new), right)| old == right || old == new));
        previous = labels;
    }
}

#[test]
fn noise_refuses_without_writing_or_drawing() {
    let nan = f64::NAN;
    for probability in [-0.1, 1.1, nan, f64::INFINITY] {
        let mut labels = classes(4);
        let refused = redraw_labels(&mut labels, 10, probability, &mut streams(0).label_noise);
        assert!(matches!(refused, Err(Error::Probability { .. })), "{probability}");
        assert_eq!(labels, classes(4));
    }
    for (count, expected) in [
        (0, Error::Classes { most: 256, found: 0 }),
        (257, Error::Classes { most: 256, found: 257 }),
        (3, Error::Label { index: 3, classes: 3, found: 3 }),
    ] {
        let mut labels = classes(4);
        let mut rng = streams(0).label_noise;
        assert_eq!(redraw_labels(&mut labels, count, 1.0, &mut rng), Err(expected));
        assert_eq!((labels, rng), (classes(4), streams(0).label_noise));
    }
}
