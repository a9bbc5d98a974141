{
  # The kernels are compiled twice, once for each path; the boundary, for any x86-64, picks at run time.
  'variables': {
    'kernel_sources': [
      'workers/native/dropout.cc',
      'workers/native/gru.cc',
      'workers/native/lstm.cc',
      'workers/native/multiply.cc',
      'workers/native/multiply-transposed.cc',
      'workers/native/optimizers.cc',
      'workers/native/pack.cc',
      'workers/native/peak.cc',
      'workers/native/rnn.cc',
      'workers/native/rows.cc',
      'workers/native/softmax.cc',
      'workers/native/sum-lanes.cc',
      'workers/native/table.cc',
      'workers/native/vectors.cc',
    ],
    # A product is fused only where the source says so: a path gives the same bits whatever the compiler.
    'kernel_flags': [
      '-O3', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-fno-fast-math', '-fno-math-errno',
    ],
    'avx2_flags': ['-mavx2', '-mfma'],
    # GCC 12 takes the undefined operand inside its own AVX-512 header for a fault.
    'avx512_flags': [
      '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mfma', '-Wno-maybe-uninitialized',
    ],
  },
  'targets': [
    {
      'target_name': 'kernels_avx2',
      'type': 'static_library',
      'sources': ['<@(kernel_sources)'],
      'defines': ['THREADLOOM_PATH=avx2', 'THREADLOOM_TABLE=avx2Kernels'],
      'cflags': ['<@(kernel_flags)', '<@(avx2_flags)'],
      'xcode_settings': {'OTHER_CFLAGS': ['<@(kernel_flags)', '<@(avx2_flags)']},
    },
    {
      'target_name': 'kernels_avx512',
      'type': 'static_library',
      'sources': ['<@(kernel_sources)'],
      'defines': ['THREADLOOM_PATH=avx512', 'THREADLOOM_TABLE=avx512Kernels'],
      'cflags': ['<@(kernel_flags)', '<@(avx512_flags)'],
      'xcode_settings': {'OTHER_CFLAGS': ['<@(kernel_flags)', '<@(avx512_flags)']},
    },
    {
      'target_name': 'threadloom',
      'sources': ['workers/native/binding.cc'],
      'dependencies': ['kernels_avx2', 'kernels_avx512'],
      'defines': ['NAPI_VERSION=8'],
      'cflags': ['-fvisibility=hidden'],
    },
  ],
}
