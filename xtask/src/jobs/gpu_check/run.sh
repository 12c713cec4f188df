#!/bin/sh
# Verifies, measures and trains on this machine's GPU, without network and without Rust.
#
#   ./run.sh [DIR]    DIR: the folder of CIFAR-10's binary files, for the larger training run
#
# Writes results-DATE/: summary.md, and for each step its output (NAME.txt), its messages (NAME.err) and
# its files. Exit code: 0 good; 1 a step differs or failed; 3 there is no GPU, and nothing ran on one.
set -u
cd "$(dirname "$0")" || exit 2
data=${1:-}
out=results-$(date -u +%Y-%m-%dT%H-%M-%SZ)
mkdir "$out" || exit 2
rows=$out/rows
: >"$rows"
failed=0
absent=0

# step NAME COMMAND...: runs it; its exit code goes into the table.
step() {
    name=$1
    shift
    echo "== $name: $*"
    began=$(date +%s)
    "$@" >"$out/$name.txt" 2>"$out/$name.err"
    code=$?
    cat "$out/$name.err" >&2
    case $code in
    0) ;;
    3) absent=1 ;;
    *) failed=1 ;;
    esac
    printf '| %s | %s | %s s | `%s` |\n' "$name" "$code" "$(($(date +%s) - began))" "$*" >>"$rows"
}

left_out() {
    echo "== $1: left out: $2"
    printf '| %s | left out | | %s |\n' "$1" "$2" >>"$rows"
}

# same_digest NAME: a training run gives the README's digest wherever it runs.
same_digest() {
    expected=$(cat digest)
    found=$(sed -n 's/^digest: *//p' "$out/$1.txt")
    if [ "$found" = "$expected" ]; then
        digest="equal to the README's: $found"
    else
        digest="DIFFERS: expected $expected, found ${found:-none}"
        failed=1
    fi
}

step info ./presam info
step verify ./presam verify --device cuda
step bench ./presam bench --device cuda --out "$out/bench"

sizes=1e7,resnet-18,vit-b-16
if python3 -c 'import torch' 2>"$out/torch.err"; then
    step peers python3 peers/pytorch_sam.py --device cuda --sizes $sizes --out "$out/peers"
    if [ -f "$out/peers/bench.json" ]; then
        step compare ./presam bench --device cuda --sizes $sizes --rules sam --filter '^step/' \
            --compare "$out/peers/bench.json" --out "$out/compare"
    fi
else
    left_out peers "python3 does not import torch: $(tail -n 1 "$out/torch.err")"
fi

step train ./presam train --device cuda --quiet --out "$out/train"
digest="no training run on a GPU"
[ "$code" = 0 ] && same_digest train
if [ -n "$data" ]; then
    step cifar10 ./presam train --device cuda --quiet --data "cifar10:$data" --hidden 1024,1024 \
        --seeds 1 --epochs 10 --out "$out/cifar10"
else
    left_out cifar10 "no folder was given"
fi
if command -v compute-sanitizer >/dev/null 2>&1; then
    step sanitizer compute-sanitizer --error-exitcode 9 ./presam verify --device cuda --cases 2 --epochs 1
else
    left_out sanitizer "compute-sanitizer is not installed"
fi

{
    echo "# presam on a GPU: $(date -u +%Y-%m-%d)"
    echo
    if [ $absent = 1 ]; then
        echo "**No GPU ran this:** $(sed -n 's/^error: //p' "$out/verify.err" | head -n 1)"
    else
        sed -n 's/^devices *//p' "$out/info.txt"
        command -v nvidia-smi >/dev/null 2>&1 &&
            nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
    fi
    echo
    echo "Built from $(cat source). Digest of the training run: $digest."
    echo
    echo "| step | exit code | time | command |"
    echo "| --- | --- | --- | --- |"
    cat "$rows"
} >"$out/summary.md"
rm -f "$rows"
cat "$out/summary.md"
[ $failed = 1 ] && exit 1
[ $absent = 1 ] && exit 3
exit 0
