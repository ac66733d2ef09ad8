// The JavaScript face of bound_socket.h; src/capture/native-addon.ts is its checked face.
#pragma once

#include <napi.h>

namespace tunnelscope {

// Adds openBoundSocket.
void DefineBoundSocket(Napi::Env env, Napi::Object exports);

}  // namespace tunnelscope
