// The JavaScript face of NetWatch; src/capture/native-addon.ts is its checked face.
#pragma once

#include <napi.h>

namespace tunnelscope {

// new NetWatch(onMessages)
Napi::Function DefineNetWatch(Napi::Env env);

}  // namespace tunnelscope
