#!/bin/sh
# Verifies, measures and trains on this machine's GPU, without network and without Rust, in at most nine minutes.
#
#   ./run.sh [OUT [DIR]]    OUT: a folder for the one archive of results [where you are]
#                           DIR: the folder of CIFAR-10's binary files, for a larger training run at the end
#
# Steps in the order of their worth, each under its own time limit. Whatever ends the run (a step that hangs,
# a signal, a full disk), summary.md is printed and OUT/presam-results-DATE.tar.gz is written: summary.md, of
# each step its output (NAME.txt), messages (NAME.err) and files, and the clocks beside the run (clocks.csv).
# Exit code: 0 good; 1 a step differs, failed or ran out of time; 3 there is no GPU, and nothing ran on one.
set -u
# Folders are those of the caller, whose own folder is left now.
absolute() { case $1 in '' | /*) printf '%s' "$1" ;; *) printf '%s' "$PWD/$1" ;; esac; }
to=$(absolute "${1:-$PWD}")
data=$(absolute "${2:-}")
cd "$(dirname "$0")" || exit 2
seconds=540
began=$(date +%s)
day=$(date -u +%Y-%m-%dT%H-%M-%SZ)
out=results-$day
mkdir -p "$out" "$to" || exit 2
# Room that no step can take: without it a full disk would keep the archive from being written.
head -c 16777216 /dev/zero >"$to/reserve.$$" 2>/dev/null

# Where drivers put libcuda and nvidia-smi; compiled kernels are kept from one step to the next.
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}:/usr/local/nvidia/lib64:/usr/lib/x86_64-linux-gnu"
export PATH="$PATH:/usr/local/nvidia/bin:/usr/local/cuda/bin"
export CUDA_CACHE_PATH="$PWD/jit" CUDA_CACHE_MAXSIZE=1073741824 PYTHONUNBUFFERED=1

# Kept in memory: the table must survive a full disk.
rows=
failed=0
absent=0
met=0
digest="no training run on a GPU"
running=
clocks=
code=

has() { command -v "$1" >/dev/null 2>&1; }
for tool in timeout tar; do
    has $tool || { echo "error: $tool: expected on the PATH" >&2; exit 2; }
done

row() {
    rows="$rows| $1 | $2 | $3 | $4 |
"
}

left_out() {
    echo "== $1: left out: $2"
    row "$1" "left out" "" "$2"
}

# step NAME SECONDS COMMAND...: runs it until its time, or that of the whole run, is over; in the background,
# since a shell looks at a signal only where it waits. The exit code is left in $code.
step() {
    name=$1
    limit=$2
    shift 2
    code=
    left=$((seconds - $(date +%s) + began))
    [ "$left" -lt "$limit" ] && limit=$left
    if [ "$limit" -lt 1 ]; then
        failed=1
        left_out "$name" "no time left of $seconds s"
        return
    fi
    echo "== $name: $*"
    start=$(date +%s)
    timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>"$out/$name.err" &
    running=$!
    wait "$running"
    code=$?
    running=
    tail -n 5 "$out/$name.err" >&2
    said=$code
    case $code in
    124 | 137) said="$code: stopped after $limit s" ;;
    esac
    # A bar within a table's cell would end the cell.
    row "$name" "$said" "$(($(date +%s) - start)) s" "\`$(echo "$*" | sed 's/|/\\|/g')\`"
}

# judged STEP...: a step whose exit code is that of the run.
judged() {
    step "$@"
    case ${code:-0} in
    0) ;;
    # Of a torch that cannot use the GPU that was there for verify: no machine without one.
    3) [ $met = 1 ] && failed=1 || absent=1 ;;
    *) failed=1 ;;
    esac
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

summary() {
    echo "# presam on a GPU: $day"
    echo
    if [ $absent = 1 ]; then
        echo "**No GPU ran this:** $(sed -n 's/^error: //p' "$out/verify.err" | head -n 1)"
    else
        sed -n 's/^devices *//p' "$out/info.txt"
        has nvidia-smi && timeout 10 nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
    fi
    [ -n "$1" ] && printf '\n**Not whole:** %s.\n' "$1"
    echo
    echo "Built from $(cat source). Digest of the training run: $digest."
    echo
    echo "| step | exit code | time | command |"
    echo "| --- | --- | --- | --- |"
    printf '%s' "$rows"
    for name in verify verify-blocking verify-short bench compare package package-speed; do
        # Of a table of all kernels the end, where the verdict is; without a table the last that was told.
        case $name in
        verify* | package) shown=$(tail -n 12 "$out/$name.txt" 2>/dev/null) ;;
        *) shown=$(cat "$out/$name.txt" 2>/dev/null) ;;
        esac
        [ -n "$shown" ] || shown=$(tail -n 3 "$out/$name.err" 2>/dev/null)
        [ -n "$shown" ] && printf '\n%s:\n\n%s\n' "$name" "$(echo "$shown" | sed 's/^/    /')"
    done
}

# pack FOLDER: the archive there, whole or not at all.
pack() {
    file=$1/presam-results-$day.tar.gz
    tar czf "$file.part" "$out" && mv "$file.part" "$file" && return
    rm -f "$file.part"
    return 1
}

# Once, whatever ended the run.
finish() {
    trap - EXIT HUP INT TERM
    if [ -n "$running" ]; then
        kill "$running" 2>/dev/null && wait "$running"
        row "$name" "not ended" "" "$1"
    fi
    [ -n "$clocks" ] && kill "$clocks" 2>/dev/null
    rm -f "$to/reserve.$$"
    told=$(summary "$1")
    echo "$told"
    echo "$told" >"$out/summary.md"
    # Without the samples, which are most of it, where there is no room; then wherever there is room.
    pack "$to" || { rm -f "$out"/*/bench.json && pack "$to"; } || pack "${TMPDIR:-/tmp}" ||
        { file=; echo "error: no room for the archive; the summary is above" >&2; }
    [ -n "$file" ] && echo "results: $file"
    [ -n "$1" ] || [ $failed = 1 ] && exit 1
    [ $absent = 1 ] && exit 3
    exit 0
}
trap 'finish "the script ended early"' EXIT
for signal in HUP INT TERM; do
    trap "finish 'ended by SIG$signal'" $signal
done

if has nvidia-smi; then
    asked=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu
    nvidia-smi --query-gpu=$asked --format=csv -lms 500 >"$out/clocks.csv" 2>&1 &
    clocks=$!
else
    left_out clocks "nvidia-smi is not on the PATH"
fi
ldd ./presam >"$out/ldd.txt" 2>&1

judged info 20 ./presam info
judged verify 90 ./presam verify --device cuda
case ${code:-3} in 0 | 1) met=1 ;; esac
# It died, or a kernel took the device with it: which one it was, each waited for. It had no time: what a short one has.
case ${code:-0} in
0 | 1 | 3) again= ;;
2) grep -q '^error: device lost' "$out/verify.err" && again=blocking || again= ;;
124 | 137) again=short ;;
*) again=blocking ;;
esac
short="./presam verify --device cuda --epochs 1 --cases"
[ "$again" = blocking ] && step verify-blocking 60 env CUDA_LAUNCH_BLOCKING=1 $short 2
[ "$again" = short ] && step verify-short 60 $short 1
judged train 60 ./presam train --device cuda --quiet --out "$out/train"
[ "$code" = 0 ] && same_digest train
bench="./presam bench --device cuda --min-time 0.1"
judged bench 120 $bench --rules sam --sizes 1e4,1e6,1e7,resnet-18,1e8 \
    --filter '^(accumulate|ascend|step|descend)/(sam|sgd-momentum)/' --out "$out/bench"

sizes=1e7,resnet-18
step torch 60 python3 -c 'import torch'
if [ "$code" = 0 ]; then
    judged peers 150 python3 peers/pytorch_sam.py --device cuda --sizes $sizes --out "$out/peers"
    if [ -f "$out/peers/bench.json" ] && [ -f "$out/bench/bench.json" ]; then
        judged compare 20 ./presam bench --from "$out/bench/bench.json" --compare "$out/peers/bench.json"
    fi
    # The Python package on torch's stream: bits of the CPU's step, called and replayed from a graph; then its speed.
    if [ -d site ]; then
        export PYTHONPATH="$PWD/site"
        judged package 90 python3 benchmarks/gpu.py
        judged package-speed 60 python3 benchmarks/step.py --device cuda --sizes 1e6 resnet18 --rounds 50
    else
        left_out package "the archive was packed without it"
    fi
elif [ -n "$code" ]; then
    without="python3 does not import torch: $(tail -n 1 "$out/torch.err")"
    left_out peers "$without"
    left_out package "$without"
fi
judged rules 120 $bench --rules all --sizes 1e6,1e7 --filter '^(accumulate|ascend|step)/' --out "$out/rules"
if has compute-sanitizer; then
    # Some machines refuse it the device: told, and no failure of the kernels.
    step sanitizer 60 compute-sanitizer --error-exitcode 9 ./presam verify --device cuda --cases 1 --epochs 1
else
    left_out sanitizer "compute-sanitizer is not installed"
fi
if [ -n "$data" ]; then
    judged cifar10 120 ./presam train --device cuda --quiet --data "cifar10:$data" --hidden 1024,1024 \
        --seeds 1 --epochs 10 --out "$out/cifar10"
    if [ -d site ] && [ -f "$out/package.txt" ] && [ $(($(date +%s) - began + 30)) -lt "$seconds" ]; then
        # A real network by the Python package; what it has done by the end of its time is in the archive.
        step resnet18 120 python3 benchmarks/vision.py "cifar10:$data" --net resnet18 --device cuda --batch 128 \
            --methods sgd sam info-asam --epochs 10 --out "$out/vision"
        rm -f "$out"/vision/running.*
    fi
else
    left_out cifar10 "no folder was given"
fi
finish ""
