"""The rate of one plain OpenBLAS SGEMM, the limit of every convolution that is a matrix product.

Prints JSON: GFLOP/s of each repetition, and the library's own description. Called by scripts/bench.
"""
import argparse
import ctypes
import json
import os
import time

ROW_MAJOR, NO_TRANSPOSE = 101, 111


def matrix(rows, columns):
    """Small numbers that repeat: no zeros, no denormals, nothing that a product could overflow."""
    count = rows * columns
    pattern = (ctypes.c_float * 1024)(*[0.01 * (1 + i % 97) for i in range(1024)])
    block = (bytes(pattern) * (count // 1024 + 1))[:4 * count]
    return (ctypes.c_float * count).from_buffer_copy(block)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--m", type=int, required=True)
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--k", type=int, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    m, n, k = options.m, options.n, options.k

    os.environ["OPENBLAS_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))
    blas = ctypes.CDLL("libopenblas.so.0")
    blas.openblas_get_config.restype = ctypes.c_char_p
    blas.cblas_sgemm.argtypes = (
        [ctypes.c_int] * 6 + [ctypes.c_float, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p,
                              ctypes.c_int, ctypes.c_float, ctypes.c_void_p, ctypes.c_int])
    a, b, c = matrix(m, k), matrix(k, n), (ctypes.c_float * (m * n))()

    rates = []
    for _ in range(options.repeat + 1):
        start = time.perf_counter()
        blas.cblas_sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1.0, a, k, b, n, 0.0, c, n)
        rates.append(2e-9 * m * n * k / (time.perf_counter() - start))
    config = blas.openblas_get_config().decode()
    print(json.dumps({"gflops": rates[1:], "library": config}))


if __name__ == "__main__":
    main()
