// A thread that sleeps until a file descriptor can be read, and an eventfd that wakes it. It ends when Stop() is called.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace tunnelscope {

class FdWatcher {
 public:
  // `on_readable` runs on the watcher's thread. When `repeat` is false it runs once after each Arm().
  // Throws nothing; IsRunning() is false when the system had no thread or eventfd for us.
  FdWatcher(int fd, bool repeat, std::function<void()> on_readable);
  ~FdWatcher();
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  bool IsRunning() const { return thread_.joinable(); }
  // Any thread.
  void Arm();
  // Runs `on_readable` even when there is nothing to read. Any thread.
  void Kick();
  // Wakes the thread and waits for its end; not to be called from `on_readable`. Idempotent. `fd` may be closed after.
  void Stop();

 private:
  void Run();
  void Wake();

  const int fd_;
  const bool repeat_;
  const std::function<void()> on_readable_;
  int wake_fd_ = -1;
  std::atomic<bool> armed_;
  std::atomic<bool> kicked_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tunnelscope
