// The JavaScript face of PacketRing; src/capture/native-addon.ts is its checked face.
#pragma once

#include <napi.h>

namespace tunnelscope {

// new PacketRing(options, onReadable)
Napi::Function DefinePacketRing(Napi::Env env);

}  // namespace tunnelscope
