// Kernels that rustc did not write: what nvcc makes of ordinary CUDA C++.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

extern "C" __global__ void vector_add(const float *a, const float *b, float *c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}

// Sums of blocks by shuffles and shared memory, then one atomic each.
extern "C" __global__ void block_sum(const int *x, int *total, int n) {
    __shared__ int warps[32];
    int sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += x[i];
    for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {
        sum = threadIdx.x < blockDim.x / 32 ? warps[threadIdx.x] : 0;
        for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(0xffffffff, sum, by);
        if (threadIdx.x == 0) atomicAdd(total, sum);
    }
}

// Tiles of 32 x 32 with one column of padding: no bank conflicts, both sides coalesced.
extern "C" __global__ void transpose(const float *in, float *out, int width, int height) {
    __shared__ float tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8)
        if (x < width && y + j < height) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * width + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x;
    y = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8)
        if (x < height && y + j < width) out[(y + j) * height + x] = tile[threadIdx.x][threadIdx.y + j];
}

// The same without the barrier: the planted fault.
extern "C" __global__ void transpose_racing(const float *in, float *out, int width, int height) {
    __shared__ float tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * width + x];
    for (int j = 0; j < 32; j += 8)
        out[(blockIdx.x * 32 + threadIdx.y + j) * height + blockIdx.y * 32 + threadIdx.x] = tile[threadIdx.x][threadIdx.y + j];
}

extern "C" __global__ void matrix_product(const float *a, const float *b, float *c, int m, int n, int k) {
    __shared__ float left[16][16], right[16][16];
    int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    float sum = 0.0f;
    for (int first = 0; first < k; first += 16) {
        int across = first + threadIdx.x, down = first + threadIdx.y;
        left[threadIdx.y][threadIdx.x] = row < m && across < k ? a[row * k + across] : 0.0f;
        right[threadIdx.y][threadIdx.x] = down < k && column < n ? b[down * n + column] : 0.0f;
        __syncthreads();
        for (int i = 0; i < 16; ++i) sum = fmaf(left[threadIdx.y][i], right[i][threadIdx.x], sum);
        __syncthreads();
    }
    if (row < m && column < n) c[row * n + column] = sum;
}

extern "C" __global__ void histogram(const unsigned char *x, unsigned *bins, int n) {
    __shared__ unsigned own[256];
    for (int i = threadIdx.x; i < 256; i += blockDim.x) own[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&own[x[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < 256; i += blockDim.x) atomicAdd(&bins[i], own[i]);
}

extern "C" __global__ void halves(const float *x, unsigned short *half_out, unsigned short *bf_out, float *back, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    __half h = __float2half_rn(x[i]);
    __nv_bfloat16 b = __float2bfloat16_rn(x[i]);
    half_out[i] = __half_as_ushort(h);
    bf_out[i] = __bfloat16_as_ushort(b);
    back[i] = __half2float(h) + __bfloat162float(b);
}

struct Plan {
    int base;
    double weights[3];
    short steps[5];
};

__constant__ double table[4] = {0.5, 1.5, -2.0, 8.0};
__device__ unsigned tickets = 0;

__device__ __noinline__ double evaluate(Plan plan, int at, double x) {
    double sum = plan.base;
    for (int i = 0; i < 3; ++i) sum = sum * x + plan.weights[i] * table[(at + i) & 3];
    return sum;
}

// A structure by value, a function that is not inlined, a local array indexed by data, a switch, 64-bit division.
extern "C" __global__ void odds(Plan plan, double *out, unsigned *order, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int local[8];
    for (int j = 0; j < 8; ++j) local[j] = i * j - plan.steps[j % 5];
    double value = evaluate(plan, i, local[(i * 5) & 7] * 0.125);
    switch (i % 6) {
        case 0: value += 1.0; break;
        case 1: value *= 3.0; break;
        case 2: value = -value; break;
        case 3: value = value > 0 ? floor(value) : ceil(value); break;
        case 4: value += (double)((long long)i * 1000003 / (i + 1)); break;
        default: value -= (unsigned long long)i * 12345678901ull % 97; break;
    }
    out[i] = value;
    order[i] = atomicInc(&tickets, 0xffffffffu);
}
