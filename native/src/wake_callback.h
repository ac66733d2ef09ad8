// Joins an FdWatcher to a JavaScript callback: the watcher's thread notifies, the JavaScript thread is called. Stops by
// itself when the environment (a worker, say) ends.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "fd_watcher.h"

namespace tunnelscope {

class WakeCallback {
 public:
  // `on_readable` runs on the watcher's thread and says whether the callback is to be called.
  WakeCallback(Napi::Env env, Napi::Function callback, int fd, bool repeat, std::function<bool()> on_readable)
      : env_(env), tell_(Napi::ThreadSafeFunction::New(env, callback, "tunnelscope", 0, 1)) {
    watcher_ = std::make_unique<FdWatcher>(fd, repeat, [this, on_readable = std::move(on_readable)] {
      // Many wake-ups while the callback waits for its turn are one call.
      if (on_readable() && !told_.exchange(true)) {
        tell_.NonBlockingCall([this](Napi::Env, Napi::Function function) {
          told_ = false;
          if (watcher_ != nullptr) function.Call({});
        });
      }
    });
    napi_add_env_cleanup_hook(env_, StopHook, this);
  }

  ~WakeCallback() { Stop(); }
  WakeCallback(const WakeCallback&) = delete;
  WakeCallback& operator=(const WakeCallback&) = delete;

  bool IsRunning() const { return watcher_ != nullptr && watcher_->IsRunning(); }
  void Arm() {
    if (watcher_ != nullptr) watcher_->Arm();
  }
  void Kick() {
    if (watcher_ != nullptr) watcher_->Kick();
  }
  // JavaScript thread only. The file descriptor may be closed afterwards. Idempotent.
  void Stop() {
    if (watcher_ == nullptr) return;
    watcher_->Stop();
    watcher_ = nullptr;
    napi_remove_env_cleanup_hook(env_, StopHook, this);
    // What is still queued is thrown away, so no call refers to us any more.
    tell_.Abort();
  }

 private:
  static void StopHook(void* self) { static_cast<WakeCallback*>(self)->Stop(); }

  napi_env env_;
  Napi::ThreadSafeFunction tell_;
  std::atomic<bool> told_{false};
  std::unique_ptr<FdWatcher> watcher_;
};

}  // namespace tunnelscope
