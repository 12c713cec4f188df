#!/bin/sh
# Verifies, measures and trains on this machine's GPU, without network and without Rust, in at most nine minutes.
#
#   ./run.sh [OUT [DIR]]    OUT: a folder for the one archive of results [where you are]
#                           DIR: the folder of CIFAR-10's binary files, for a larger training run at the end
#
# Steps in the order of their worth, each under its own time limit. Whatever ends the run (a step that hangs or
# that no signal ends, a signal, a full disk), summary.md is printed and OUT/presam-results-DATE.tar.gz is written:
# summary.md, of each step its output (NAME.txt), messages (NAME.err) and files, and the clocks beside the run
# (clocks.csv).
# Exit code: 0 good; 1 a step differs, failed or ran out of time; 3 there is no GPU, and nothing ran on one.
# PRESAM_DRY_RUN=emulated: little of everything on the emulated device, to try this script without a GPU.
set -u
# Folders are those of the caller, whose own folder is left now.
absolute() { case $1 in '' | /*) printf '%s' "$1" ;; *) printf '%s' "$PWD/$1" ;; esac; }
to=$(absolute "${1:-$PWD}")
data=$(absolute "${2:-}")
cd "$(dirname "$0")" || exit 2
case ${PRESAM_DRY_RUN:-} in
'')
    device=cuda verify= train= least=0.1
    sizes=1e4,1e6,1e7,resnet-18,1e8 rules=all rule_sizes=1e6,1e7 largest=1e9
    ;;
emulated)
    device=emulated verify="--cases 1 --epochs 1" train="--epochs 1 --methods sam --seeds 1" least=0.001
    sizes=640 rules=sam,info-asam rule_sizes=640 largest=640
    ;;
*)
    echo "error: PRESAM_DRY_RUN: expected emulated or nothing, found $PRESAM_DRY_RUN" >&2
    exit 2
    ;;
esac
seconds=510
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
# CUDA's numbers of the GPUs are nvidia-smi's: the first one that may be used is the one whose clocks are sampled.
export CUDA_DEVICE_ORDER=PCI_BUS_ID
gpu=${CUDA_VISIBLE_DEVICES:-0}
gpu=${gpu%%,*}

# Kept in memory: the table must survive a full disk.
rows=
failed=0
absent=0
met=0
digest="no training run on a GPU"
running=
dog=
clocks=
code=

has() { command -v "$1" >/dev/null 2>&1; }
for tool in timeout tar; do
    has $tool || { echo "error: $tool: expected on the PATH" >&2; exit 2; }
done

# row STEP CODE TIME CLOCKS COMMAND
row() {
    rows="$rows| $1 | $2 | $3 | $4 | $5 |
"
}

left_out() {
    echo "== $1: left out: $2"
    row "$1" "left out" "" "" "$2"
}

# sampled: how many lines of clocks there are.
sampled() { wc -l 2>/dev/null <"$out/clocks.csv" || echo 0; }

# meanwhile LINE: of the samples after it the median clock of the SMs, and every reason's bit that was seen.
meanwhile() {
    [ -n "$clocks" ] || return
    samples=$(tail -n "+$(($1 + 1))" "$out/clocks.csv")
    median=$(echo "$samples" | awk -F', *' '$2 + 0 > 0 { print $2 + 0 }' | sort -n |
        awk '{ all[NR] = $1 } END { if (NR) print all[int((NR + 1) / 2)] " MHz" }')
    [ -n "$median" ] || return
    bits=
    for one in $(echo "$samples" | awk -F', *' '$NF ~ /^0x[0-9a-fA-F]+$/ { print $NF }' | sort -u); do
        bits=$((${bits:-0} | one))
    done
    printf '%s' "$median"
    [ -z "$bits" ] || printf ', 0x%x' "$bits"
}

# watch SECONDS: a signal to this script then. Its output is closed, so that nobody's pipe stays open, and it ends
# with the script, so that no signal comes after it.
watch() {
    (
        second=0
        while [ $second -lt "$1" ] && kill -0 $$; do
            sleep 1
            second=$((second + 1))
        done
        kill -USR1 $$
    ) >/dev/null 2>&1 &
    dog=$!
}

# bounded NAME SECONDS COMMAND...: runs it until its time is over; in the background, since a shell looks at a signal
# only where it waits. What is stuck in a driver ends by no signal, and `timeout` waits for it: then the run ends
# without it. The exit code is left in $code.
bounded() {
    name=$1
    limit=$2
    shift 2
    timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>"$out/$name.err" &
    running=$!
    watch $((limit + 15))
    wait "$running"
    code=$?
    running=
    kill "$dog" 2>/dev/null
}

# ended PID SECONDS: waits for it, and not for longer.
ended() {
    second=0
    while [ $second -lt "$2" ] && kill -0 "$1" 2>/dev/null; do
        sleep 1
        second=$((second + 1))
    done
}

# step NAME SECONDS COMMAND...: runs it until its time, or that of the whole run, is over, and tells of it.
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
    before=$(sampled)
    bounded "$name" "$limit" "$@"
    tail -n 5 "$out/$name.err" >&2
    said=$code
    case $code in
    124 | 137) said="$code: stopped after $limit s" ;;
    esac
    # A bar within a table's cell would end the cell.
    shown=$(printf '%s' "$*" | sed 's/|/\\|/g')
    row "$name" "$said" "$(($(date +%s) - start)) s" "$(meanwhile "$before")" "\`$shown\`"
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

# same_digest NAME: a training run gives the README's digest wherever it runs; a short one gives another.
same_digest() {
    expected=$(cat digest)
    found=$(sed -n 's/^digest: *//p' "$out/$1.txt")
    if [ -n "$train" ] && [ -n "$found" ]; then
        digest="of a short run, held against nothing: $found"
    elif [ "$found" = "$expected" ]; then
        digest="equal to the README's: $found"
    else
        digest="DIFFERS: expected $expected, found ${found:-none}"
        failed=1
    fi
}

# end FILE LINES: the last of a step's output, where it is a file: a device in its place may never end.
end() { [ -f "$out/$1" ] && tail -n "$2" "$out/$1"; }

summary() {
    echo "# presam on a GPU: $day"
    echo
    if [ $absent = 1 ]; then
        echo "**No GPU ran this:** $(sed -n 's/^error: //p' "$out/verify.err" | head -n 1)"
    else
        sed -n 's/^devices *//p' "$out/info.txt"
        [ -n "$clocks" ] && cut -d, -f1,2 "$out/gpu.txt"
    fi
    [ $device = emulated ] && printf '\n**A dry run on the emulated device: no GPU ran this.**\n'
    [ -n "$1" ] && printf '\n**Not whole:** %s.\n' "$1"
    echo
    echo "Built from $(cat source). Digest of the training run: $digest."
    echo
    echo "| step | exit code | time | SM clock | command |"
    echo "| --- | --- | --- | --- | --- |"
    printf '%s' "$rows"
    [ -n "$clocks" ] && printf '\nSM clock: the median of the samples beside the step, and the bits of what held it%s\n' \
        " back (0x1 idle, 0x4 power cap, 0x8, 0x40, 0x80 the hardware, 0x20 heat)."
    for name in verify verify-blocking verify-short bench compare package package-speed bench-1e9 compare-vit; do
        # Of a table of all kernels the end, where the verdict is; without a table the last that was told.
        case $name in
        verify* | package) shown=$(end "$name.txt" 12) ;;
        *) shown=$(end "$name.txt" 1000) ;;
        esac
        [ -n "$shown" ] || shown=$(end "$name.err" 3)
        [ -n "$shown" ] && printf '\n%s:\n\n%s\n' "$name" "$(printf '%s\n' "$shown" | sed 's/^/    /')"
    done
}

# pack FOLDER: the archive there, whole or not at all.
pack() {
    file=$1/presam-results-$day.tar.gz
    tar czf "$file.part" "$out" && mv "$file.part" "$file" && return 0
    rm -f "$file.part"
    return 1
}

# Once, whatever ended the run.
finish() {
    # A watch that is ended before its shell has dropped this trap is none of the run.
    [ "$(exec sh -c 'echo $PPID')" = $$ ] || exit 0
    trap - EXIT HUP INT TERM
    trap '' USR1
    [ -n "$dog" ] && kill "$dog" 2>/dev/null
    if [ -n "$running" ]; then
        kill "$running" 2>/dev/null && ended "$running" 10
        row "$name" "not ended" "" "$(meanwhile "${before:-0}")" "$1"
    fi
    [ -n "$clocks" ] && kill "$clocks" 2>/dev/null
    rm -f "$to/reserve.$$"
    told=$(summary "$1")
    printf '%s\n' "$told"
    printf '%s\n' "$told" >"$out/summary.md"
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
trap '[ -z "$running" ] || finish "$name could not be stopped"' USR1

# sample: the GPU and its driver, then its clocks beside the whole run, with what holds them back, which one driver
# calls so and another so.
sample() {
    for reasons in clocks_event_reasons.active clocks_throttle_reasons.active ''; do
        bounded gpu 10 nvidia-smi -i "$gpu" --query-gpu="name,driver_version${reasons:+,$reasons}" \
            --format=csv,noheader
        # A wrong name is another code.
        case $code in 0 | 124 | 137) break ;; esac
    done
    if [ "$code" != 0 ]; then
        left_out clocks "nvidia-smi: exit code $code, $(cat "$out/gpu.txt" "$out/gpu.err" | tail -n 1)"
        return
    fi
    asked=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu${reasons:+,$reasons}
    # Line by line: a step's samples are those that were written while it ran.
    lines=
    has stdbuf && lines="stdbuf -oL"
    # Not for ever, should this script be killed.
    timeout 600 $lines nvidia-smi -i "$gpu" --query-gpu="$asked" --format=csv,noheader -lms 500 \
        >"$out/clocks.csv" 2>&1 &
    clocks=$!
}
if [ $device = emulated ]; then
    left_out clocks "a dry run"
elif has nvidia-smi; then
    sample
else
    left_out clocks "nvidia-smi is not on the PATH"
fi
ldd ./presam >"$out/ldd.txt" 2>&1

judged info 20 ./presam info
judged verify 90 ./presam verify --device $device $verify
[ "${code:-3}" = 3 ] || met=1
# It died, or a kernel took the device with it: which one it was, each waited for. It had no time: what a short one has.
case ${code:-0} in
0 | 1 | 3) again= ;;
2) grep -q '^error: device lost' "$out/verify.err" && again=blocking || again= ;;
124 | 137) again=short ;;
*) again=blocking ;;
esac
short="./presam verify --device $device --epochs 1 --cases"
[ "$again" = blocking ] && step verify-blocking 60 env CUDA_LAUNCH_BLOCKING=1 $short 2
[ "$again" = short ] && step verify-short 60 $short 1
judged train 60 ./presam train --device $device --quiet $train --out "$out/train"
[ "$code" = 0 ] && same_digest train
bench="./presam bench --device $device --min-time $least"
judged bench 120 $bench --rules sam --sizes $sizes \
    --filter '^(accumulate|ascend|step|descend)/(sam|sgd-momentum)/' --out "$out/bench"

# compared NAME OURS PEERS: two steps' rows beside each other, where both have some.
compared() {
    if [ -f "$out/$2/bench.json" ] && [ -f "$out/$3/bench.json" ]; then
        judged "$1" 20 ./presam bench --from "$out/$2/bench.json" --compare "$out/$3/bench.json"
    fi
}

# Whatever runs beside a torch that has this GPU.
torch=
without="a dry run"
if [ $device != emulated ]; then
    step torch 60 python3 -c 'import torch'
    case $code in
    0) torch=1 ;;
    '') without="no time left" ;;
    *) without="python3 does not import torch: $(tail -n 1 "$out/torch.err")" ;;
    esac
fi
peers="python3 peers/pytorch_sam.py --device $device"
captured=out-of-place-graph,compiled-out-of-place-graph
if [ -n "$torch" ]; then
    # The best forms first: what is compiled takes half a minute.
    judged peers 150 $peers --sizes resnet-18,1e7 --forms $captured,foreach-graph,foreach-fused,compiled,eager,apex \
        --out "$out/peers"
    compared compare bench peers
    # The Python package on torch's stream: bits of the CPU's step, called and replayed from a graph; then its speed.
    if [ -d site ]; then
        export PYTHONPATH="$PWD/site"
        judged package 90 python3 benchmarks/gpu.py
        judged package-speed 60 python3 benchmarks/step.py --device cuda --sizes 1e6 resnet18 --rounds 50
    else
        left_out package "the archive was packed without it"
    fi
else
    left_out peers "$without"
    left_out package "$without"
fi
judged rules 120 $bench --rules $rules --sizes $rule_sizes --filter '^(accumulate|ascend|step)/' --out "$out/rules"
# The largest step takes minutes on a slow host and does not fit every GPU: told, and no failure.
step bench-1e9 60 $bench --rules sam --sizes $largest --filter '^step/sam/' --out "$out/bench-1e9"
if [ -n "$torch" ]; then
    judged bench-vit 60 $bench --rules sam --sizes vit-b-16 --filter '^step/sam/' --out "$out/bench-vit"
    judged peers-vit 90 $peers --sizes vit-b-16 --forms $captured --out "$out/peers-vit"
    compared compare-vit bench-vit peers-vit
else
    left_out peers-vit "$without"
fi
if [ $device = emulated ]; then
    left_out sanitizer "a dry run"
elif has compute-sanitizer; then
    # Some machines refuse it the device: told, and no failure of the kernels.
    step sanitizer 60 compute-sanitizer --error-exitcode 9 ./presam verify --device $device --cases 1 --epochs 1
else
    left_out sanitizer "compute-sanitizer is not installed"
fi
if [ -n "$data" ]; then
    judged cifar10 120 ./presam train --device $device --quiet --data "cifar10:$data" --hidden 1024,1024 \
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
