// The JavaScript face of privileges.h.
#pragma once

#include <napi.h>

namespace tunnelscope {

void DefinePrivileges(Napi::Env env, Napi::Object exports);

}  // namespace tunnelscope
