#include "filter_compiler.h"

#include <dlfcn.h>

namespace tunnelscope {

namespace {

// libpcap's stable interface, as in pcap/pcap.h and pcap/bpf.h.
struct BpfProgram {
  unsigned int bf_len;
  sock_filter* bf_insns;
};
constexpr int kSnapLen = 262144;
constexpr unsigned int kNetmaskUnknown = 0xffffffff;

using OpenDead = void* (*)(int, int);
using Compile = int (*)(void*, BpfProgram*, const char*, int, unsigned int);
using GetError = char* (*)(void*);
using FreeCode = void (*)(BpfProgram*);
using Close = void (*)(void*);

template <typename Function>
Function Find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

}  // namespace

CompiledFilter CompileFilter(const std::string& expression, int link_type) {
  CompiledFilter result;
  void* library = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) library = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    result.missing = true;
    return result;
  }
  const auto open_dead = Find<OpenDead>(library, "pcap_open_dead");
  const auto compile = Find<Compile>(library, "pcap_compile");
  const auto get_error = Find<GetError>(library, "pcap_geterr");
  const auto free_code = Find<FreeCode>(library, "pcap_freecode");
  const auto close = Find<Close>(library, "pcap_close");
  void* handle = nullptr;
  if (open_dead && compile && get_error && free_code && close) handle = open_dead(link_type, kSnapLen);
  if (handle == nullptr) {
    result.missing = true;
    dlclose(library);
    return result;
  }
  BpfProgram program = {};
  if (compile(handle, &program, expression.c_str(), 1, kNetmaskUnknown) == 0) {
    result.program.assign(program.bf_insns, program.bf_insns + program.bf_len);
    free_code(&program);
  } else {
    result.error = get_error(handle);
  }
  close(handle);
  dlclose(library);
  return result;
}

}  // namespace tunnelscope
