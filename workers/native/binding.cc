/**
 * The Node-API boundary. `bind(view, path)` gives an object whose functions are the operations of the
 * kernel contract on the memory under the view, a Uint8Array over the whole arena; offsets are counted in
 * its 32-bit words. `paths` lists what this processor can run, the fastest first.
 *
 * Nothing is global: each binding knows its memory and its kernels, so an environment may hold several
 * arenas and a process several environments. A binding keeps its view, and so the memory, until its last
 * function is collected. Sizes and offsets are not checked here (plans are, once); an argument that is
 * missing or not a number throws a TypeError before anything is computed.
 */
#include <node_api.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <tuple>
#include <type_traits>

#include "kernels.h"

namespace threadloom {
namespace {

struct Binding {
  const Kernels* kernels;
  char* memory;
  napi_ref view;
  int functions;
};

/** The arguments of one call, read in turn. */
class Arguments {
 public:
  Arguments(napi_env env, char* memory, const napi_value* values)
      : env_(env), memory_(memory), next_(values) {}

  template <class Value>
  Value read() {
    if constexpr (std::is_pointer_v<Value>) {
      return reinterpret_cast<Value>(memory_ + 4 * integer());
    } else if constexpr (std::is_integral_v<Value>) {
      return integer();
    } else {
      double value = 0;
      valid_ &= napi_get_value_double(env_, *next_++, &value) == napi_ok;
      return value;
    }
  }

  bool valid() const { return valid_; }

 private:
  Size integer() {
    std::int64_t value = 0;
    valid_ &= napi_get_value_int64(env_, *next_++, &value) == napi_ok;
    return value;
  }

  napi_env env_;
  char* memory_;
  const napi_value* next_;
  bool valid_ = true;
};

napi_value toValue(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

template <auto OPERATION, class Result, class... Parameters>
napi_value callWith(napi_env env, napi_callback_info info,
                    Result (*Kernels::*)(Parameters...)) {
  std::size_t count = sizeof...(Parameters);
  napi_value values[sizeof...(Parameters)];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
  const auto* binding = static_cast<const Binding*>(data);
  Arguments arguments(env, binding->memory, values);
  // Braces evaluate from left to right.
  const std::tuple<Parameters...> parameters{arguments.template read<Parameters>()...};
  if (!arguments.valid()) {
    napi_throw_type_error(env, nullptr, "Expected every argument of a native kernel to be a number");
    return nullptr;
  }
  if constexpr (std::is_void_v<Result>) {
    std::apply(binding->kernels->*OPERATION, parameters);
    return nullptr;
  } else {
    return toValue(env, static_cast<double>(std::apply(binding->kernels->*OPERATION, parameters)));
  }
}

/** The JavaScript function of one member of the table. */
template <auto OPERATION>
napi_value call(napi_env env, napi_callback_info info) {
  return callWith<OPERATION>(env, info, OPERATION);
}

struct NamedCall {
  const char* name;
  napi_callback call;
};

constexpr NamedCall CALLS[] = {
    {"packedLength", call<&Kernels::packedLength>},
    {"pack", call<&Kernels::pack>},
    {"multiply", call<&Kernels::multiply>},
    {"scratchLength", call<&Kernels::scratchLength>},
    {"multiplyTransposed", call<&Kernels::multiplyTransposed>},
    {"sumRows", call<&Kernels::sumRows>},
    {"rnnForward", call<&Kernels::rnnForward>},
    {"rnnBackward", call<&Kernels::rnnBackward>},
    {"lstmForward", call<&Kernels::lstmForward>},
    {"lstmBackward", call<&Kernels::lstmBackward>},
    {"gruForward", call<&Kernels::gruForward>},
    {"gruBackward", call<&Kernels::gruBackward>},
    {"softmaxCrossEntropy", call<&Kernels::softmaxCrossEntropy>},
    {"gatherRows", call<&Kernels::gatherRows>},
    {"scatterAddRows", call<&Kernels::scatterAddRows>},
    {"dropout", call<&Kernels::dropout>},
    {"add", call<&Kernels::add>},
    {"sumScratchLength", call<&Kernels::sumScratchLength>},
    {"sumLanes", call<&Kernels::sumLanes>},
    {"copy", call<&Kernels::copy>},
    {"fill", call<&Kernels::fill>},
    {"sumOfSquares", call<&Kernels::sumOfSquares>},
    {"sgd", call<&Kernels::sgd>},
    {"adam", call<&Kernels::adam>},
    {"rmsprop", call<&Kernels::rmsprop>},
    {"multiplyAddLoop", call<&Kernels::multiplyAddLoop>},
};

struct Path {
  const char* name;
  const Kernels* kernels;
  bool (*isSupported)();
};

#if defined(__x86_64__)
// The compiler's own probe: it asks the processor and whether the system saves the wide registers.
bool supportsAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("fma");
}
bool supportsAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

constexpr Path PATHS[] = {
    {"avx512", &avx512Kernels, supportsAvx512},
    {"avx2", &avx2Kernels, supportsAvx2},
};
#else
#error "The native kernels are written for x86-64"
#endif

void releaseFunction(napi_env env, void* data, void*) {
  auto* binding = static_cast<Binding*>(data);
  if (--binding->functions > 0) return;
  napi_delete_reference(env, binding->view);
  delete binding;
}

const Path* findPath(napi_env env, napi_value name) {
  char text[16] = "";
  napi_get_value_string_utf8(env, name, text, sizeof text, nullptr);
  for (const Path& path : PATHS) {
    if (__builtin_strcmp(path.name, text) == 0 && path.isSupported()) return &path;
  }
  return nullptr;
}

/**
 * Rows of a matrix are often a page apart: with pages of 2 MiB the processor looks their addresses up far
 * less often. Only a wish; the system may decline it.
 */
void preferLargePages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
}

napi_value bind(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  // The data pointer of a typed array is given for shared buffers too; that of the buffer alone is not.
  napi_typedarray_type type = napi_float32_array;
  void* memory = nullptr;
  std::size_t bytes = 0;
  const bool isView = napi_get_typedarray_info(env, arguments[0], &type, &bytes, &memory, nullptr,
                                               nullptr) == napi_ok;
  const Path* path = findPath(env, arguments[1]);
  if (!isView || type != napi_uint8_array || !path) {
    napi_throw_type_error(env, nullptr, "Expected bind(Uint8Array, one of `paths`)");
    return nullptr;
  }

  preferLargePages(memory, bytes);
  auto* binding = new Binding{path->kernels, static_cast<char*>(memory), nullptr, 0};
  napi_create_reference(env, arguments[0], 1, &binding->view);
  napi_value result = nullptr;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "panelColumns",
                          toValue(env, static_cast<double>(path->kernels->panelColumns)));
  for (const NamedCall& each : CALLS) {
    napi_value function = nullptr;
    napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.call, binding, &function);
    napi_add_finalizer(env, function, binding, releaseFunction, nullptr, nullptr);
    binding->functions++;
    napi_set_named_property(env, result, each.name, function);
  }
  return result;
}

}  // namespace
}  // namespace threadloom

NAPI_MODULE_INIT() {
  using namespace threadloom;
  napi_value paths = nullptr;
  napi_create_array(env, &paths);
  std::uint32_t count = 0;
  for (const Path& path : PATHS) {
    if (!path.isSupported()) continue;
    napi_value name = nullptr;
    napi_create_string_utf8(env, path.name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, paths, count++, name);
  }
  napi_set_named_property(env, exports, "paths", paths);
  napi_set_named_property(env, exports, "contract", toValue(env, CONTRACT));
  napi_value function = nullptr;
  napi_create_function(env, "bind", NAPI_AUTO_LENGTH, bind, nullptr, &function);
  napi_set_named_property(env, exports, "bind", function);
  return exports;
}
