// A refused system call as a JavaScript exception with `step` and `errno`; words are made in TypeScript.
#pragma once

#include <napi.h>

#include "packet_ring.h"

namespace tunnelscope {

inline void ThrowSystemFault(Napi::Env env, const SystemFault& fault) {
  Napi::Error error = Napi::Error::New(env, fault.step);
  error.Set("step", Napi::String::New(env, fault.step));
  error.Set("errno", Napi::Number::New(env, fault.number));
  error.ThrowAsJavaScriptException();
}

}  // namespace tunnelscope
