//! Shuffles, votes and matches: what they give, and the lanes that are not there.

use crate::support::Case;
use ptx_machine::FaultKind;

fn lanes(value: impl Fn(u32) -> u32) -> Vec<u32> {
    (0..32).map(value).collect()
}

fn stored(body: &str) -> Vec<u32> {
    Case::new(&format!("{body} st.global.u32 [%d5], %r4;")).result()[..32].to_vec()
}

#[test]
fn shuffles_in_segments() {
    let shuffle =
        |text: &str| stored(&format!("add.u32 %r5, %r1, 100; shfl.sync.{text}, 0xffffffff;"));
    let from = |source: u32| 100 + source;
    assert_eq!(
        shuffle("down.b32 %r4, %r5, 3, 31"),
        lanes(|l| from(if l + 3 < 32 { l + 3 } else { l }))
    );
    assert_eq!(shuffle("up.b32 %r4, %r5, 3, 0"), lanes(|l| from(if l >= 3 { l - 3 } else { l })));
    assert_eq!(shuffle("bfly.b32 %r4, %r5, 9, 31"), lanes(|l| from(l ^ 9)));
    assert_eq!(shuffle("idx.b32 %r4, %r5, 7, 31"), lanes(|_| from(7)));
    assert_eq!(shuffle("idx.b32 %r4, %r5, 39, 31"), lanes(|_| from(7)));
    // Segments of eight: mask 0b11000 in bits 8 to 12.
    assert_eq!(shuffle("idx.b32 %r4, %r5, 5, 0x181f"), lanes(|l| from(l & 24 | 5)));
    assert_eq!(
        shuffle("down.b32 %r4, %r5, 3, 0x181f"),
        lanes(|l| from(if l % 8 + 3 < 8 { l + 3 } else { l }))
    );
    assert_eq!(
        shuffle("up.b32 %r4, %r5, 3, 0x1800"),
        lanes(|l| from(if l % 8 >= 3 { l - 3 } else { l }))
    );
    assert_eq!(
        shuffle("bfly.b32 %r4, %r5, 9, 0x181f"),
        lanes(|l| from(if l & 8 == 8 { l ^ 9 } else { l }))
    );
}

#[test]
fn a_shuffle_says_whether_its_source_was_inside() {
    let body = "shfl.sync.down.b32 %r5|%p1, %r1, 3, 31, 0xffffffff; selp.u32 %r4, 1, 0, %p1;";
    assert_eq!(stored(body), lanes(|l| u32::from(l + 3 < 32)));
    let body = "shfl.sync.up.b32 %r5|%p1, %r1, 3, 0, 0xffffffff; selp.u32 %r4, 1, 0, %p1;";
    assert_eq!(stored(body), lanes(|l| u32::from(l >= 3)));
}

#[test]
fn lanes_that_are_not_there() {
    let half = |source: u32| {
        Case::new(&format!(
            "setp.ge.u32 %p1, %r1, 16; @%p1 bra end; shfl.sync.idx.b32 %r4, %r1, {source}, 31, 0xffff; end:"
        ))
    };
    half(15).result();
    assert!(matches!(half(16).fault(), FaultKind::AbsentLane { source: 16 }));
    let message = half(20).message();
    assert!(
        message.ends_with("lane 0: shuffle from lane 20, which does not take part"),
        "{message}"
    );
    // In a block of 20 threads lanes 20 to 31 do not exist.
    let down = "shfl.sync.down.b32 %r4, %r1, 16, 31, 0xffffffff;";
    assert!(matches!(Case::new(down).shape(1, 20).fault(), FaultKind::AbsentLane { source: 20 }));
    Case::new(down).shape(1, 32).result();
    // An exited lane is waited for no longer, but gives nothing.
    let exited =
        "setp.eq.u32 %p1, %r1, 7; @%p1 exit; shfl.sync.bfly.b32 %r4, %r1, 1, 31, 0xffffffff;";
    assert!(matches!(Case::new(exited).fault(), FaultKind::AbsentLane { source: 7 }));
}

#[test]
fn lanes_that_wait_go_on_when_the_missing_one_leaves() {
    let body = "setp.eq.u32 %p1, %r1, 7; @%p1 bra late; vote.sync.ballot.b32 %r4, %p2, 0xffffffff;
        vote.sync.ballot.b32 %r4, !%p1, 0xffffffff; st.global.u32 [%d5], %r4; ret;
        late: add.u32 %r4, %r4, 1; exit;";
    let expected = lanes(|l| if l == 7 { 0 } else { !(1 << 7) });
    assert_eq!(Case::new(body).result()[..32], expected);
}

#[test]
fn masks_that_do_not_fit() {
    let alien = Case::new("shfl.sync.idx.b32 %r4, %r1, 0, 31, 0xfffffffe;").fault();
    assert!(matches!(alien, FaultKind::BadMask { mask: 0xffff_fffe }), "{alien}");
    // Lanes that name each other with different masks wait for ever.
    let crossed = "setp.lt.u32 %p1, %r1, 16; selp.b32 %r5, 0xffffffff, 0xfffffff0, %p1; shfl.sync.idx.b32 %r4, %r1, 0, 31, %r5;";
    let kind = Case::new(crossed).fault();
    assert!(matches!(kind, FaultKind::Deadlock { .. }), "{kind}");
}

#[test]
fn lanes_meet_from_two_places_of_the_text() {
    let body = "setp.lt.u32 %p1, %r1, 16; @%p1 bra other;
        add.u32 %r5, %r1, 100; shfl.sync.bfly.b32 %r4, %r5, 16, 31, 0xffffffff; bra end;
        other: add.u32 %r6, %r1, 200; shfl.sync.bfly.b32 %r4, %r6, 16, 31, 0xffffffff; end:";
    assert_eq!(stored(body), lanes(|l| if l < 16 { 100 + l + 16 } else { 200 + l - 16 }));
}

#[test]
fn votes_and_matches() {
    let odd = "and.b32 %r5, %r1, 1; setp.eq.u32 %p1, %r5, 1;";
    let vote = |text: &str| stored(&format!("{odd} vote.sync.{text}; "));
    assert_eq!(vote("ballot.b32 %r4, %p1, 0xffffffff"), lanes(|_| 0xaaaa_aaaa));
    assert_eq!(vote("ballot.b32 %r4, !%p1, 0xffffffff"), lanes(|_| 0x5555_5555));
    let answer =
        |text: &str| vote(&format!("{text}.pred %p2, %p1, 0xffffffff; selp.u32 %r4, 1, 0, %p2"));
    assert_eq!((answer("all")[0], answer("any")[0], answer("uni")[0]), (0, 1, 0));
    let same = stored(
        "setp.lt.u32 %p1, %r1, 99; vote.sync.uni.pred %p2, %p1, 0xffffffff; selp.u32 %r4, 1, 0, %p2;",
    );
    assert_eq!(same, lanes(|_| 1));
    let third = stored("rem.u32 %r5, %r1, 3; match.any.sync.b32 %r4, %r5, 0xffffffff;");
    assert_eq!(third, lanes(|l| (0..32).filter(|o| o % 3 == l % 3).fold(0, |m, o| m | 1 << o)));
    let all = stored(
        "mov.u32 %r5, 9; match.all.sync.b32 %r6|%p1, %r5, 0xffffffff; selp.u32 %r4, %r6, 1, %p1;",
    );
    assert_eq!(all, lanes(|_| u32::MAX));
    let sum = stored("redux.sync.add.u32 %r4, %r1, 0xffffffff;");
    assert_eq!(sum, lanes(|_| 31 * 16));
    let least = stored("sub.s32 %r5, 5, %r1; redux.sync.min.s32 %r4, %r5, 0xffffffff;");
    assert_eq!(least, lanes(|_| (-26_i32).cast_unsigned()));
}

#[test]
fn special_registers() {
    assert_eq!(stored("mov.u32 %r4, %lanemask_lt;"), lanes(|l| (1 << l) - 1));
    assert_eq!(stored("mov.u32 %r4, %lanemask_ge;"), lanes(|l| u32::MAX << l));
    assert_eq!(
        stored("mov.u32 %r4, %lanemask_gt;"),
        lanes(|l| (u64::from(u32::MAX - 1) << l) as u32)
    );
    assert_eq!(stored("mov.u32 %r4, %lanemask_le;"), lanes(|l| u32::MAX >> (31 - l)));
    assert_eq!(stored("mov.u32 %r4, WARP_SZ;"), lanes(|_| 32));
    assert_eq!(
        stored("setp.lt.u32 %p1, %r1, 9; mov.u32 %r4, 0; @%p1 activemask.b32 %r4;"),
        lanes(|l| if l < 9 { 511 } else { 0 })
    );
}
